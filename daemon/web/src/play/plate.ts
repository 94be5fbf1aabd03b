//! A player's plate: name, captured pieces, clock.

import { pieceIcon } from '../board/pieces';
import type { Color, GameRecord } from '../chess/record';
import { fill, h, text } from '../ui/dom';
import { clock } from '../ui/format';

export class Plate {
  readonly element: HTMLElement;
  private readonly name = h('span', { class: 'plate-name' });
  private readonly taken = h('span', { class: 'taken' });
  private readonly clock = h('span', { class: 'plate-clock num' });
  private drawn = '';

  constructor() {
    this.element = h('div', { class: 'plate' }, h('div', { class: 'plate-who' }, this.name, this.taken), this.clock);
  }

  /** Who sits here. */
  player(color: Color, name: string, extra: string): void {
    fill(this.name, h('span', { class: `side-color ${color === 'w' ? 'white' : 'black'}`, role: 'img', 'aria-label': color === 'w' ? 'White' : 'Black' }), h('strong', {}, name), extra === '' ? null : h('small', {}, extra));
  }

  /** What this side has captured. */
  captured(record: GameRecord, color: Color): void {
    const pieces = record.captured(color);
    const ahead = color === 'w' ? record.balance : -record.balance;
    const key = `${color}${pieces.join('')}${ahead}`;
    if (key === this.drawn) return;
    this.drawn = key;
    const label = pieces.length === 0 ? 'nothing captured' : `captured: ${pieces.join(' ')}`;
    fill(this.taken, h('span', { class: 'visually-hidden' }, label), pieces.map((type) => pieceIcon(color === 'w' ? 'b' : 'w', type)), ahead > 0 ? h('span', { class: 'ahead num', 'aria-label': `${ahead} ahead` }, `+${ahead}`) : null);
  }

  /** Seconds that are left, and whether they run; `null` shows no clock. */
  time(seconds: number | null, runs: boolean): void {
    this.clock.hidden = seconds === null;
    if (seconds === null) return;
    text(this.clock, clock(seconds));
    this.clock.classList.toggle('runs', runs);
    this.clock.classList.toggle('low', runs && seconds <= 20);
    this.clock.setAttribute('aria-label', `${clock(seconds)} left for this move`);
  }
}
