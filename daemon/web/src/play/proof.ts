//! The panel of one move's proof: model, ranking, public inputs, gas, transaction, and checking it again.

import { api } from '../api/client';
import type { Chain, Hex, Model, MoveProof, PlayedMove } from '../api/types';
import { choices } from '../chess/moves';
import { seen } from '../chess/encode';
import type { GameRecord } from '../chess/record';
import { verify, type Check } from '../chess/verify';
import { fill, h } from '../ui/dom';
import { count } from '../ui/format';
import { announce } from '../ui/live';
import { reference, transaction } from '../ui/refs';
import { describe } from '../ui/trouble';
import { levelName } from './levels';

const INPUTS: [string, string][] = [
  ['request_hi', 'upper half of the hash of chain, arena, game, ply and submitter'],
  ['request_lo', 'lower half of it'],
  ['ranking', 'the 16 first moves, 13 bits each'],
  ['board_lo', 'squares a1 to h4, four bits each'],
  ['board_hi', 'squares a5 to h8'],
  ['rights_a', 'castling rights: own king side, own queen side, their king side'],
  ['rights_b', 'their queen side, and the file of a legal en-passant capture'],
];

/** What a game must say of itself for its proofs to be shown: games of one human, and the World's. */
export interface Provable { id: string; arena: Hex; verifier: Hex; model_id: Hex; moves: PlayedMove[] }

export class ProofPanel {
  readonly element = h('section', { class: 'card proof', 'aria-labelledby': 'proof-title', hidden: true });
  private shown: string | null = null;

  constructor(private readonly context: { chain: Chain; models: Model[] }, private readonly base: string) {}

  /** Shows the proof of a half-move; `null` hides the panel. `settled` is whether its transaction is in a block. */
  async show(game: Provable, record: GameRecord, ply: number | null): Promise<void> {
    const played = ply === null ? undefined : game.moves[ply];
    const key = played === undefined ? null : `${ply}|${played.tx}`;
    if (key === this.shown) return;
    this.shown = key;
    this.element.hidden = played === undefined;
    if (ply === null || played === undefined) return;
    const san = record.played[ply]?.san ?? played.uci;
    const title = h('h2', { id: 'proof-title' }, `Proof of ${Math.floor(ply / 2) + 1}${ply % 2 === 0 ? '.' : '…'} ${san}`);
    fill(this.element, title, h('p', { class: 'soft' }, 'Reading it from the chain…'));
    try {
      const proof = await api<MoveProof>(`${this.base}/moves/${ply}/proof`);
      if (this.shown === key) this.draw(title, game, record, ply, played.uci, proof);
    } catch (error) {
      if (this.shown !== key) return;
      const { title: what, detail } = describe(error);
      this.shown = null;
      fill(this.element, title, h('p', {}, `${what} ${detail}`),
        h('button', { class: 'button small', type: 'button', onclick: () => void this.show(game, record, ply) }, 'Try again'));
    }
  }

