//! A table that filters, sorts and exports, and is brought up to date without losing what somebody does in it. Its roles are named
//! one by one: a phone's stylesheet makes blocks of its rows, which browsers then take for no table any more.

import { announce } from '../ui/live';
import { fill, h, text } from '../ui/dom';
import { choicesOf, csv, filtered, json, sorted, text as plain, type Column, type Filter, type Order } from './rows';

export interface Options<R> {
  /** Name of exported files. */
  name: string;
  /** What the table shows, for its caption. */
  caption: string;
  columns: Column<R>[];
  /** What a row is known by from one update to the next. */
  key(row: R): string;
  /** What is said when there are no rows. */
  empty: string;
  /** Buttons at a row's end. */
  actions?(row: R): Node[];
  /** What a row's own page is called, and what opens it. */
  open?(row: R): void;
  /** The order to begin with. */
  order?: Order;
  /** All rows that there are, for exports, where `rows` holds the newest only. */
  everything?(): Promise<R[]>;
  /** Shows an error of `everything`. */
  failed?(error: unknown): void;
}

/** Rows that are drawn at most; the filter reaches the others. */
const DRAWN = 500;

export class Table<R> {
  /** What is put into the page. */
  readonly node: HTMLElement;

  private rows: readonly R[] = [];
  private order: Order | null;
  private readonly filter: Filter = { text: '', choices: new Map() };
  private readonly drawn = new Map<string, { line: HTMLTableRowElement; looks: string }>();
  private readonly body = h('tbody', { role: 'rowgroup' });
  private readonly told = h('p', { class: 'table-count', 'aria-live': 'off' });
  private readonly heads = new Map<string, HTMLTableCellElement>();
  private readonly selects = new Map<string, HTMLSelectElement>();
  private readonly more = h('div', { class: 'table-more' });

  constructor(private readonly options: Options<R>) {
    this.order = options.order ?? null;
    this.node = h('div', { class: 'table' }, this.tools(), this.frame(), this.more);
    this.draw();
  }

  /** Shows other rows. */
  set(rows: readonly R[]): void {
    this.rows = rows;
    this.updateChoices();
    this.draw();
  }

  /** What stands below the table, such as a button for older rows. */
  below(...nodes: Node[]): void {
    fill(this.more, ...nodes);
  }

  /** Narrows the table to one value of a column. */
  choose(key: string, value: string): void {
    const select = this.selects.get(key);
    if (select === undefined) return;
    if (![...select.options].some((option) => option.value === value)) select.append(new Option(value, value));
    select.value = value;
    this.filter.choices.set(key, value);
    this.draw();
  }

  private tools(): HTMLElement {
    const { caption, columns } = this.options;
    const search = h('input', {
      type: 'search',
      placeholder: 'Filter',
      'aria-label': `Filter ${caption}`,
      oninput: () => {
        this.filter.text = search.value;
        this.draw();
        announce(this.told.textContent ?? '');
      },
    });
    const selects = columns.filter((column) => column.choices).map((column) => {
      const select = h('select', {
        'aria-label': `${column.title} of ${caption}`,
        onchange: () => {
          if (select.value === '') this.filter.choices.delete(column.key);
          else this.filter.choices.set(column.key, select.value);
          this.draw();
          announce(this.told.textContent ?? '');
        },
      });
      select.append(new Option(`Any ${column.title.toLowerCase()}`, ''));
      this.selects.set(column.key, select);
      return select;
    });
    return h('div', { class: 'table-tools' }, search, selects, this.sorter(), this.told, h('div', { class: 'table-exports' }, this.exporter('CSV'), this.exporter('JSON')));
  }

  /** The choice of an order where the heads aren't shown: on a phone each row is a card. */
  private sorter(): HTMLSelectElement {
    const select = h('select', {
      class: 'table-sorter',
      'aria-label': `Order of ${this.options.caption}`,
      onchange: () => {
        const [key = '', way] = select.value.split(' ');
        this.order = select.value === '' ? (this.options.order ?? null) : { key, down: way === 'down' };
        this.draw();
      },
    });
    select.append(new Option('Order', ''));
    for (const { key, title } of this.options.columns) {
      select.append(new Option(`${title} ↑`, `${key} up`), new Option(`${title} ↓`, `${key} down`));
    }
    return select;
  }

  private exporter(form: 'CSV' | 'JSON'): HTMLButtonElement {
    const button: HTMLButtonElement = h('button', {
      class: 'button quiet',
      type: 'button',
      'aria-label': `Export ${this.options.caption} as ${form}`,
      onclick: () => {
        button.disabled = true;
        this.export(form).catch((error: unknown) => this.options.failed?.(error)).finally(() => (button.disabled = false));
      },
    }, form);
    return button;
  }

