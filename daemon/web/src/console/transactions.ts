//! Transactions: what was signed, where it is, and orders to pay more for it or to withdraw it.

import { h } from '../ui/dom';
import { count, stamp } from '../ui/format';
import { announce, clear, notice } from '../ui/live';
import { reference } from '../ui/refs';
import { confirm } from './confirm';
import { listSection, type Section } from './section';
import type { Session } from './session';
import { stateTag } from './states';
import type { Tx } from './types';

const GWEI = 1e9;

/** Wei per gas in gwei, to three decimals. */
function gwei(wei: string | null): string {
  return wei === null ? '' : Number((Number(wei) / GWEI).toPrecision(4)).toString();
}

/** Whether a transaction can still be replaced: it is in no block and its nonce isn't used up. */
function isLive(tx: Tx): boolean {
  return tx.block === null && tx.state !== 'final' && tx.state !== 'dropped';
}

/** The section of transactions. `refresh` reads what is shown again. */
export function transactions(session: Session, refresh: () => void): Section {
  const order = (tx: Tx, name: 'bump' | 'cancel', title: string, detail: string, yes: string) =>
    h('button', { class: 'button quiet small', type: 'button', 'data-order': name, 'aria-label': `${yes}: transaction ${tx.id}`, disabled: tx.wanted !== null, onclick: () => {
      void confirm(title, detail, yes).then(async (said) => {
        if (!said) return;
        try {
          await session.post(session.ofChain(`transactions/${tx.id}/${name}`));
          clear('transactions');
          announce(`${yes}: transaction ${tx.id}`);
        } catch (error) {
          notice(error, 'transactions');
        }
        refresh();
      });
    } }, yes);
  return listSection<Tx>(session, { id: 'transactions', title: 'Transactions', about: 'Each nonce that was used, with its newest version.', path: 'transactions?all=true', ofChain: true }, {
    key: (tx) => String(tx.id),
    empty: 'Nothing was sent yet.',
    order: { key: 'id', down: true },
    columns: [
      { key: 'id', title: 'Row', minor: true, value: (tx) => tx.id, numeric: true },
      { key: 'nonce', title: 'Nonce', value: (tx) => tx.nonce, numeric: true },
      { key: 'state', title: 'State', value: (tx) => tx.state, show: (tx) => h('span', {}, stateTag(tx.state), tx.wanted === null ? null : h('small', {}, ` ${tx.wanted} ordered`)), choices: true },
      { key: 'purpose', title: 'Purpose', value: (tx) => tx.purpose, long: true },
      { key: 'hash', title: 'Hash', value: (tx) => tx.hash, show: (tx) => (tx.hash === null ? '' : reference(tx.hash, 'transaction')) },
      { key: 'block', title: 'Block', minor: true, value: (tx) => tx.block, show: (tx) => (tx.block === null ? '' : count(tx.block)), numeric: true },
      { key: 'ok', title: 'Outcome', value: (tx) => (tx.ok === null ? null : tx.ok ? 'succeeded' : 'reverted'), choices: true },
      { key: 'gas_used', title: 'Gas', value: (tx) => tx.gas_used, show: (tx) => (tx.gas_used === null ? '' : count(tx.gas_used)), numeric: true },
      { key: 'max_fee', title: 'Max fee (gwei)', minor: true, value: (tx) => (tx.max_fee === null ? null : BigInt(tx.max_fee)), show: (tx) => gwei(tx.max_fee), numeric: true },
      { key: 'versions', title: 'Versions', minor: true, value: (tx) => tx.versions, numeric: true },
      { key: 'signed_at', title: 'Signed', minor: true, value: (tx) => tx.signed_at, show: (tx) => (tx.signed_at === null ? '' : stamp(tx.signed_at)) },
      { key: 'signer', title: 'Signer', minor: true, value: (tx) => tx.signer, show: (tx) => (tx.signer === null ? '' : reference(tx.signer, 'signer')) },
    ],
    actions: (tx) => (isLive(tx) ? [
      order(tx, 'bump', `Pay more for transaction ${tx.id}?`, 'It is signed again with higher fees, within the limits of its key, and sent in its place.', 'Bump'),
      order(tx, 'cancel', `Cancel transaction ${tx.id}?`, 'Its nonce is used up by an empty transaction that pays more. It may be too late. Its job goes on only if you retry it.', 'Cancel'),
    ] : []),
  });
}

/** The transactions of one job. */
export function transactionList(list: readonly Tx[]): HTMLElement {
  if (list.length === 0) return h('p', { class: 'soft' }, 'None was sent.');
  return h('ul', { class: 'features' }, list.map((tx) => h('li', { class: 'trail' },
    h('span', {}, `Nonce ${tx.nonce} `, stateTag(tx.state)),
    tx.hash === null ? h('span') : reference(tx.hash, 'transaction'),
    h('span', { class: 'soft num' }, tx.gas_used === null ? `${tx.versions} ${tx.versions === 1 ? 'version' : 'versions'}` : `${count(tx.gas_used)} gas`))));
}
