//! What screen readers are told, and notices that everybody sees.

import { byId, h } from './dom';
import { icon } from './icons';
import { describe, type Trouble } from './trouble';

let turn = 0;
const waiting: string[] = [];

/** Has a screen reader say something after what it is saying. */
export function announce(message: string): void {
  // What is told in one breath is read as one: a region that changes twice at once is read once.
  waiting.push(message);
  if (waiting.length > 1) return;
  setTimeout(() => say('live-polite', waiting.splice(0).join(' ')), 60);
}

/** Has a screen reader say something at once: for what can't wait. */
export function alert(message: string): void {
  say('live-assertive', message);
}

function say(id: string, message: string): void {
  // The same text twice is only read twice if it differs: a space that comes and goes does that.
  turn += 1;
  byId(id).textContent = turn % 2 === 0 ? message : `${message}\u00a0`;
}

/** Shows an error until it is closed, or replaced by one of the same `key`. */
export function notice(error: unknown, key = 'error'): void {
  const trouble: Trouble = describe(error);
  clear(key);
  const close = h('button', { class: 'button quiet icon', type: 'button', 'aria-label': 'Close this message', onclick: () => box.remove() }, icon('close'));
  const box = h('div', { class: `notice ${trouble.kind}`, 'data-key': key }, h('div', {},
    h('strong', {}, trouble.title), trouble.detail === '' ? null : h('span', {}, ` ${trouble.detail}`),
    trouble.code === null ? null : h('span', { class: 'code' }, trouble.code)), close);
  byId('notices').append(box);
  alert(`${trouble.title} ${trouble.detail}`);
}

/** Takes away the notice of a key. */
export function clear(key: string): void {
  for (const box of byId('notices').querySelectorAll(`[data-key="${key}"]`)) box.remove();
}
