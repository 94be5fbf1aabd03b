//! The visitor's own part of a market: betting, claiming, withdrawing.

import { parseEther } from 'viem';
import { PredictionMarket } from '../abi/PredictionMarket';
import type { Chain, Hex } from '../api/types';
import { fill, h, text } from '../ui/dom';
import { coin } from '../ui/format';
import { announce, clear, notice } from '../ui/live';
import { mined, onWallet, send, view, wallet } from '../wallet/wallet';
import { payout } from './odds';
import { nameOf } from './pools';
import type { Market } from './types';

/** What an account has in a market. */
interface Position {
  /** In the order of the outcomes, in wei. */
  bets: bigint[];
  /** What it can withdraw from the contract, from all markets. */
  balance: bigint;
}

/** The panel; `update` is called with each new state of the market. */
export class Bets {
  readonly node = h('section', { class: 'card stack', 'aria-labelledby': 'bets-title' });

  private market: Market;
  private position: Position | null = null;
  private busy = false;
  private readonly place = h('div', { class: 'stack' });
  private chosen: number | null = null;
  private readonly amount = h('input', { type: 'text', inputmode: 'decimal', id: 'bet-amount', autocomplete: 'off', value: '0.1', oninput: () => this.tell() });
  private readonly promise = h('p', { class: 'soft num', id: 'bet-promise' });
  private drawn = '';

  constructor(private readonly chain: Chain, market: Market) {
    this.market = market;
    fill(this.node, h('h2', { id: 'bets-title' }, 'Your bets'), this.place);
    onWallet(() => {
      this.position = null;
      this.draw();
      void this.read();
    });
  }

  update(market: Market): void {
    const pools = (m: Market) => `${m.state} ${m.total}`;
    const changed = pools(market) !== pools(this.market);
    this.market = market;
    this.draw();
    if (changed) void this.read();
  }

  private get contract(): Hex {
    return this.market.contract;
  }

  private async read(): Promise<void> {
    const address = wallet()?.address;
    if (address === undefined) return;
    const id = BigInt(this.market.id);
    try {
      const bets = this.market.outcomes.map((outcome) =>
        view(this.chain, this.contract, PredictionMarket, 'betOf', [id, address, BigInt(outcome.class)]));
      const balance = view(this.chain, this.contract, PredictionMarket, 'balanceOf', [address]);
      this.position = { bets: await Promise.all(bets), balance: await balance };
      clear('position');
    } catch (error) {
      notice(error, 'position');
    }
    if (wallet()?.address === address) this.draw();
  }

  /** What a claim would give now. */
  private due(): bigint {
    if (this.position === null || this.market.state === 'open' || this.market.state === 'closed') return 0n;
    if (this.market.refunds) return this.position.bets.reduce((sum, bet) => sum + bet, 0n);
    const index = this.market.outcomes.findIndex((outcome) => outcome.class === this.market.answer?.class);
    const pool = BigInt(this.market.outcomes[index]?.pool ?? 0);
    const bet = this.position.bets[index] ?? 0n;
    return pool === 0n ? 0n : (bet * BigInt(this.market.total)) / pool;
  }

  /** Draws what is there anew, unless it would look the same: what is being typed stays. */
  private draw(): void {
    const looks = JSON.stringify([this.market.state, this.market.total, wallet()?.address, this.busy], null) + String(this.position?.bets) + String(this.position?.balance);
    if (looks === this.drawn) return;
    this.drawn = looks;
    const focused = document.activeElement instanceof HTMLElement && this.place.contains(document.activeElement) ? document.activeElement.id : '';
    fill(this.place, this.held(), this.market.state === 'open' ? this.form() : null, this.claims());
    if (focused !== '') document.getElementById(focused)?.focus();
  }

