//! All markets of a chain.

import type { Chain } from '../api/types';
import { fill, h } from '../ui/dom';
import { coin } from '../ui/format';
import { relative } from '../ui/refs';
import { pools, stateTag } from './pools';
import type { Market } from './types';

/** The address of a market's own page. */
export function addressOf(chain: Chain, market: Pick<Market, 'id' | 'contract'>): string {
  return `/markets?chain=${chain.chain_id}&contract=${market.contract}&market=${market.id}`;
}

/** Open markets first, then by number, the newest first. */
function inOrder(markets: readonly Market[]): Market[] {
  const rank = { open: 0, closed: 1, decided: 2, undecided: 2 };
  return [...markets].sort((a, b) => rank[a.state] - rank[b.state] || Number(BigInt(b.id) - BigInt(a.id)));
}

/** Draws the markets into a place. */
export function drawList(place: HTMLElement, chain: Chain, markets: readonly Market[]): void {
  if (markets.length === 0) {
    fill(place, h('p', { class: 'card empty' }, 'There is no market on this chain yet.'));
    return;
  }
  fill(place, h('ul', { class: 'cards' }, inOrder(markets).map((market) => h('li', { class: 'card market' },
    h('div', { class: 'market-head' },
      h('h2', {}, h('a', { class: 'cover', href: addressOf(chain, market) }, market.question)),
      stateTag(market)),
    pools(market),
    h('p', { class: 'market-foot soft' },
      h('span', {}, h('strong', { class: 'num' }, `${coin(market.total)} ETH`), ' in all'),
      h('span', {}, ...whenOf(market)))))));
}

function whenOf(market: Market): (string | Node)[] {
  if (market.state === 'open') return ['Bets close ', relative(market.close)];
  if (market.state === 'closed') return ['Expires ', relative(market.deadline)];
  if (market.state === 'undecided' || market.refunds) return ['Everybody gets their bets back'];
  return ['Decided by proof'];
}
