//! One game: what the chain says of it, the visitor's move on its way, and all that shows them.

import { ChessArena } from '../abi/ChessArena';
import { follow } from '../api/client';
import type { Game, Progress } from '../api/types';
import { Board } from '../board/board';
import { chainTime, saw } from '../chain/clock';
import { promotion } from '../board/promotion';
import { moveWord } from '../chess/moves';
import { GameRecord, type Color, type Square } from '../chess/record';
import { spoken } from '../chess/words';
import { fill, h, text } from '../ui/dom';
import { coin, short } from '../ui/format';
import { alert, announce, clear, notice } from '../ui/live';
import { Plain, isRejection } from '../ui/trouble';
import { mined, onWallet, send, wallet } from '../wallet/wallet';
import { Actions } from './actions';
import { levelName } from './levels';
import type { Context } from './main';
import { MoveList } from './moves';
import { Plate } from './plate';
import { ProofPanel } from './proof';
import { Thinking } from './thinking';

/** The visitor's move that is not on the chain yet. */
interface Pending { uci: string; ply: number; stage: 'signing' | 'sent' }

/** Why a game ended, in words. */
const REASONS: Record<string, string> = {
  checkmate: 'by checkmate', stalemate: 'by stalemate', resignation: 'by resignation', timeout: 'on time', fifty_moves: 'by the fifty-move rule',
  threefold: 'by repetition', insufficient_material: 'by lack of material', seventy_five_moves: 'by the seventy-five-move rule', no_legal_choice: 'as the network ranked no legal move',
};

export class GameView {
  private readonly board: Board;
  private readonly plates = { top: new Plate(), bottom: new Plate() };
  private readonly status = h('p', { class: 'status', id: 'status', role: 'status' });
  private readonly line = h('span', { class: 'tag warn', hidden: true }, 'Reconnecting…');
  private readonly thinking = new Thinking();
  private readonly list = new MoveList({ show: (plies) => this.browse(plies) });
  private readonly actions: Actions;
  private readonly proof: ProofPanel;
  private readonly base: string;
  private readonly ends: (() => void)[] = [];
  private game: Game | null = null;
  private record = new GameRecord();
  private progress: Progress | null = null;
  private pending: Pending | null = null;
  /** Half-moves shown; null follows the game. */
  private shown: number | null = null;
  private closed = false;
  private readonly mover = {
    color: 'w' as Color,
    targets: (from: Square) => this.now().moves(from).map((m) => m.to),
    moved: (from: Square, to: Square) => void this.move(from, to),
    refused: (from: Square, to: Square) => alert(`${from} to ${to} is not allowed.`),
  };

  constructor(private readonly place: HTMLElement, private readonly context: Context, private readonly id: string, fresh: boolean) {
    this.base = `chains/${context.chain.chain_id}/games/${id}`;
    this.actions = new Actions(context);
    this.proof = new ProofPanel(context, this.base);
    const board = h('div', { class: 'board-place' });
    fill(place, h('h1', { class: 'visually-hidden' }, `Game ${id}`), h('div', { class: 'game' },
      h('div', { class: 'board-col' }, this.plates.top.element, board, this.plates.bottom.element),
      h('div', { class: 'side' },
        h('section', { class: 'card', 'aria-label': 'State of the game' }, h('div', { class: 'status-row' }, this.status, this.line), this.thinking.element, this.actions.element),
        h('section', { class: 'card move-card', 'aria-label': 'Moves' }, this.list.element)),
      this.proof.element));
    this.board = new Board(board, 'Chess board: arrow keys move, Enter chooses');
    text(this.status, 'Reading the game…');
    this.ends.push(onWallet(() => this.draw()), () => this.thinking.close());
    const timer = setInterval(() => this.tick(), 250);
    this.ends.push(() => clearInterval(timer));
    this.open(fresh ? 20 : 0);
  }

  close(): void {
    this.closed = true;
    for (const end of this.ends) end();
  }

  /** Follows the game. One that was made a moment ago may not be known yet: that is tried a few times. */
  private open(tries: number): void {
    const end = follow(`${this.base}/stream`, {
      event: (name, data) => {
        if (name === 'game') this.update(data as Game);
        else if (name === 'progress') this.advance(data as Progress);
      },
      state: (open) => { this.line.hidden = open; },
      refused: (problem) => {
        if (this.closed) return;
        if (problem.status === 404 && tries > 0) {
          const again = setTimeout(() => this.open(tries - 1), 500);
          this.ends.push(() => clearTimeout(again));
          return;
        }
        fill(this.place, h('div', { class: 'card empty' }, h('p', {}, problem.status === 404 ? `There is no game ${this.id}.` : problem.message),
          h('button', { class: 'button', type: 'button', onclick: () => this.context.pages.toLobby() }, 'Start a game')));
      },
    });
    this.ends.push(end);
  }

