//! What a visitor can do in a game of the World: stake on a move, close a round, claim, withdraw.

import { parseEther } from 'viem';
import { WorldArena } from '../abi/WorldArena';
import type { Chain, Hex, World } from '../api/types';
import { chainTime } from '../chain/clock';
import { moveWord } from '../chess/moves';
import type { GameRecord } from '../chess/record';
import { fill, h } from '../ui/dom';
import { coin } from '../ui/format';
import { announce, clear, notice } from '../ui/live';
import { Plain } from '../ui/trouble';
import { choose } from '../wallet/button';
import { isDemo } from '../wallet/demo';
import { connectDemo, mined, send, view, wallet } from '../wallet/wallet';
import { asArgument, due, remember, stakes, uciOf, type Stake } from './stakes';

export class StakeForm {
  readonly element = h('div', { class: 'stake-form' });
  /** The visitor's moves in the present window. */
  mine = new Set<string>();
  private readonly amount = h('input', { type: 'text', inputmode: 'decimal', id: 'amount', autocomplete: 'off', 'aria-describedby': 'least' });
  private picked: string | null = null;
  private busy: string | null = null;
  private claimable: { amount: bigint; votes: Stake[] } = { amount: 0n, votes: [] };
  private owed = 0n;
  private asked = '';
  private drawn = '';
  private world: World | null = null;
  private record: GameRecord | null = null;

  constructor(private readonly chain: Chain, private readonly arena: Hex, private readonly changed: () => void, private readonly voted: () => void) {}

  /** Shows what can be done; `picked` is the move on the board. */
  show(world: World, record: GameRecord, picked: string | null): void {
    if (this.world === null) this.amount.value = coin(world.least_stake).replace(/[^\d.]/g, '');
    this.world = world;
    this.record = record;
    this.picked = picked;
    void this.money();
    this.draw();
  }

  /** Reads what is the visitor's: once for each state of the game, and after what they did. */
  private async money(): Promise<void> {
    const { world, chain, arena } = this;
    const account = wallet()?.address ?? null;
    if (world === null) return;
    const key = `${account}|${world.ply}|${world.outcome}`;
    if (key === this.asked) return;
    this.asked = key;
    this.mine = new Set();
    this.claimable = { amount: 0n, votes: [] };
    this.owed = 0n;
    if (account !== null) {
      try {
        const game = BigInt(world.id);
        const [all, claimable, owed] = await Promise.all([
          stakes(chain, arena, game, account), due(chain, arena, game, account), view(chain, arena, WorldArena, 'balanceOf', [account]),
        ]);
        if (key !== this.asked) return;
        this.mine = new Set(all.filter((s) => s.ply === world.ply).map((s) => uciOf(s.move)));
        this.claimable = claimable;
        this.owed = owed;
      } catch (error) {
        notice(error, 'world-money');
      }
    }
    this.draw();
    this.changed();
  }

  /** Draws what has changed; called each second too, as windows close by the clock. */
  draw(): void {
    const { world, record } = this;
    if (world === null || record === null) return;
    const now = chainTime();
    const open = world.outcome === null && world.human_to_move && world.window !== null && now <= world.window.closes && !record.mate && !record.stalemate;
    const closing = world.outcome === null && world.human_to_move && world.window !== null && now > world.window.closes;
    const account = wallet();
    const key = [open, closing, account?.address, this.picked, this.busy, this.claimable.amount, this.owed, world.votes.length > 0, world.outcome, record.mate, record.stalemate, world.human_to_move, now > world.deadline].join('|');
    if (key === this.drawn) return;
    this.drawn = key;
    const focused = this.element.contains(document.activeElement) ? document.activeElement?.id : null;
    fill(this.element, open ? this.voting(world, record) : null, this.orders(world, record, closing, now));
    if (focused) document.getElementById(focused)?.focus();
  }