  private held(): Node {
    if (wallet() === null) return h('p', { class: 'soft' }, 'Connect a wallet to bet, or to see what you have bet.');
    if (this.position === null) return h('p', { class: 'soft' }, 'Reading your bets…');
    const lines = this.market.outcomes.flatMap((outcome, index) => {
      const bet = this.position?.bets[index] ?? 0n;
      return bet === 0n ? [] : [h('dt', {}, nameOf(outcome)), h('dd', { class: 'num right' }, `${coin(bet)} ETH`)];
    });
    return lines.length === 0 ? h('p', { class: 'soft' }, 'You have nothing in this market.') : h('dl', { class: 'facts' }, lines);
  }

  private form(): Node {
    const options = this.market.outcomes.map((outcome) => h('label', {},
      h('input', { type: 'radio', name: 'outcome', id: `outcome-${outcome.class}`, value: outcome.class, checked: this.chosen === outcome.class, onchange: () => { this.chosen = outcome.class; this.tell(); } }),
      h('span', {}, nameOf(outcome))));
    const button = h('button', { class: 'button primary wide', type: 'submit', disabled: this.busy || wallet() === null }, this.busy ? 'Sending…' : 'Bet');
    const form = h('form', { class: 'stack', onsubmit: (event) => { event.preventDefault(); void this.bet(); } },
      h('fieldset', {}, h('legend', { class: 'legend' }, 'Outcome'), h('div', { class: 'segments' }, options)),
      h('div', { class: 'field' }, h('label', { for: 'bet-amount' }, 'Amount in ETH'), this.amount),
      this.promise,
      button);
    this.tell();
    return form;
  }

  private wei(): bigint | null {
    const value = this.amount.value.trim().replace(',', '.');
    if (!/^\d{1,9}(\.\d{1,18})?$/.test(value)) return null;
    const wei = parseEther(value);
    return wei === 0n ? null : wei;
  }

  private tell(): void {
    const wei = this.wei();
    const outcome = this.market.outcomes.find((o) => o.class === this.chosen);
    this.amount.setAttribute('aria-invalid', String(wei === null));
    if (wei === null) text(this.promise, 'Type an amount such as 0.25.');
    else if (outcome === undefined) text(this.promise, 'Choose an outcome.');
    else {
      const back = payout(wei, BigInt(outcome.pool), BigInt(this.market.total));
      text(this.promise, `If ${nameOf(outcome)} wins and nobody bets any more, you get ${coin(back)} ETH.`);
    }
  }

  private async bet(): Promise<void> {
    const [wei, outcome] = [this.wei(), this.chosen];
    if (wei === null || outcome === null) {
      announce(this.promise.textContent ?? '');
      (wei === null ? this.amount : document.getElementById(`outcome-${this.market.outcomes[0]?.class}`))?.focus();
      return;
    }
    await this.order(`You bet ${coin(wei)} ETH`, () => send(this.chain, this.contract, PredictionMarket, 'bet', [BigInt(this.market.id), outcome], wei));
  }

  private claims(): Node | null {
    if (this.position === null) return null;
    const [due, { balance }] = [this.due(), this.position];
    if (due === 0n && balance === 0n) return null;
    const to = wallet()?.address;
    return h('div', { class: 'stack' },
      due === 0n ? null : h('button', { class: 'button primary wide', type: 'button', id: 'claim', disabled: this.busy, onclick: () =>
        void this.order(`You claimed ${coin(due)} ETH`, () => send(this.chain, this.contract, PredictionMarket, 'claim', [BigInt(this.market.id)])) },
      `${this.market.refunds ? 'Take back' : 'Claim'} ${coin(due)} ETH`),
      balance === 0n || to === undefined ? null : h('button', { class: 'button wide', type: 'button', id: 'withdraw', disabled: this.busy, onclick: () =>
        void this.order(`You withdrew ${coin(balance)} ETH`, () => send(this.chain, this.contract, PredictionMarket, 'withdraw', [to, balance])) },
      `Withdraw ${coin(balance)} ETH`));
  }

  /** Sends something, waits until it is mined, and says so. */
  private async order(done: string, act: () => Promise<Hex>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.draw();
    try {
      await mined(this.chain, await act());
      clear('bet');
      announce(done);
    } catch (error) {
      notice(error, 'bet');
    }
    this.busy = false;
    await this.read();
    this.draw();
  }
}
