//! Jobs: the queue, what became of each, and orders about them.

import { Thinking } from '../play/thinking';
import { fill, h } from '../ui/dom';
import { count, dateTime, duration, stamp } from '../ui/format';
import { announce, clear, notice } from '../ui/live';
import { reference } from '../ui/refs';
import { confirm } from './confirm';
import { listSection, type Section } from './section';
import type { Session } from './session';
import { stateTag } from './states';
import { transactionList } from './transactions';
import type { Job, JobDetail } from './types';

/** States of jobs that are at an end without an answer, from which they may be tried again. */
const ENDED = ['failed', 'forfeited'];
/** States in which nothing was sent yet, or nothing came of it: what is in a block can't be dropped. */
const OPEN = ['seen', 'proving', 'proved'];

/** The section of jobs. `refresh` reads what is shown again. */
export function jobs(session: Session, refresh: () => void): Section {
  const order = (job: Job, name: 'retry' | 'drop', title: string, detail: string, yes: string) =>
    h('button', { class: 'button quiet small', type: 'button', 'data-order': name, 'aria-label': `${yes}: job ${job.id}`, onclick: () => {
      void confirm(title, detail, yes).then(async (said) => {
        if (!said) return;
        try {
          await session.post(`jobs/${job.id}/${name}?chain=${job.chain_id}`);
          clear('jobs');
          announce(`${yes}: job ${job.id}`);
        } catch (error) {
          notice(error, 'jobs');
        }
        refresh();
      });
    } }, yes);
  return listSection<Job>(session, { id: 'jobs', title: 'Jobs', about: 'Each question that a contract asked, and what became of it.', path: 'jobs?state=all', ofChain: true }, {
    key: (job) => String(job.id),
    empty: 'No contract has asked anything yet.',
    order: { key: 'id', down: true },
    open: (job) => void show(session, job),
    columns: [
      { key: 'id', title: 'Job', value: (job) => job.id, numeric: true },
      { key: 'app', title: 'App', value: (job) => job.app, choices: true },
      { key: 'subject', title: 'Subject', value: (job) => job.subject },
      { key: 'round', title: 'Round', value: (job) => job.round, numeric: true },
      { key: 'state', title: 'State', value: (job) => job.state, show: (job) => stateTag(job.state), choices: true },
      { key: 'created_at', title: 'Asked', value: (job) => job.created_at, show: (job) => stamp(job.created_at) },
      { key: 'updated_at', title: 'Changed', minor: true, value: (job) => job.updated_at, show: (job) => stamp(job.updated_at) },
      { key: 'proving_ms', title: 'Proof', minor: true, value: (job) => job.proving_ms, show: (job) => (job.proving_ms === null ? '' : duration(job.proving_ms)), numeric: true },
      { key: 'attempts', title: 'Tries', minor: true, value: (job) => job.attempts, numeric: true },
      { key: 'block', title: 'Block', minor: true, value: (job) => job.block, show: (job) => count(job.block), numeric: true },
      { key: 'note', title: 'Note', value: (job) => job.note, long: true },
      { key: 'contract', title: 'Contract', minor: true, value: (job) => job.contract, show: (job) => reference(job.contract, 'contract') },
      { key: 'chain_id', title: 'Chain', minor: true, value: (job) => job.chain_id, numeric: true },
    ],
    actions: (job) => {
      if (ENDED.includes(job.state)) return [order(job, 'retry', `Try job ${job.id} again?`, 'It is proven and answered once more, if its contract still asks.', 'Retry')];
      if (OPEN.includes(job.state)) return [order(job, 'drop', `Drop job ${job.id}?`, 'It will not be answered. If a game waits for it, its stake may be lost.', 'Drop')];
      return [];
    },
  });
}

/** A job's time line and transactions, in a dialog. */
async function show(session: Session, { id, chain_id }: Job): Promise<void> {
  let job: JobDetail;
  try {
    job = await session.get<JobDetail>(`jobs/${id}?chain=${chain_id}`);
  } catch (error) {
    notice(error, 'jobs');
    return;
  }
  const thinking = new Thinking();
  thinking.show({ job: id, round: job.round, phase: phaseOf(job.state), step: job.step, fraction: 0, times: job.times, tx: null, note: job.note });
  const box = h('dialog', { class: 'dialog wide', 'aria-labelledby': 'job-title' });
  fill(box,
    h('div', { class: 'market-head' }, h('h2', { id: 'job-title' }, `Job ${id}`), stateTag(job.state)),
    h('div', { class: 'stack' },
      h('dl', { class: 'facts' },
        h('dt', {}, 'Subject'), h('dd', { class: 'wrap' }, `${job.app ?? ''} ${job.subject}, round ${job.round}`),
        h('dt', {}, 'Asked'), h('dd', {}, `${dateTime(job.created_at)}, in block ${count(job.block)}`),
        job.proving_ms === null ? null : [h('dt', {}, 'Proof'), h('dd', {}, duration(job.proving_ms))]),
      thinking.element,
      h('div', {}, h('h3', {}, 'Transactions'), transactionList(job.transactions))),
    h('div', { class: 'actions' }, h('button', { class: 'button primary', type: 'button', onclick: () => box.close() }, 'Close')));
  box.addEventListener('close', () => {
    thinking.close();
    box.remove();
  });
  document.body.append(box);
  box.showModal();
}

/** A job's state as a phase of progress; a state that is none of them counts as seen. */
function phaseOf(state: string) {
  const phases = ['seen', 'proving', 'proved', 'submitted', 'included', 'final', 'failed', 'moot', 'forfeited'] as const;
  return phases.find((phase) => phase === state) ?? 'seen';
}