  private draw(title: HTMLElement, game: Provable, record: GameRecord, ply: number, uci: string, proof: MoveProof): void {
    const { chain, models } = this.context;
    const before = record.upTo(ply);
    const model = models.find((m) => m.model_id.toLowerCase() === proof.model_id.toLowerCase()) ?? null;
    const facts = h('dl', { class: 'facts' },
      h('dt', {}, 'Model'), h('dd', {}, `${levelName(model, proof.model_id)} `, reference(proof.model_id, 'model id')),
      h('dt', {}, 'Verifier'), h('dd', {}, reference(proof.verifier, 'verifier')),
      h('dt', {}, 'Proof'), h('dd', {}, `${count((proof.proof.length - 2) / 2)} bytes`),
      h('dt', {}, 'Gas'), h('dd', { class: 'num' }, count(BigInt(proof.gas_used))),
      h('dt', {}, 'Transaction'), h('dd', {}, transaction(chain, proof.tx)),
      h('dt', {}, 'Block'), h('dd', { class: 'num' }, count(proof.block)),
      h('dt', {}, 'Submitter'), h('dd', {}, reference(proof.submitter, 'submitter')));
    fill(this.element, title, h('div', { class: 'proof-parts' },
      h('div', {}, facts),
      h('div', {}, h('h3', {}, "The network's ranking"), this.ranking(before, proof, uci)),
      h('div', { class: 'inputs' }, h('h3', {}, 'Public inputs'), h('div', { class: 'table-scroll', tabindex: 0, role: 'region', 'aria-label': 'Public inputs' }, h('table', {},
        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Name'), h('th', { scope: 'col' }, 'Value'))),
        h('tbody', {}, proof.instances.map((word, i) => h('tr', {},
          h('th', { scope: 'row', title: INPUTS[i]?.[1] ?? '' }, INPUTS[i]?.[0] ?? String(i)),
          h('td', { class: 'mono word' }, `0x${BigInt(word).toString(16)}`)))))))),
    this.checking(game, before, ply, uci, proof));
  }

  private ranking(before: GameRecord, proof: MoveProof, uci: string): HTMLElement {
    // Decoded here from the public input; which of the moves are legal is chess.js's word.
    const listed = choices(seen(before.fen), BigInt(proof.instances[2] ?? '0x0'));
    const legal = new Map(before.moves().map((m) => [m.from + m.to + (m.promotion ?? ''), m.san]));
    let found = false;
    return h('ol', { class: 'ranking' }, listed.map(({ place, uci: move, index }) => {
      const san = move === null ? undefined : legal.get(move);
      const played = !found && san !== undefined && move === uci;
      found ||= played;
      const note = san === undefined ? 'not legal' : played ? 'played' : '';
      return h('li', { class: played ? 'played' : san === undefined ? 'illegal' : '', title: `index ${index}` },
        h('span', { class: 'place num' }, String(place + 1)), h('span', { class: 'choice-move' }, san ?? move ?? '—'), note === '' ? null : h('span', { class: 'note' }, note));
    }));
  }

  private checking(game: Provable, before: GameRecord, ply: number, uci: string, proof: MoveProof): HTMLElement {
    const list = h('ul', { class: 'checks', 'aria-label': 'Checks made in this page' });
    const verdict = h('p', { class: 'verdict', role: 'status' });
    const button = h('button', { class: 'button primary', type: 'button', id: 'verify', onclick: () => void run() }, 'Verify it yourself');
    const row = ({ id, title, ok, detail }: Check) => list.append(h('li', { class: ok ? 'ok' : 'bad', 'data-check': id },
      h('span', { class: 'mark', 'aria-hidden': 'true' }, ok ? '✓' : '✗'),
      h('span', {}, h('span', { class: 'visually-hidden' }, ok ? 'Holds: ' : 'Fails: '), title, h('small', { class: 'wrap' }, detail))));
    const run = async () => {
      button.disabled = true;
      list.replaceChildren();
      fill(verdict, 'Checking…');
      verdict.className = 'verdict';
      try {
        const { chain } = this.context;
        const ok = await verify({
          chain, arena: game.arena, game: BigInt(game.id), ply, before, uci, verifier: game.verifier, modelId: game.model_id, proof,
        }, row);
        verdict.className = `verdict ${ok ? 'good' : 'bad'}`;
        fill(verdict, ok ? 'Every check holds.' : 'A check fails. Do not trust this move.');
        announce(ok ? 'Every check holds.' : 'A check fails.');
      } catch (error) {
        const { title, detail } = describe(error);
        fill(verdict, `Not finished: ${title} ${detail}`);
      }
      button.disabled = false;
      fill(button, 'Verify again');
    };
    return h('div', { class: 'verify' }, h('div', { class: 'verify-head' }, button, verdict), list);
  }
}