  private voting(world: World, record: GameRecord): HTMLElement {
    const san = this.picked === null ? null : record.moves().find((m) => m.from + m.to + (m.promotion ?? '') === this.picked)?.san ?? this.picked;
    const account = wallet();
    const ready = this.picked !== null && this.busy === null;
    return h('form', { class: 'vote-form', onsubmit: (event) => { event.preventDefault(); void this.vote(); } },
      h('p', { class: 'soft' }, san === null ? 'Make a move on the board, or pick one above, to stake on it.' : ['Your choice: ', h('strong', { class: 'picked' }, san)]),
      h('div', { class: 'vote-row' },
        h('label', { class: 'field' }, h('span', {}, 'Stake, in ETH'), this.amount),
        h('button', { class: 'button primary', type: 'submit', id: 'vote', disabled: !ready },
          this.busy === 'vote' ? 'Waiting…' : account === null && !isDemo(this.chain) ? 'Connect to stake' : san === null ? 'Stake' : `Stake on ${san}`)),
      h('small', { id: 'least' }, `At least ${coin(world.least_stake)} ETH. It can be added to, and not taken back before the window closes.`));
  }

  private orders(world: World, record: GameRecord, closing: boolean, now: number): HTMLElement {
    const { chain, arena } = this;
    const id = BigInt(world.id);
    const account = wallet();
    const button = (name: string, label: string, kind: string, act: () => Promise<Hex>, done: string) =>
      h('button', { class: `button small ${kind}`, type: 'button', id: `do-${name}`, disabled: this.busy !== null, onclick: () => void this.run(name, act, done) }, this.busy === name ? 'Waiting…' : label);
    const buttons: HTMLElement[] = [];
    if (world.outcome === null && account !== null) {
      if (record.mate) buttons.push(button('mate', 'Claim checkmate', 'primary', () => send(chain, arena, WorldArena, 'claimMate', [id]), 'The game is over by checkmate.'));
      else if (record.stalemate) buttons.push(button('stalemate', 'Claim stalemate', 'primary', () => send(chain, arena, WorldArena, 'claimStalemate', [id]), 'The game is drawn by stalemate.'));
      else if (closing && world.votes.length > 0) buttons.push(button('close', 'Close the round', 'primary', () => send(chain, arena, WorldArena, 'closeRound', [id, BigInt(world.ply)]), 'The round is closed, and its move is played.'));
      else if (closing || (!world.human_to_move && now > world.deadline)) buttons.push(button('timeout', 'End the game on time', '', () => send(chain, arena, WorldArena, 'claimTimeout', [id]), 'The game is over on time.'));
    }
    if (account !== null && this.claimable.amount > 0n) {
      buttons.push(button('claim', `Claim ${coin(this.claimable.amount)} ETH`, 'primary', () => send(chain, arena, WorldArena, 'claim', [id, asArgument(this.claimable.votes)]), 'Your stakes are credited to you.'));
    }
    if (account !== null && this.owed > 0n) {
      buttons.push(button('withdraw', `Withdraw ${coin(this.owed)} ETH`, 'primary', () => send(chain, arena, WorldArena, 'withdraw', [account.address, this.owed]), 'The money is in your account.'));
    }
    return h('div', { class: 'game-actions' }, buttons);
  }

  private async vote(): Promise<void> {
    const { world, chain, arena, picked } = this;
    if (world === null || picked === null) return;
    if (wallet() === null && !isDemo(chain)) return choose();
    await this.run('vote', async () => {
      let value: bigint;
      try {
        value = parseEther(this.amount.value.trim().replace(',', '.'));
      } catch {
        throw new Plain('The stake is no number.', 'Write it as 0.01, for example.');
      }
      if (value < BigInt(world.least_stake)) throw new Plain('The stake is too small.', `At least ${coin(world.least_stake)} ETH are asked for.`);
      const account = wallet() ?? (await connectDemo(chain));
      const hash = await send(chain, arena, WorldArena, 'vote', [BigInt(world.id), BigInt(world.ply), moveWord(picked)], value);
      remember(arena, BigInt(world.id), account.address, { ply: world.ply, move: moveWord(picked) });
      this.voted();
      return hash;
    }, 'Your stake is behind the move.');
  }

  private async run(name: string, act: () => Promise<Hex>, done: string): Promise<void> {
    clear('world');
    this.busy = name;
    this.draw();
    try {
      await mined(this.chain, await act());
      announce(done);
    } catch (error) {
      notice(error, 'world');
    }
    this.busy = null;
    this.asked = '';
    await this.money();
    this.draw();
  }
}
