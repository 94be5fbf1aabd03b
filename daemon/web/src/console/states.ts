//! States of jobs, transactions and endpoints as tags.

import { h } from '../ui/dom';

const LOOKS: Record<string, string> = {
  seen: 'accent', proving: 'accent', proved: 'accent', submitted: 'accent', included: 'good', final: 'good',
  failed: 'bad', forfeited: 'bad', moot: '',
  signed: 'accent', broadcast: 'accent', dropped: '',
  well: 'good', resting: 'bad', throttled: 'warn', behind: 'warn', excluded: 'bad',
};

/** A state as a tag in its colour. */
export function stateTag(state: string): HTMLElement {
  return h('span', { class: `tag ${LOOKS[state] ?? ''}` }, state);
}