  // ---------------------------------------------------------------- what is known

  private update(game: Game): void {
    const before = this.game;
    for (const { at } of game.moves.slice(-1)) saw(at);
    const old = this.record;
    this.game = game;
    const uci = game.moves.map((m) => m.uci);
    const grown = old.plies <= uci.length && old.played.every((p, i) => p.uci === uci[i]);
    try {
      if (grown) for (const move of uci.slice(old.plies)) old.play(move);
      else this.record = new GameRecord(uci);
    } catch (error) {
      notice(new Plain('This page cannot follow the game.', error instanceof Error ? error.message : ''), 'game');
      return;
    }
    if (this.pending !== null && game.ply > this.pending.ply) this.pending = null;
    if (before === null) {
      void this.board.turn(game.human_is_white || !this.mine() ? 'w' : 'b').then(() => this.draw());
      this.shown = null;
    } else if (this.record.plies > before.moves.length) {
      this.tellMove(game);
      this.shown = null;
    }
    if (game.npc !== null) {
      // It may say of a step before the step's own event does.
      if (before !== null) this.tellStep(game.npc);
      this.progress = game.npc;
    }
    if (game.outcome !== null && before !== null && before.outcome === null) alert(this.ending(game));
    this.draw();
  }

  private advance(progress: Progress): void {
    this.tellStep(progress);
    this.progress = progress;
    this.draw();
  }

  /** Says each step of each answer once, whichever event brings it first. */
  private tellStep(progress: Progress): void {
    const known = this.progress;
    if (known !== null && known.round === progress.round && known.phase === progress.phase) return;
    const words: Partial<Record<Progress['phase'], string>> = {
      proving: 'The network proves its move.',
      proved: 'The proof is made.',
      submitted: 'The proof is on its way.',
    };
    const said = words[progress.phase];
    if (said !== undefined) announce(said);
  }

  private tellMove(game: Game): void {
    const last = this.record.last;
    const made = game.moves.at(-1);
    if (last === null || made === undefined) return;
    const who = made.by === 'npc' ? 'The network plays' : this.mine() ? 'Your move' : 'The human plays';
    announce(`${who}: ${spoken(last.move)}.`);
  }

  private mine(): boolean {
    const address = wallet()?.address.toLowerCase();
    return address !== undefined && address === this.game?.human.toLowerCase();
  }

  /** The game with the visitor's pending move. */
  private now(): GameRecord {
    if (this.pending === null || this.pending.ply !== this.record.plies) return this.record;
    const record = new GameRecord(this.record.played.map((p) => p.uci));
    record.play(this.pending.uci);
    return record;
  }

  // ---------------------------------------------------------------- the visitor's move

  private async move(from: Square, to: Square): Promise<void> {
    const game = this.game;
    if (game === null || this.pending !== null) return;
    const { chain, arena } = this.context;
    const options = this.record.moves(from).filter((m) => m.to === to);
    let uci: string = from + to;
    if (options.some((m) => m.promotion !== undefined)) {
      const choice = await promotion(this.board, this.record.turn, to);
      if (choice === null) return this.takeBack();
      uci += choice;
    }
    if (!this.record.allows(uci) || this.record.plies !== game.ply) return this.takeBack();
    clear('move');
    this.pending = { uci, ply: game.ply, stage: 'signing' };
    this.draw();
    try {
      const hash = await send(chain, arena, ChessArena, 'playHuman', [BigInt(game.id), BigInt(game.ply), moveWord(uci)]);
      if (this.pending !== null) this.pending.stage = 'sent';
      this.draw();
      await mined(chain, hash);
    } catch (error) {
      // A move that the chain has all the same is no trouble: the line was lost, not the move.
      if (this.pending === null) return;
      notice(error, 'move');
      if (isRejection(error)) announce('The move was taken back.');
      this.takeBack();
    }
  }

  private takeBack(): void {
    this.pending = null;
    this.board.restore(this.record.fen);
    this.draw();
  }

  private browse(plies: number): void {
    this.shown = plies >= this.record.plies ? null : plies;
    this.draw();
    const played = this.record.played[plies - 1];
    if (played !== undefined) announce(`${Math.ceil(plies / 2)}: ${spoken(played.move)}`);
  }

  // ---------------------------------------------------------------- drawing

