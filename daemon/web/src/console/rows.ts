//! What a table does with its rows: filter, sort, export. No page in here.

/** What a cell holds, for sorting, filtering and exports. Big integers are never made floats. */
export type Value = string | number | bigint | boolean | null;

/** A column of rows `R`. */
export interface Column<R> {
  /** Its name in exports. */
  key: string;
  /** Its head. */
  title: string;
  /** What a row has there. */
  value(row: R): Value;
  /** How that is shown; the value's own text if not given. */
  show?(row: R): Node | string;
  /** Whether it is set flush right, with figures of one width. */
  numeric?: boolean;
  /** Whether it may hold long texts, which are broken. */
  long?: boolean;
  /** Whether it is left out on a phone. */
  minor?: boolean;
  /** Whether a list of its values filters the table. */
  choices?: boolean;
}

/** What the table is narrowed to. */
export interface Filter {
  /** Words that a row must all hold, whatever the case. */
  text: string;
  /** Column → the only value that is shown. */
  choices: Map<string, string>;
}

/** By which column, and which way. */
export interface Order {
  key: string;
  down: boolean;
}

export function text(value: Value): string {
  return value === null ? '' : String(value);
}

/** The rows that a filter lets through. */
export function filtered<R>(rows: readonly R[], columns: readonly Column<R>[], filter: Filter): R[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter((word) => word !== '');
  return rows.filter((row) => {
    for (const column of columns) {
      const wanted = filter.choices.get(column.key);
      if (wanted !== undefined && text(column.value(row)) !== wanted) return false;
    }
    if (words.length === 0) return true;
    const all = columns.map((column) => text(column.value(row))).join('\n').toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

/** The rows in order; equal ones stay as they came, rows without a value come last either way. */
export function sorted<R>(rows: readonly R[], columns: readonly Column<R>[], order: Order | null): R[] {
  const column = columns.find((c) => c.key === order?.key);
  if (order === null || column === undefined) return [...rows];
  const way = order.down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [column.value(a), column.value(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return way * compare(x, y);
  });
}

function compare(a: Exclude<Value, null>, b: Exclude<Value, null>): number {
  if (typeof a !== 'string' && typeof b !== 'string') return a < b ? -1 : a > b ? 1 : 0;
  return String(a).localeCompare(String(b), 'en', { numeric: true });
}

/** The values of a column, each once, in order. */
export function choicesOf<R>(rows: readonly R[], column: Column<R>): string[] {
  return [...new Set(rows.map((row) => text(column.value(row))))].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

/** The rows as RFC 4180 has it, with a head. */
export function csv<R>(rows: readonly R[], columns: readonly Column<R>[]): string {
  const lines = rows.map((row) => columns.map((column) => csvField(column.value(row))));
  return [columns.map((column) => csvField(column.key)), ...lines].map((fields) => `${fields.join(',')}\r\n`).join('');
}

function csvField(value: Value): string {
  let field = text(value);
  // Words from a chain must not be formulas in somebody's spreadsheet.
  if (typeof value === 'string' && /^[=+\-@\t\r]/.test(field)) field = `'${field}`;
  return /[",\r\n]/.test(field) ? `"${field.replace(/"/g, '""')}"` : field;
}

/** The rows as a JSON array of objects, keys as in the CSV. */
export function json<R>(rows: readonly R[], columns: readonly Column<R>[]): string {
  const entries = rows.map((row) =>
    Object.fromEntries(
      columns.map((column) => {
        const value = column.value(row);
        return [column.key, typeof value === 'bigint' ? value.toString() : value];
      }),
    ),
  );
  return `${JSON.stringify(entries, null, 2)}\n`;
}
