//! A game of the World: the board with the votes on it, the window, the network's answer, and the proofs.

import { follow } from '../api/client';
import type { Chain, Hex, Model, Progress, World, WorldSummary } from '../api/types';
import { Board, type Arrow } from '../board/board';
import { chainTime, saw } from '../chain/clock';
import { promotion } from '../board/promotion';
import { GameRecord, type Color, type Square } from '../chess/record';
import { spoken } from '../chess/words';
import { levelName } from '../play/levels';
import { MoveList } from '../play/moves';
import { Plate } from '../play/plate';
import { ProofPanel } from '../play/proof';
import { Thinking } from '../play/thinking';
import { fill, h, text } from '../ui/dom';
import { clock, coin, duration } from '../ui/format';
import { alert, announce, notice } from '../ui/live';
import { onWallet } from '../wallet/wallet';
import { StakeForm } from './form';
import { Votes } from './votes';

/** What the page works with. */
export interface WorldContext { chain: Chain; arena: Hex; models: Model[]; worlds: WorldSummary[] }

/** How many moves are drawn as arrows; all are in the bars. */
const ARROWS = 6;

export class WorldView {
  private readonly board: Board;
  private readonly plates = { top: new Plate(), bottom: new Plate() };
  private readonly status = h('p', { class: 'status', id: 'status', role: 'status' });
  private readonly line = h('span', { class: 'tag warn', hidden: true }, 'Reconnecting…');
  private readonly countdown = h('span', { class: 'countdown num' });
  private readonly windowBar = h('span', {});
  private readonly windowBox: HTMLElement;
  private readonly facts = h('dl', { class: 'facts' });
  private readonly thinking = new Thinking();
  private readonly votes = new Votes((uci) => this.pick(uci));
  private readonly form: StakeForm;
  private readonly list = new MoveList({ show: (plies) => this.browse(plies) });
  private readonly proof: ProofPanel;
  private world: World | null = null;
  private record = new GameRecord();
  private progress: Progress | null = null;
  private picked: string | null = null;
  private shown: number | null = null;
  private leader: string | null = null;
  private readonly mover = {
    color: 'w' as Color,
    targets: (from: Square) => this.record.moves(from).map((m) => m.to),
    moved: (from: Square, to: Square) => void this.choose(from, to),
    refused: (from: Square, to: Square) => alert(`${from} to ${to} is not allowed.`),
  };

  constructor(place: HTMLElement, private readonly context: WorldContext, private readonly id: string) {
    const base = `chains/${context.chain.chain_id}/worlds/${id}`;
    this.proof = new ProofPanel(context, base);
    this.form = new StakeForm(context.chain, context.arena, () => this.draw(), () => { this.picked = null; });
    this.windowBox = h('div', { class: 'window' }, h('div', { class: 'window-head' }, h('span', {}, 'Voting'), this.countdown), h('div', { class: 'bar' }, this.windowBar));
    const board = h('div', { class: 'board-place' });
    fill(place, h('div', { class: 'game world' },
      h('div', { class: 'board-col' }, this.plates.top.element, board, this.plates.bottom.element),
      h('div', { class: 'side' },
        h('section', { class: 'card', 'aria-label': 'State of the game' }, h('div', { class: 'status-row' }, this.status, this.line), this.windowBox, this.thinking.element),
        h('section', { class: 'card', 'aria-labelledby': 'votes-title' }, h('h2', { id: 'votes-title' }, 'Votes'), this.votes.element, this.form.element),
        h('section', { class: 'card move-card', 'aria-label': 'Moves' }, this.list.element),
        h('section', { class: 'card', 'aria-labelledby': 'rule' }, h('h2', { id: 'rule' }, 'The rule'), this.facts, this.rule(), this.others())),
      this.proof.element));
    this.board = new Board(board, 'Chess board: choose a move to stake on it');
    text(this.status, 'Reading the game…');
    onWallet(() => this.draw());
    setInterval(() => this.tick(), 250);
    follow(`${base}/stream`, {
      event: (name, data) => {
        if (name === 'progress') this.advance(data as Progress);
        else if (name === 'world' || name === 'game') this.update(data as World);
      },
      state: (open) => { this.line.hidden = open; },
      refused: (problem) => {
        if (problem.status === 404) fill(place, h('div', { class: 'card empty' }, `There is no game ${id} of the World.`));
        else notice(problem, 'world');
      },
    });
  }

