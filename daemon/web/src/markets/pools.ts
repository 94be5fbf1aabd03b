//! Pools as bars.

import { h } from '../ui/dom';
import { coin } from '../ui/format';
import { multiple, share } from './odds';
import type { Market, Outcome } from './types';

/** What an outcome is called. */
export function nameOf(outcome: Pick<Outcome, 'class' | 'name'>): string {
  const name = outcome.name ?? `Outcome ${outcome.class}`;
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** One line for each outcome: name, share of all bets, amount, and what a coin on it would get. */
export function pools(market: Market): HTMLElement {
  const total = BigInt(market.total);
  const lines = market.outcomes.map((outcome) => {
    const pool = BigInt(outcome.pool);
    const part = share(pool, total);
    const times = multiple(pool, total);
    const won = market.state === 'decided' && market.answer?.class === outcome.class;
    const fillBar = h('span');
    fillBar.style.width = `${part * 100}%`;
    return h('li', { class: won ? 'pool won' : 'pool' },
      h('span', { class: 'pool-name' }, nameOf(outcome), won ? h('span', { class: 'tag good' }, 'Won') : null),
      h('span', { class: 'pool-share num' }, `${Math.round(part * 100)} %`),
      h('div', { class: 'bar', 'aria-hidden': 'true' }, fillBar),
      h('small', { class: 'pool-amount num' }, `${coin(pool)} ETH`),
      h('small', { class: 'pool-times num' }, times === null ? 'no bets' : `pays ${times.toFixed(2)}×`));
  });
  return h('ul', { class: 'pools' }, lines);
}

const STATES: Record<Market['state'], [string, string]> = {
  open: ['accent', 'Open'],
  closed: ['warn', 'Waits for its bulletin'],
  decided: ['good', 'Decided'],
  undecided: ['', 'Undecided'],
};

/** Where a market stands. */
export function stateTag(market: Market): HTMLElement {
  const [look, words] = market.state === 'closed' && market.bulletin !== null ? ['accent', 'Being decided'] : STATES[market.state];
  return h('span', { class: `tag ${look}` }, words);
}
