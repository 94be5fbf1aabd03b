//! The World page: everybody against the network. `/world?game=2` is a game; without a number, the newest that runs.

import { api, type Page } from '../api/client';
import type { WorldSummary } from '../api/types';
import { byId, fill, h } from '../ui/dom';
import { appOf, start } from '../ui/shell';
import { WorldView } from './view';

start(async ({ info, chain }) => {
  const place = byId('world');
  const app = chain === null ? null : appOf(chain, 'world');
  if (chain === null || app === null) {
    fill(place, h('div', { class: 'card empty' }, 'This daemon serves no game of the World.'));
    return;
  }
  const { items } = await api<Page<WorldSummary>>(`chains/${chain.chain_id}/worlds?limit=50`);
  const asked = new URLSearchParams(location.search).get('game');
  const running = items.filter((world) => world.outcome === null);
  const shown = asked ?? running[0]?.id ?? items[0]?.id;
  if (shown === undefined) {
    fill(place, h('div', { class: 'card empty' }, 'No game of the World has been opened yet.'));
    return;
  }
  new WorldView(place, { chain, arena: app.contract, models: info.models, worlds: items }, shown);
}, 'world');