  private rule(): HTMLElement {
    return h('details', {}, h('summary', {}, 'How it works'), h('ul', { class: 'plain' },
      h('li', {}, 'While the window is open, anybody stakes on a legal move. The move with the most behind it is played; of two with as much, the one that had it first.'),
      h('li', {}, 'A vote that changes the leader late puts the end off by up to an eighth of the window; it never lasts more than twice its length.'),
      h('li', {}, 'Stakes on moves that are not played go back. Stakes on played moves stay in play: if the World wins, they go back with the pot, in equal parts for each round, shared by stake; if the network wins, its host has them.'),
      h('li', {}, 'A window without a vote loses the game for the World.')));
  }

  private others(): HTMLElement | null {
    const rest = this.context.worlds.filter((world) => world.id !== this.id);
    return rest.length === 0 ? null : h('p', { class: 'soft' }, 'Other games: ', rest.slice(0, 8).map((world, i) => [i > 0 ? ', ' : '', h('a', { href: `/world?game=${world.id}` }, `${world.id}${world.outcome === null ? ' (runs)' : ''}`)]));
  }

  // ---------------------------------------------------------------- what is known

  private update(world: World): void {
    const before = this.world;
    for (const { at } of world.moves.slice(-1)) saw(at);
    const uci = world.moves.map((m) => m.uci);
    this.world = world;
    if (uci.join() !== this.record.played.map((p) => p.uci).join()) this.record = new GameRecord(uci);
    if (before === null) void this.board.turn(world.human_is_white ? 'w' : 'b').then(() => this.draw());
    else if (uci.length > before.moves.length) {
      const last = this.record.last;
      if (last !== null) announce(`${world.moves.at(-1)?.by === 'npc' ? 'The network plays' : 'The World plays'}: ${spoken(last.move)}.`);
      this.shown = null;
      this.picked = null;
    }
    if (world.npc !== null) this.progress = world.npc;
    const leader = this.tallies()[0]?.uci ?? null;
    if (leader !== null && leader !== this.leader && before !== null && before.ply === world.ply) announce(`${this.san(leader)} leads.`);
    this.leader = leader;
    if (world.outcome !== null && before !== null && before.outcome === null) alert(this.ending(world));
    this.draw();
  }

  private advance(progress: Progress): void {
    this.progress = progress;
    this.draw();
  }

  /** Votes of the open window, the heaviest first; the daemon's order decides between equal ones. */
  private tallies() {
    return [...(this.world?.votes ?? [])].sort((a, b) => Number(BigInt(b.weight) - BigInt(a.weight) > 0n) - Number(BigInt(a.weight) - BigInt(b.weight) > 0n));
  }

  private san(uci: string): string {
    return this.record.moves().find((m) => m.from + m.to + (m.promotion ?? '') === uci)?.san ?? uci;
  }

  // ---------------------------------------------------------------- choosing

  private async choose(from: Square, to: Square): Promise<void> {
    let uci: string = from + to;
    if (this.record.moves(from).some((m) => m.to === to && m.promotion !== undefined)) {
      const choice = await promotion(this.board, this.record.turn, to);
      if (choice === null) return this.board.restore(this.record.fen);
      uci += choice;
    }
    this.board.restore(this.record.fen);
    this.pick(uci);
  }

  private pick(uci: string): void {
    this.picked = this.record.allows(uci) ? uci : null;
    if (this.picked !== null) announce(`${this.san(uci)} is chosen. Set your stake, then confirm.`);
    this.draw();
  }

  private browse(plies: number): void {
    this.shown = plies >= this.record.plies ? null : plies;
    this.draw();
  }

  // ---------------------------------------------------------------- drawing

