//! What every page does first: theme, wallet, which chain, errors that nobody caught.

import { api } from '../api/client';
import type { Chain, Info } from '../api/types';
import { saw } from '../chain/clock';
import { walletButton, walletChain } from '../wallet/button';
import { byId, text } from './dom';
import { clear, notice } from './live';
import { theme } from './theme';

/** What a page works with. */
export interface Site {
  info: Info;
  /** The chain that the page is about: `?chain=ID`, else the first with an app of the page's kind, else the first. */
  chain: Chain | null;
}

/** An app's contract on a chain, by kind. */
export function appOf(chain: Chain, kind: Chain['apps'][number]['kind']) {
  return chain.apps.find((app) => app.kind === kind) ?? null;
}

/** Starts a page; `kind` is the app that it shows. `page` is called once the daemon has said what it serves. */
export function start(page: (site: Site) => void | Promise<void>, kind: Chain['apps'][number]['kind'] | null = null): void {
  theme();
  walletButton(byId('wallet'));
  window.addEventListener('unhandledrejection', (event) => {
    event.preventDefault();
    notice(event.reason);
  });
  void open(page, kind);
}

async function open(page: (site: Site) => void | Promise<void>, kind: Chain['apps'][number]['kind'] | null): Promise<void> {
  for (let wait = 1000; ; wait = Math.min(10_000, wait * 2)) {
    try {
      const info = await api<Info>('info');
      clear('start');
      const chain = chosen(info, kind);
      text(byId('version'), `Zugzwang ${info.version}`);
      if (!info.public) operatorOnly();
      const pill = byId('chain');
      pill.hidden = chain === null;
      if (chain !== null && chain.head !== null) saw(chain.head.timestamp);
      if (chain !== null) text(pill, chain.demo ? 'Demo chain' : `Chain ${chain.chain_id}`);
      await walletChain(chain);
      await page({ info, chain });
      return;
    } catch (error) {
      notice(error, 'start');
      await new Promise((done) => setTimeout(done, wait));
    }
  }
}

/** Takes away what this daemon serves to nobody: the other pages, and the wallet that only they need. */
function operatorOnly(): void {
  for (const link of document.querySelectorAll<HTMLElement>('.nav a:not([aria-current])')) link.hidden = true;
  byId('wallet').hidden = true;
}

function chosen(info: Info, kind: Chain['apps'][number]['kind'] | null): Chain | null {
  const asked = new URLSearchParams(location.search).get('chain');
  if (asked !== null) return info.chains.find((c) => String(c.chain_id) === asked) ?? null;
  return info.chains.find((c) => kind === null || c.apps.some((app) => app.kind === kind)) ?? info.chains[0] ?? null;
}
