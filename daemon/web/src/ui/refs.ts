//! References to what is on the chain, and times by the chain's clock.

import type { Chain } from '../api/types';
import { chainTime } from '../chain/clock';
import { fill, h, s, text } from './dom';
import { dateTime, duration, short } from './format';
import { announce } from './live';

/** A hash or an address in short, with a button that copies all of it. `what` names it for screen readers. */
export function reference(hex: string, what: string): HTMLElement {
  return h('span', { class: 'ref' }, h('span', { class: 'mono', title: hex }, short(hex)), copier(hex, what));
}

/** The same of a transaction, as a link if the chain has an explorer. */
export function transaction(chain: Chain | null, tx: string): HTMLElement {
  const explorer = chain?.explorer ?? null;
  if (explorer === null) return reference(tx, 'transaction');
  return h('span', { class: 'ref' }, h('a', { class: 'mono', href: `${explorer}${tx}`, title: tx, rel: 'noreferrer' }, short(tx)), copier(tx, 'transaction'));
}

function copier(value: string, what: string): HTMLButtonElement {
  const button: HTMLButtonElement = h('button', {
    class: 'copy',
    type: 'button',
    title: 'Copy',
    'aria-label': `Copy ${what} ${short(value)}`,
    onclick: () => {
      void navigator.clipboard.writeText(value).then(() => {
        fill(button, '✓');
        announce(`Copied the ${what}`);
        setTimeout(() => fill(button, sheets()), 1500);
      });
    },
  }, sheets());
  return button;
}

/** Two sheets of paper. */
function sheets(): SVGSVGElement {
  return s('svg', { viewBox: '0 0 16 16', 'aria-hidden': 'true' },
    s('rect', { x: 2, y: 5, width: 8.5, height: 9, rx: 1.5 }), s('path', { d: 'M5.5 5 V3.5 A1.5 1.5 0 0 1 7 2 H12.5 A1.5 1.5 0 0 1 14 3.5 V9.5 A1.5 1.5 0 0 1 12.5 11 H10.5' }));
}

/** Texts that change with the time: each is drawn anew every second for as long as it is in the page. */
export function ticking(draw: () => string): HTMLElement {
  const node = h('span', { class: 'num' }, draw());
  const timer = setInterval(() => {
    if (node.isConnected) text(node, draw());
    else if (node.dataset['shown'] === 'yes') clearInterval(timer);
    if (node.isConnected) node.dataset['shown'] = 'yes';
  }, 1000);
  return node;
}

/** `in 4 min`, `3 h ago`, of a time in Unix seconds by the chain's clock. */
export function relative(at: number): HTMLElement {
  const node = ticking(() => {
    const left = at - chainTime();
    const size = Math.abs(left) < 1 ? 'now' : duration(Math.floor(Math.abs(left)) * 1000);
    return size === 'now' ? size : left > 0 ? `in ${size}` : `${size} ago`;
  });
  node.title = dateTime(at * 1000);
  return node;
}