  private draw(): void {
    const world = this.world;
    if (world === null) return;
    const shown = this.shown === null ? this.record : this.record.upTo(this.shown);
    const last = shown.last;
    const tallies = this.tallies();
    this.board.show(shown.fen, {
      last: last === null ? null : [last.move.from, last.move.to],
      check: shown.check ? shown.king(shown.turn) : null,
      arrows: this.shown === null ? this.arrows(tallies) : [],
    });
    this.mover.color = world.human_is_white ? 'w' : 'b';
    const open = world.outcome === null && world.human_to_move && this.shown === null;
    this.board.enable(open ? this.mover : null);
    const model = this.context.models.find((m) => m.model_id.toLowerCase() === world.model_id.toLowerCase()) ?? null;
    const human: Color = world.human_is_white ? 'w' : 'b';
    for (const [side, color] of [['bottom', this.board.orientation], ['top', this.board.orientation === 'w' ? 'b' : 'w']] as const) {
      const plate = this.plates[side];
      if (color === human) plate.player(color, 'The World', 'everybody');
      else plate.player(color, levelName(model, world.model_id), model?.elo ? `network · Elo ${Math.round(model.elo)}` : 'network');
      plate.captured(shown, color);
      plate.time(null, false);
    }
    this.list.show(this.record, new Set(world.moves.filter((m) => m.by === 'npc').map((m) => m.ply)), this.shown ?? this.record.plies);
    const current = this.progress?.round === (world.human_to_move ? world.ply - 1 : world.ply);
    this.thinking.show(current && !this.record.mate && (world.outcome === null || this.progress?.phase === 'final') ? this.progress : null);
    this.votes.show(tallies, this.record, this.form.mine, this.picked, world.window !== null && chainTime() > world.window.closes);
    this.votes.element.hidden = world.outcome !== null || !world.human_to_move;
    this.form.show(world, this.record, this.picked);
    this.drawFacts(world);
    const plies = this.shown ?? this.record.plies;
    const ply = [plies - 1, plies - 2].find((p) => world.moves[p]?.by === 'npc') ?? null;
    void this.proof.show(world, this.record, ply);
    this.tick();
  }

  private arrows(tallies: World['votes']): Arrow[] {
    const most = BigInt(tallies[0]?.weight ?? '1') || 1n;
    const arrows: Arrow[] = tallies.slice(0, ARROWS).map(({ uci, weight }, place) => ({
      from: uci.slice(0, 2) as Square, to: uci.slice(2, 4) as Square, weight: Number((BigInt(weight) * 100n) / most) / 100,
      kind: uci === this.picked || this.form.mine.has(uci) ? 'mine' : place === 0 ? 'lead' : 'vote',
    }));
    if (this.picked !== null && !tallies.some((t) => t.uci === this.picked)) {
      arrows.push({ from: this.picked.slice(0, 2) as Square, to: this.picked.slice(2, 4) as Square, weight: 0.2, kind: 'mine' });
    }
    // The leader is drawn last, over the others.
    return arrows.reverse();
  }

  private drawFacts(world: World): void {
    const entries: [string, string][] = [
      ['Pot', `${coin(world.pot)} ETH`],
      ['In play', `${coin(world.in_play)} ETH`],
      ['Window', duration(world.window_s * 1000)],
      ['Last call', duration(world.last_call_s * 1000)],
      ['Rounds played', String(world.rounds)],
    ];
    fill(this.facts, entries.map(([name, value]) => [h('dt', {}, name), h('dd', { class: 'num' }, value)]));
  }

  private ending(world: World): string {
    if (world.outcome === 'draw') return 'Drawn. Stakes go back.';
    return world.outcome === 'human' ? 'The World has won. Stakes go back with the pot.' : "The network has won. The pot and the stakes in play are its host's.";
  }

  private tick(): void {
    const world = this.world;
    if (world === null) return;
    const now = chainTime();
    const { window } = world;
    const voting = world.outcome === null && world.human_to_move && window !== null;
    this.windowBox.hidden = !voting;
    if (voting) {
      const left = window.closes - now;
      text(this.countdown, left > 0 ? clock(left) : 'closed');
      this.windowBar.style.width = `${Math.min(100, Math.max(0, (left / Math.max(1, window.closes - window.opens)) * 100))}%`;
      this.windowBox.classList.toggle('low', left <= 10);
    }
    if (world.outcome !== null) text(this.status, this.ending(world));
    else if (this.record.mate) text(this.status, 'Checkmate. Claim it to end the game.');
    else if (!world.human_to_move) text(this.status, 'The network is to move.');
    else if (window !== null && now > window.closes) text(this.status, world.votes.length > 0 ? 'The window is over: the round can be closed.' : 'Nobody voted: the World loses on time.');
    else text(this.status, 'The World is to move.');
    this.form.draw();
  }
}