  private frame(): HTMLElement {
    const { caption, columns, actions } = this.options;
    const cells = columns.map((column) => {
      const cell = h('th', { scope: 'col', role: 'columnheader', class: looks(column) }, h('button', { class: 'sort', type: 'button', onclick: () => this.sortBy(column) }, column.title));
      this.heads.set(column.key, cell);
      return cell;
    });
    if (actions !== undefined) cells.push(h('th', { scope: 'col', role: 'columnheader' }, h('span', { class: 'visually-hidden' }, 'Orders')));
    return h('div', { class: 'table-frame', role: 'group', 'aria-label': `${caption}, can be scrolled`, tabindex: 0 },
      h('table', { role: 'table', 'aria-label': caption }, h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, cells)), this.body));
  }

  private sortBy(column: Column<R>): void {
    // Numbers are mostly looked at from the largest on.
    if (this.order?.key !== column.key) this.order = { key: column.key, down: column.numeric === true };
    else this.order = { key: column.key, down: !this.order.down };
    this.draw();
    announce(`Sorted by ${column.title}, ${this.order.down ? 'descending' : 'ascending'}`);
  }

  /** The rows as they are filtered and sorted now. */
  private view(rows: readonly R[]): R[] {
    return sorted(filtered(rows, this.options.columns, this.filter), this.options.columns, this.order);
  }

  private updateChoices(): void {
    for (const column of this.options.columns) {
      const select = this.selects.get(column.key);
      if (select === undefined) continue;
      const chosen = select.value;
      const values = choicesOf(this.rows, column).filter((value) => value !== '');
      if (chosen !== '' && !values.includes(chosen)) values.push(chosen);
      const now = [...select.options].slice(1).map((option) => option.value);
      if (now.join('\n') === values.join('\n')) continue;
      while (select.options.length > 1) select.remove(1);
      for (const value of values) select.append(new Option(value, value));
      select.value = chosen;
    }
  }

  private draw(): void {
    for (const [key, cell] of this.heads) {
      const sorted = this.order?.key === key ? (this.order.down ? 'descending' : 'ascending') : null;
      if (sorted === null) cell.removeAttribute('aria-sort');
      else cell.setAttribute('aria-sort', sorted);
    }
    const view = this.view(this.rows);
    const held = this.focused();
    const seen = new Set<string>();
    const lines = view.slice(0, DRAWN).map((row) => {
      const key = this.options.key(row);
      seen.add(key);
      return this.line(row, key);
    });
    for (const key of this.drawn.keys()) if (!seen.has(key)) this.drawn.delete(key);
    if (lines.length > 0) place(this.body, lines);
    else {
      const columns = this.options.columns.length + (this.options.actions === undefined ? 0 : 1);
      const why = this.rows.length === 0 ? this.options.empty : 'Nothing matches the filter.';
      this.body.replaceChildren(h('tr', { class: 'empty', role: 'row' }, h('td', { colspan: columns, role: 'cell' }, why)));
    }
    const all = this.rows.length;
    text(this.told, view.length === all ? `${all} ${all === 1 ? 'row' : 'rows'}` : `${view.length} of ${all} rows`);
    if (held !== null) this.focus(held);
  }

  /** A row's line: the one that is there if it looks the same. */
  private line(row: R, key: string): HTMLTableRowElement {
    const { columns, actions, open } = this.options;
    const orders = actions?.(row) ?? [];
    const shown = columns.map((column) => column.show?.(row) ?? plain(column.value(row)));
    const sight = [...shown, ...orders].map((part) => (typeof part === 'string' ? part : part instanceof Element ? part.outerHTML : part.textContent)).join('\u0000');
    const there = this.drawn.get(key);
    if (there !== undefined && there.looks === sight) return there.line;
    const cells = columns.map((column, index) => {
      const part = shown[index] ?? '';
      const opened = index === 0 && open !== undefined;
      const inner = opened ? h('button', { class: 'link', type: 'button', 'data-order': 'open', 'aria-label': `${column.title} ${plain(column.value(row))}`, onclick: () => open(row) }, part) : part;
      return h('td', { role: 'cell', 'data-title': column.title, class: looks(column) }, inner);
    });
    if (actions !== undefined) cells.push(h('td', { class: 'orders', role: 'cell' }, orders));
    const line = h('tr', { 'data-key': key, role: 'row' }, cells);
    this.drawn.set(key, { line, looks: sight });
    return line;
  }

  /** Which button of which row has the focus. */
  private focused(): { key: string; order: string } | null {
    const active = document.activeElement;
    if (!(active instanceof HTMLElement) || !this.body.contains(active)) return null;
    const key = active.closest('tr')?.dataset['key'];
    const order = active.dataset['order'];
    return key === undefined || order === undefined ? null : { key, order };
  }

  private focus({ key, order }: { key: string; order: string }): void {
    const line = this.drawn.get(key)?.line;
    if (line === undefined || line.contains(document.activeElement)) return;
    line.querySelector<HTMLElement>(`[data-order="${order}"]`)?.focus();
  }

  private async export(form: 'CSV' | 'JSON'): Promise<void> {
    const { name, columns, everything } = this.options;
    const rows = this.view(everything === undefined ? this.rows : await everything());
    const made = form === 'CSV' ? csv(rows, columns) : json(rows, columns);
    const address = URL.createObjectURL(new Blob([made], { type: form === 'CSV' ? 'text/csv' : 'application/json' }));
    h('a', { href: address, download: `zugzwang-${name}.${form.toLowerCase()}` }).click();
    // The download has begun by then.
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
    announce(`Exported ${rows.length} rows as ${form}`);
  }
}

/** Puts lines into a body in order, moving only those that stand elsewhere. */
function place(body: HTMLElement, lines: HTMLElement[]): void {
  const wanted = new Set<Node>(lines);
  for (const child of [...body.childNodes]) if (!wanted.has(child)) child.remove();
  lines.forEach((line, index) => {
    if (body.childNodes[index] !== line) body.insertBefore(line, body.childNodes[index] ?? null);
  });
}

function looks<R>(column: Column<R>): string {
  return [column.numeric ? 'num right' : column.long ? 'long' : '', column.minor ? 'minor' : ''].join(' ').trim();
}
