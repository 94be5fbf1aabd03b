//! The page of guarded vaults: `?vault=ADDRESS`, else the first; `?incident=ID` is the one that is looked at, else the newest.

import { byId, fill, h } from '../ui/dom';
import { short } from '../ui/format';
import { start, type Site } from '../ui/shell';
import { Vault } from './vault';

start(page, 'guard');

async function page({ chain }: Site): Promise<void> {
  const place = byId('guards');
  const title = h('h1', {}, 'Guards');
  const vaults = chain?.apps.filter((app) => app.kind === 'guard') ?? [];
  const asked = new URLSearchParams(location.search).get('vault')?.toLowerCase();
  const chosen = vaults.find((app) => app.contract.toLowerCase() === asked) ?? (asked === undefined ? vaults[0] : undefined);
  if (chain === null || chosen === undefined) {
    fill(place, title, h('p', { class: 'card empty' }, asked === undefined ? 'This server guards no vault.' : 'This server does not guard that vault.'));
    return;
  }
  const vault = new Vault(chain, chosen.contract);
  await vault.open();
  const others = vaults.length < 2 ? null : h('nav', { 'aria-label': 'Vaults', class: 'actions left' }, vaults.map((app) =>
    h('a', { class: 'button small', href: `/guards?chain=${chain.chain_id}&vault=${app.contract}`, 'aria-current': app === chosen ? 'page' : null }, short(app.contract))));
  fill(place, h('div', { class: 'page-head' }, title,
    h('p', { class: 'soft' }, 'A large withdrawal is delayed until a network has scored its account, with proof: a low score releases it, a high one holds it and pauses the vault.'), others), vault.node);
}
