//! The votes of the open window, as bars; each can be picked.

import type { Tally } from '../api/types';
import type { GameRecord } from '../chess/record';
import { fill, h } from '../ui/dom';
import { coin } from '../ui/format';

export class Votes {
  readonly element = h('div', { class: 'votes' });
  private readonly bars = new Map<string, { row: HTMLButtonElement; bar: HTMLElement; share: HTMLElement; weight: HTMLElement; note: HTMLElement }>();

  constructor(private readonly pick: (uci: string) => void) {}

  /** Shows tallies, the leader first; `mine` are the visitor's moves, `picked` the one in the form. */
  show(votes: Tally[], record: GameRecord, mine: Set<string>, picked: string | null, closed: boolean): void {
    const sum = votes.reduce((total, vote) => total + BigInt(vote.weight), 0n);
    const known = new Set(votes.map((vote) => vote.uci));
    for (const [uci, { row }] of this.bars) {
      if (!known.has(uci)) {
        row.remove();
        this.bars.delete(uci);
      }
    }
    if (votes.length === 0) {
      fill(this.element, h('p', { class: 'soft none' }, closed ? 'There were no votes in this window.' : 'No vote yet. The first one leads.'));
      return;
    }
    this.element.querySelector('.none')?.remove();
    const san = new Map(record.moves().map((m) => [m.from + m.to + (m.promotion ?? ''), m.san]));
    votes.forEach((vote, place) => {
      const parts = this.bars.get(vote.uci) ?? this.add(vote.uci);
      const share = sum === 0n ? 0 : Number((BigInt(vote.weight) * 1000n) / sum) / 10;
      const name = san.get(vote.uci) ?? vote.uci;
      const voters = `${vote.voters} ${vote.voters === 1 ? 'voter' : 'voters'}`;
      fill(parts.share, h('strong', {}, name), place === 0 ? h('span', { class: 'tag good' }, 'leads') : null, mine.has(vote.uci) ? h('span', { class: 'tag warn' }, 'yours') : null);
      fill(parts.weight, `${coin(vote.weight)} ETH`);
      fill(parts.note, `${share.toFixed(share < 10 ? 1 : 0)} % · ${voters}`);
      parts.bar.style.width = `${share}%`;
      parts.row.classList.toggle('lead', place === 0);
      parts.row.classList.toggle('mine', mine.has(vote.uci));
      parts.row.setAttribute('aria-pressed', String(picked === vote.uci));
      // Rows change places without being made anew, so that the focus stays.
      if (this.element.children[place] !== parts.row) this.element.insertBefore(parts.row, this.element.children[place] ?? null);
    });
  }

  private add(uci: string) {
    const bar = h('span', {});
    const share = h('span', { class: 'vote-name' });
    const weight = h('span', { class: 'num' });
    const note = h('small', { class: 'num' });
    const row = h('button', { class: 'vote', type: 'button', 'data-move': uci, onclick: () => this.pick(uci) },
      h('span', { class: 'vote-head' }, share, weight), h('span', { class: 'bar' }, bar), note);
    const parts = { row, bar, share, weight, note };
    this.bars.set(uci, parts);
    return parts;
  }
}
