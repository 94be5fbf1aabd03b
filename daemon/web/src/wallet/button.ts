//! The header's button: who is connected, and the choice of wallets.

import type { Chain } from '../api/types';
import { fill, h } from '../ui/dom';
import { coin, short } from '../ui/format';
import { announce, clear, notice } from '../ui/live';
import { isDemo } from './demo';
import { listen, offered, type Offered } from './providers';
import { balance, connect, connectDemo, disconnect, onWallet, reconnect, type Wallet } from './wallet';

let page: Chain | null = null;
let dialog: HTMLDialogElement | null = null;

/** Puts the button into the header. */
export function walletButton(place: HTMLElement): void {
  onWallet((wallet) => show(place, wallet));
  listen(() => {
    if (dialog?.open === true) drawChoice();
    void reconnect(page).catch(() => undefined);
  });
}

/** Tells which chain the page is about; connects again what was connected before. */
export async function walletChain(chain: Chain | null): Promise<void> {
  page = chain;
  await reconnect(chain).catch((error: unknown) => notice(error, 'wallet'));
}

function show(place: HTMLElement, wallet: Wallet | null): void {
  if (wallet === null) {
    fill(place, h('button', { class: 'button primary small', type: 'button', id: 'connect', onclick: () => void choose() }, 'Connect'));
    return;
  }
  fill(place, h('button', { class: 'button quiet small account', type: 'button', id: 'account', 'aria-label': `${short(wallet.address)}, your account (${wallet.name})`, title: wallet.address, onclick: () => details(wallet) },
    h('span', { class: 'dot good' }), h('span', { class: 'mono' }, short(wallet.address))));
}

function open(title: string): HTMLDialogElement {
  dialog?.remove();
  dialog = h('dialog', { class: 'dialog', 'aria-label': title, onclose: () => dialog?.remove() });
  document.body.append(dialog);
  dialog.addEventListener('click', (event) => event.target === dialog && dialog?.close());
  return dialog;
}

/** Lets the visitor choose a wallet. Resolves when it is chosen or the choice is closed. */
export function choose(): Promise<void> {
  const box = open('Choose a wallet');
  drawChoice();
  box.showModal();
  return new Promise((done) => box.addEventListener('close', () => done(), { once: true }));
}

function drawChoice(): void {
  if (dialog === null) return;
  const wallets = offered();
  const rows = wallets.map((wallet) => row(wallet.name, 'Your wallet signs; this page never sees its key.', wallet.icon, () => use(wallet)));
  if (page !== null && isDemo(page)) {
    const chain = page;
    rows.push(row('Throw-away key', 'Made in this page, with coin of the local demo chain. Worth nothing elsewhere.', null, () => tryTo(() => connectDemo(chain))));
  }
  fill(dialog,
    h('h2', {}, 'Choose a wallet'),
    rows.length > 0 ? h('div', { class: 'rows' }, rows) : h('p', {}, 'No wallet was found in this browser. Install one (MetaMask, Rabby, …), then load the page again. You can watch without one.'),
    h('div', { class: 'actions' }, h('button', { class: 'button', type: 'button', onclick: () => dialog?.close() }, 'Close')));
}

function row(name: string, what: string, icon: string | null, onclick: () => void): HTMLElement {
  return h('button', { class: 'choice', type: 'button', onclick },
    icon === null ? h('span', { class: 'choice-mark', 'aria-hidden': 'true' }, name.charAt(0)) : h('img', { src: icon, alt: '', width: 32, height: 32 }),
    h('span', {}, h('strong', {}, name), h('small', {}, what)));
}

function use(wallet: Offered): void {
  void tryTo(() => connect(wallet));
}

async function tryTo(act: () => Promise<Wallet | null>): Promise<void> {
  try {
    const wallet = await act();
    if (wallet !== null) announce(`Connected: ${short(wallet.address)}`);
    clear('wallet');
  } catch (error) {
    notice(error, 'wallet');
  }
  dialog?.close();
}

function details(wallet: Wallet): void {
  const box = open('Account');
  const amount = h('span', {}, '…');
  if (page !== null) void balance(page, wallet.address).then((wei) => fill(amount, `${coin(wei)} ETH`), () => fill(amount, 'unknown'));
  fill(box,
    h('h2', {}, 'Account'),
    h('dl', { class: 'facts' },
      h('dt', {}, 'Wallet'), h('dd', {}, wallet.name),
      h('dt', {}, 'Address'), h('dd', { class: 'mono wrap' }, wallet.address),
      h('dt', {}, 'Balance'), h('dd', {}, amount)),
    h('div', { class: 'actions' },
      h('button', { class: 'button', type: 'button', onclick: () => { disconnect(); box.close(); } }, 'Disconnect'),
      h('button', { class: 'button primary', type: 'button', onclick: () => box.close() }, 'Close')));
  box.showModal();
}
