//! The page of markets: all of them, or one by `?market=ID`.

import { api, all, follow } from '../api/client';
import { byId, fill, h } from '../ui/dom';
import { clear, notice } from '../ui/live';
import { start, type Site } from '../ui/shell';
import { Detail } from './detail';
import { drawList } from './list';
import type { Market } from './types';

/** Pause between two readings of the list, in ms. */
const EVERY = 4000;

start(page, 'market');

async function page({ chain }: Site): Promise<void> {
  const place = byId('markets');
  const contracts = chain?.apps.filter((app) => app.kind === 'market').map((app) => app.contract) ?? [];
  const first = contracts[0];
  if (chain === null || first === undefined) {
    fill(place, h('h1', {}, 'Markets'), h('p', { class: 'card empty' }, 'This server follows no markets.'));
    return;
  }
  const path = `chains/${chain.chain_id}/markets`;
  const query = new URLSearchParams(location.search);
  const id = query.get('market');
  if (id !== null && /^\d+$/.test(id)) {
    const of = `?contract=${encodeURIComponent(query.get('contract') ?? first)}`;
    const detail = new Detail(chain, await api<Market>(`${path}/${id}${of}`));
    fill(place, detail.node);
    follow(`${path}/${id}/stream${of}`, { event: (name, data) => name === 'market' && detail.update(data as Market) });
    return;
  }
  const list = h('div');
  fill(place, h('div', { class: 'page-head' }, h('h1', {}, 'Markets'),
    h('p', { class: 'soft' }, 'Bet on what a publisher will say. A network reads the signed bulletin, and the contract pays by what it provably read.')), list);
  let drawn = '';
  for (;;) {
    try {
      const markets = (await Promise.all(contracts.map((contract) => all<Market>(`${path}?contract=${contract}`)))).flat();
      // Focus and scrolling stay where they are while nothing changes.
      const looks = JSON.stringify(markets);
      if (looks !== drawn) drawList(list, chain, markets);
      drawn = looks;
      clear('markets');
    } catch (error) {
      notice(error, 'markets');
    }
    do await new Promise((done) => setTimeout(done, EVERY));
    while (document.hidden);
  }
}
