//! One incident: who wanted what, how the account looks beside others, and what the guard did.

import { GuardedVault } from '../abi/GuardedVault';
import type { Chain, Hex } from '../api/types';
import { chainTime } from '../chain/clock';
import { fill, h } from '../ui/dom';
import { count, dateTime } from '../ui/format';
import { announce, clear, notice } from '../ui/live';
import type { Thinking } from '../play/thinking';
import { reference, relative, transaction } from '../ui/refs';
import { mined, send, wallet } from '../wallet/wallet';
import { scale, standing, strip } from './plot';
import type { Guard, Incident } from './types';
import { amount, featureValue, standingOf, verdictWords } from './units';

/** Largest score: the model gives ten bits. */
export const MOST_SCORE = 1023;

/** What a page of an incident needs beside it. */
export interface Setting {
  chain: Chain;
  guard: Guard;
  thinking: Thinking;
  /** Reads everything again, after something was sent. */
  refresh(): void;
}

/** Draws the incident into a place. */
export function drawIncident(place: Element, incident: Incident, setting: Setting): void {
  const { chain, guard, thinking } = setting;
  const [look, words] = verdictWords(standingOf(incident));
  thinking.show(incident.progress);
  const facts: [string, Node | string][] = [
    ['Account', reference(incident.account, 'account')],
    ['Receiver', reference(incident.receiver, 'receiver')],
    ['Amount', amount(guard, incident.amount)],
    ['Flagged', h('span', {}, dateTime(incident.asked_at * 1000), incident.large ? ', for its own size' : ', for all that left in the window')],
    ['May leave', incident.state === 'claimed' ? 'paid out' : incident.state === 'released' ? 'now' : relative(incident.release_at)],
  ];
  if (incident.round > 0) facts.push(['Appeals', count(incident.round)]);
  fill(place,
    h('div', { class: 'market-head' }, h('h2', { id: 'incident-title', tabindex: -1 }, `Incident ${incident.id}`), h('span', { class: `tag ${look}` }, words)),
    h('dl', { class: 'facts' }, facts.map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])),
    h('div', {}, h('h3', {}, incident.score === null ? 'Score' : `Score ${incident.score}`),
      scale(incident.score, { release_below: guard.release_below, pause_at: guard.pause_at, most: MOST_SCORE }),
      h('p', { class: 'soft' }, judgement(incident, guard))),
    thinking.element,
    orders(incident, setting),
    features(incident),
    incident.txs.length === 0 ? null : h('div', {}, h('h3', {}, 'Transactions'), h('ul', { class: 'features' }, incident.txs.map((tx) =>
      h('li', { class: 'trail' }, h('span', {}, tx.kind), transaction(chain, tx.tx), h('span', { class: 'soft' }, relative(tx.timestamp)))))));
}

function judgement({ verdict, score }: Incident, { release_below, pause_at }: Guard): string {
  if (verdict === 'released') return `Below ${release_below}: the withdrawal may leave at once.`;
  if (verdict === 'held') return `At least ${pause_at}: the withdrawal is held, and a large one pauses the vault.`;
  if (score !== null) return `Between ${release_below} and ${pause_at}: it decides nothing, and the withdrawal waits for its time.`;
  return 'The score comes with its proof.';
}

function features({ features: list }: Incident): Node | null {
  if (list.length === 0) return null;
  return h('div', {},
    h('h3', {}, 'The account beside others'),
    list.every((feature) => feature.quantiles.length === 0) ? null : h('p', { class: 'legend-line' },
      h('span', {}, h('span', { class: 'swatch dot-own' }), 'this account'),
      h('span', {}, h('span', { class: 'swatch half' }), 'the middle half of the training accounts'),
      h('span', {}, h('span', { class: 'swatch most' }), 'nine in ten of them')),
    h('ul', { class: 'features' }, list.map((feature) => h('li', { class: 'feature' },
      h('span', {}, feature.name),
      h('span', { class: 'value num' }, featureValue(feature)),
      feature.quantiles.length === 0 ? null : [strip(feature.name, feature), h('small', { 'aria-hidden': 'true' }, standing(feature))]))));
}

/** What may be done now, and by whom. */
function orders(incident: Incident, setting: Setting): Node | null {
  const { guard } = setting;
  const me = wallet()?.address.toLowerCase();
  const due = incident.state === 'released' || (incident.state !== 'claimed' && chainTime() >= incident.release_at);
  const id = BigInt(incident.id);
  const list: Node[] = [];
  if (due && !guard.paused) {
    list.push(h('button', { class: 'button primary', type: 'button', id: 'pay-out', disabled: me === undefined, onclick: (event) =>
      void order(event.currentTarget, setting, 'It was paid out', () => send(setting.chain, guard.vault, GuardedVault, 'claim', [id])) }, 'Pay out'));
    if (me === undefined) list.push(h('p', { class: 'soft' }, 'Anybody may have it paid out: connect a wallet.'));
  }
  if (incident.state === 'held' && me === incident.account.toLowerCase() && chainTime() >= incident.asked_at + guard.delay) {
    list.push(h('button', { class: 'button', type: 'button', id: 'appeal', onclick: (event) =>
      void order(event.currentTarget, setting, 'It will be judged again', () => send(setting.chain, guard.vault, GuardedVault, 'appeal', [id])) }, 'Have it judged again'));
  }
  return list.length === 0 ? null : h('div', { class: 'actions left' }, list);
}

/** Sends an order, waits until it is mined, and says so. */
export async function order(button: EventTarget | null, { chain, refresh }: Pick<Setting, 'chain' | 'refresh'>, done: string, act: () => Promise<Hex>): Promise<void> {
  if (!(button instanceof HTMLButtonElement) || button.disabled) return;
  button.disabled = true;
  try {
    await mined(chain, await act());
    clear('order');
    announce(done);
  } catch (error) {
    notice(error, 'order');
  }
  button.disabled = false;
  refresh();
}