  private draw(): void {
    const game = this.game;
    if (game === null || this.closed) return;
    const now = this.now();
    const shown = this.shown === null ? now : this.record.upTo(this.shown);
    const { last } = shown;
    this.board.show(shown.fen, {
      last: last === null ? null : [last.move.from, last.move.to],
      check: shown.check ? shown.king(shown.turn) : null,
    });
    const mine = this.mine();
    this.mover.color = game.human_is_white ? 'w' : 'b';
    const canMove = mine && game.outcome === null && game.human_to_move && this.pending === null && this.shown === null && !this.record.mate && !this.record.stalemate;
    this.board.enable(canMove ? this.mover : null);
    this.drawPlates(game, shown);
    const proven = new Set(game.moves.filter((m) => m.by === 'npc').map((m) => m.ply));
    this.list.show(now, proven, this.shown ?? now.plies);
    this.thinking.show(this.answer(game));
    this.drawStatus(game);
    this.actions.show(game, this.record);
    this.drawProof(game, proven);
  }

  /** How far the answer is that the position is about: the awaited one, or the one just given. */
  private answer(game: Game): Progress | null {
    const { progress } = this;
    if (progress === null || this.record.mate || progress.round !== (game.human_to_move ? game.ply - 1 : game.ply)) return null;
    return game.outcome === null || progress.phase === 'included' || progress.phase === 'final' ? progress : null;
  }

  private drawPlates(game: Game, shown: GameRecord): void {
    const model = this.context.models.find((m) => m.model_id.toLowerCase() === game.model_id.toLowerCase()) ?? null;
    const human: Color = game.human_is_white ? 'w' : 'b';
    for (const [side, color] of [['bottom', this.board.orientation], ['top', this.board.orientation === 'w' ? 'b' : 'w']] as const) {
      const plate = this.plates[side];
      if (color === human) plate.player(color, this.mine() ? 'You' : short(game.human), this.mine() ? short(game.human) : 'human');
      else plate.player(color, levelName(model, game.model_id), model?.elo ? `network · Elo ${Math.round(model.elo)}` : 'network');
      plate.captured(shown, color);
    }
  }

  private drawStatus(game: Game): void {
    const over = game.outcome !== null;
    this.status.classList.toggle('over', over);
    if (over) return text(this.status, this.ending(game));
    if (this.pending !== null) {
      return text(this.status, this.pending.stage === 'sent' ? 'Your move is on its way to the chain.' : wallet()?.kind === 'demo' ? 'Signing your move…' : 'Confirm your move in your wallet.');
    }
    const late = chainTime() > game.deadline;
    if (this.record.mate) text(this.status, game.human_to_move === this.mine() && this.mine() ? 'Checkmate: the network has won. Claim it to end the game.' : 'Checkmate! Claim it to end the game.');
    else if (late) text(this.status, 'The time for this move has run out.');
    else if (!game.human_to_move) text(this.status, 'The network is to move.');
    else if (this.mine()) text(this.status, this.record.check ? 'Check! It is your move.' : 'It is your move.');
    else text(this.status, 'The human is to move. You are watching.');
  }

  private ending(game: Game): string {
    const why = REASONS[game.reason ?? ''] ?? game.reason ?? '';
    const stake = BigInt(game.stake);
    const mine = this.mine();
    if (game.outcome === 'draw') return `Drawn ${why}.${stake > 0n ? ' Both stakes go back.' : ''}`;
    const won = game.outcome === 'human';
    const pay = stake > 0n ? ` ${coin(2n * stake)} ETH ${won ? (mine ? 'are yours to withdraw' : 'go to the human') : "go to the network's host"}.` : '';
    return `${won ? (mine ? 'You won' : 'The human won') : mine ? 'You lost' : 'The network won'} ${why}.${pay}`;
  }

  private drawProof(game: Game, proven: Set<number>): void {
    const plies = this.shown ?? this.record.plies;
    // Of a position after the human's move, the answer before it.
    const ply = [plies - 1, plies - 2].find((p) => proven.has(p)) ?? null;
    void this.proof.show(game, this.record, ply);
  }

  private tick(): void {
    const game = this.game;
    if (game === null) return;
    const left = game.deadline - chainTime();
    const running = game.outcome === null;
    const humanSide = (this.board.orientation === 'w') === game.human_is_white ? 'bottom' : 'top';
    for (const side of ['top', 'bottom'] as const) {
      const moves = (side === humanSide) === game.human_to_move;
      this.plates[side].time(running ? (moves ? Math.min(left, game.move_time_s) : game.move_time_s) : null, running && moves);
    }
    this.drawStatus(game);
    this.actions.draw();
  }
}
