//! The list of moves, and going back and forth in it.

import type { GameRecord } from '../chess/record';
import { fill, h } from '../ui/dom';
import { icon } from '../ui/icons';

export interface MoveListEvents {
  /** Show the position after this many half-moves. */
  show(plies: number): void;
}

export class MoveList {
  readonly element: HTMLElement;
  private readonly list = h('ol', { class: 'moves', 'aria-label': 'Moves' });
  private readonly buttons: HTMLButtonElement[];
  private shown = 0;
  private total = 0;
  private drawn = '';

  constructor(private readonly events: MoveListEvents) {
    const button = (label: string, mark: Parameters<typeof icon>[0], to: () => number) =>
      h('button', { class: 'button quiet icon', type: 'button', 'aria-label': label, onclick: () => this.events.show(to()) }, icon(mark));
    this.buttons = [
      button('First position', 'first', () => 0),
      button('Back one move', 'back', () => Math.max(0, this.shown - 1)),
      button('Forward one move', 'forward', () => Math.min(this.total, this.shown + 1)),
      button('Last position', 'last', () => this.total),
    ];
    this.element = h('div', { class: 'move-list' }, this.list, h('div', { class: 'move-nav' }, this.buttons));
  }

  /** Shows a game's moves; `proven` are the plies of the network, `shown` is the position on the board. */
  show(record: GameRecord, proven: Set<number>, shown: number): void {
    const key = `${record.played.map((p) => p.uci).join()}|${[...proven].join()}|${shown}`;
    if (key === this.drawn) return;
    this.drawn = key;
    this.shown = shown;
    this.total = record.plies;
    const rows: HTMLElement[] = [];
    for (let ply = 0; ply < record.plies; ply += 2) {
      rows.push(h('li', {}, h('span', { class: 'number num' }, `${ply / 2 + 1}.`), this.cell(record, proven, ply), this.cell(record, proven, ply + 1)));
    }
    fill(this.list, rows.length === 0 ? h('li', { class: 'soft none' }, 'No move yet.') : rows);
    this.buttons.forEach((button, i) => { button.disabled = i < 2 ? shown === 0 : shown >= record.plies; });
    const current = this.list.querySelector<HTMLElement>('[aria-current]');
    // Only the list scrolls: scrollIntoView would move the page under a finger.
    if (current !== null) {
      const row = current.parentElement ?? current;
      if (row.offsetTop < this.list.scrollTop || row.offsetTop + row.offsetHeight > this.list.scrollTop + this.list.clientHeight) {
        this.list.scrollTop = row.offsetTop - this.list.clientHeight / 2;
      }
    }
  }

  private cell(record: GameRecord, proven: Set<number>, ply: number): HTMLElement {
    const played = record.played[ply];
    if (played === undefined) return h('span', {});
    const isProven = proven.has(ply);
    return h('button', { class: 'move', type: 'button', 'data-ply': ply, 'aria-current': this.shown === ply + 1 ? 'true' : null, onclick: () => this.events.show(ply + 1) },
      played.san, isProven ? h('span', { class: 'proven', title: 'proven' }, '✓', h('span', { class: 'visually-hidden' }, ' proven')) : null);
  }
}
