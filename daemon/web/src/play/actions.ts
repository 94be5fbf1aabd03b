//! What a player can do besides moving: resign, claim, withdraw.

import { ChessArena } from '../abi/ChessArena';
import type { Game } from '../api/types';
import { chainTime } from '../chain/clock';
import type { GameRecord } from '../chess/record';
import { fill, h } from '../ui/dom';
import { coin } from '../ui/format';
import { announce, clear, notice } from '../ui/live';
import { mined, send, view, wallet } from '../wallet/wallet';
import type { Context } from './main';

/** One thing that can be done now. */
interface Action {
  id: string;
  label: string;
  kind: string;
  /** Asked before it is done. */
  confirm?: string;
  act(): Promise<`0x${string}`>;
  done: string;
}

export class Actions {
  readonly element = h('div', { class: 'game-actions' });
  private busy: string | null = null;
  private owed = 0n;
  private asked = '';
  private drawn = '';
  private last: { game: Game; record: GameRecord } | null = null;

  constructor(private readonly context: Context) {}

  /** Shows what can be done in this state. */
  show(game: Game, record: GameRecord): void {
    this.last = { game, record };
    void this.balance(game);
    this.draw();
  }

  /** What the arena owes the visitor; asked again when the game or the account has changed. */
  private async balance(game: Game): Promise<void> {
    const account = wallet()?.address ?? null;
    const key = `${account}|${game.outcome}`;
    if (key === this.asked) return;
    this.asked = key;
    try {
      this.owed = account === null ? 0n : await view(this.context.chain, this.context.arena, ChessArena, 'balanceOf', [account]);
    } catch {
      this.owed = 0n;
      this.asked = '';
    }
    this.draw();
  }

  private possible(): Action[] {
    if (this.last === null) return [];
    const { game, record } = this.last;
    const { chain, arena } = this.context;
    const id = BigInt(game.id);
    const account = wallet()?.address ?? null;
    const actions: Action[] = [];
    const add = (action: Action) => actions.push(action);
    const mine = account !== null && account.toLowerCase() === game.human.toLowerCase();
    if (game.outcome === null && account !== null) {
      const late = chainTime() > game.deadline;
      if (record.mate) add({ id: 'mate', label: 'Claim checkmate', kind: 'primary', act: () => send(chain, arena, ChessArena, 'claimMate', [id]), done: 'The game is over by checkmate.' });
      else if (record.stalemate) add({ id: 'stalemate', label: 'Claim stalemate', kind: 'primary', act: () => send(chain, arena, ChessArena, 'claimStalemate', [id]), done: 'The game is drawn by stalemate.' });
      else if (late) add({ id: 'timeout', label: game.human_to_move ? 'End the game on time' : 'Claim the win on time', kind: 'primary', act: () => send(chain, arena, ChessArena, 'claimTimeout', [id]), done: 'The game is over on time.' });
      if (record.insufficient || (mine && !late && !record.mate && record.quietPlies >= 100)) {
        add({ id: 'draw', label: record.insufficient ? 'Claim a draw: nobody can mate' : 'Claim a draw: fifty moves', kind: '', act: () => send(chain, arena, ChessArena, 'claimDraw', [id]), done: 'The game is drawn.' });
      }
      if (mine && !late && record.times >= 3) {
        const { start, pairs } = record.repetition(game.human_is_white);
        add({ id: 'threefold', label: 'Claim a draw: third time', kind: '', act: () => send(chain, arena, ChessArena, 'claimThreefold', [id, start, pairs]), done: 'The game is drawn by repetition.' });
      }
      if (mine && !record.mate) add({ id: 'resign', label: 'Resign', kind: 'danger', confirm: 'Resign this game?', act: () => send(chain, arena, ChessArena, 'resign', [id]), done: 'You resigned.' });
    }
    if (this.owed > 0n && account !== null) {
      const amount = this.owed;
      add({ id: 'withdraw', label: `Withdraw ${coin(amount)} ETH`, kind: game.outcome === null ? '' : 'primary', act: () => send(chain, arena, ChessArena, 'withdraw', [account, amount]), done: `${coin(amount)} ETH are yours.` });
    }
    return actions;
  }

  /** Draws again only what changed, so that a button isn't replaced under a finger. */
  draw(): void {
    const actions = this.possible();
    const over = this.last !== null && this.last.game.outcome !== null;
    const key = `${actions.map((a) => a.id + a.label).join()}|${this.busy}|${over}`;
    if (key === this.drawn) return;
    this.drawn = key;
    const focused = this.element.contains(document.activeElement) ? document.activeElement?.id : null;
    fill(this.element,
      actions.map((action) => h('button', { class: `button small ${action.kind}`, type: 'button', id: `do-${action.id}`, disabled: this.busy !== null, onclick: () => void this.run(action) },
        this.busy === action.id ? 'Waiting…' : action.label)),
      over ? h('button', { class: 'button small', type: 'button', id: 'new-game-button', onclick: () => this.context.pages.toLobby() }, 'New game') : null);
    if (focused) document.getElementById(focused)?.focus();
  }

  private async run(action: Action): Promise<void> {
    if (action.confirm !== undefined && !(await sure(action.confirm, action.label))) return;
    clear('action');
    this.busy = action.id;
    this.draw();
    try {
      await mined(this.context.chain, await action.act());
      announce(action.done);
    } catch (error) {
      notice(error, 'action');
    }
    this.busy = null;
    this.asked = '';
    if (this.last !== null) await this.balance(this.last.game);
    this.draw();
  }
}

/** Asks before what can't be undone. */
function sure(question: string, yes: string): Promise<boolean> {
  return new Promise((done) => {
    const box = h('dialog', { class: 'dialog', 'aria-label': question },
      h('h2', {}, question), h('p', { class: 'soft' }, 'The network wins, and the stakes are its host’s.'),
      h('div', { class: 'actions' },
        h('button', { class: 'button', type: 'button', onclick: () => box.close('no') }, 'Play on'),
        h('button', { class: 'button danger', type: 'button', id: 'sure', onclick: () => box.close('yes') }, yes)));
    box.addEventListener('close', () => {
      box.remove();
      done(box.returnValue === 'yes');
    });
    document.body.append(box);
    box.showModal();
  });
}
