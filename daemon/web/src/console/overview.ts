//! The first look: does each chain's service do its work, what waits, what it costs. All numbers are those of `/metrics`.

import { fill, h } from '../ui/dom';
import { count, duration } from '../ui/format';
import { Metrics } from './metrics';
import type { Section } from './section';
import type { Session } from './session';
import type { Metric, Status } from './types';

/** States of jobs on their way, in order, with what they mean. */
const WAY: [state: string, words: string][] = [
  ['seen', 'wait for a proof'],
  ['proving', 'being proven'],
  ['proved', 'wait to be sent'],
  ['submitted', 'sent'],
  ['included', 'in a block'],
];

/** A lag from which it shows, in blocks beyond the confirmations that are part of it. */
const LAG = 20;

/** The section of the overview. */
export function overview(session: Session): Section {
  const node = h('div', { class: 'stack' });
  return {
    id: 'overview',
    title: 'Overview',
    about: 'What this daemon does now. The numbers are those of /metrics.',
    node,
    async read() {
      const [statuses, series] = await Promise.all([session.get<{ items: Status[] }>('status'), session.get<{ items: Metric[] }>('metrics')]);
      const metrics = new Metrics(series.items);
      fill(node, statuses.items.map((status) => chainPart(status, metrics)), processPart(metrics));
    },
  };
}

const whole = (value: number | null) => (value === null ? '–' : count(Math.round(value)));
const seconds = (value: number | null) => (value === null ? '–' : duration(value * 1000));

function tile(name: string, value: Node | string, metric: string, look = ''): HTMLElement {
  return h('div', { class: `tile ${look}`, title: metric }, h('dt', {}, name), h('dd', { class: 'num' }, value));
}

function chainPart(status: Status, metrics: Metrics): HTMLElement {
  const chain = { chain: String(status.chain_id) };
  const at = (name: string, labels: Record<string, string> = {}) => metrics.sum(name, { ...chain, ...labels });
  const [lag, oldest, alerts, failed, balance] = [at('zugzwang_chain_lag_blocks'), at('zugzwang_jobs_oldest_seconds'), at('zugzwang_alerts_open_count'), at('zugzwang_jobs_state_count', { state: 'failed' }), at('zugzwang_key_balance_ether')];
  const title = `chain-${status.chain_id}`;
  return h('section', { class: 'card stack', 'aria-labelledby': title },
    h('div', { class: 'market-head' }, h('h2', { id: title }, `Chain ${status.chain_id}`), h('span', { class: `tag ${status.ready ? 'good' : 'bad'}` }, status.ready ? 'Ready' : 'Not ready')),
    status.why.length === 0 ? null : h('ul', { class: 'whys' }, status.why.map((why) => h('li', {}, why))),
    h('dl', { class: 'tiles' },
      tile('Head', whole(at('zugzwang_chain_head_blocks')), 'zugzwang_chain_head_blocks'),
      tile('Read up to', h('span', {}, whole(at('zugzwang_chain_cursor_blocks')), lag === null ? null : h('small', {}, ` ${whole(lag)} behind`)), 'zugzwang_chain_cursor_blocks', lag !== null && lag > LAG ? 'warn' : ''),
      tile('Oldest waiting', oldest === null || oldest === 0 ? 'none' : seconds(oldest), 'zugzwang_jobs_oldest_seconds'),
      tile('Failed jobs', whole(failed), 'zugzwang_jobs_state_count{state="failed"}', (failed ?? 0) > 0 ? 'bad' : ''),
      tile('Answered', whole(at('zugzwang_jobs_answered_total')), 'zugzwang_jobs_answered_total'),
      tile('Mean answer', seconds(metrics.mean('zugzwang_jobs_answer_seconds', chain)), 'zugzwang_jobs_answer_seconds'),
      tile('Balance', balance === null ? '–' : `${Number(balance.toPrecision(6))} ETH`, 'zugzwang_key_balance_ether'),
      tile('Open alerts', whole(alerts), 'zugzwang_alerts_open_count', (alerts ?? 0) > 0 ? 'bad' : '')),
    queue(WAY.map(([state, words]) => ({ state, words, count: at('zugzwang_jobs_state_count', { state }) ?? 0 }))),
    h('p', { class: 'soft apps' }, status.apps.map((app) => h('span', { class: 'mono wrap' }, app))));
}

/** Jobs on their way: one box for each state. */
function queue(steps: { state: string; words: string; count: number }[]): HTMLElement {
  return h('div', {}, h('h3', {}, 'Queue'), h('ol', { class: 'queue' }, steps.map((step) =>
    h('li', { class: step.count > 0 ? 'busy' : '' }, h('strong', { class: 'num' }, count(step.count)), h('small', {}, `${step.state}: ${step.words}`)))));
}

function processPart(metrics: Metrics): HTMLElement {
  const start = metrics.labels('zugzwang_service_build_info', 'version')[0];
  const memory = metrics.sum('zugzwang_prover_memory_limit_bytes');
  return h('section', { class: 'card stack', 'aria-labelledby': 'process-title' },
    h('h2', { id: 'process-title' }, 'This process'),
    h('dl', { class: 'tiles' },
      tile('Version', start ?? '–', 'zugzwang_service_build_info'),
      tile('Proofs now', whole(metrics.sum('zugzwang_prover_running_count') ?? 0), 'zugzwang_prover_running_count'),
      tile('Mean proof', seconds(metrics.mean('zugzwang_prover_proof_seconds')), 'zugzwang_prover_proof_seconds'),
      tile('Memory for proofs', memory === null || memory === 0 ? 'no limit' : `${(memory / 2 ** 30).toFixed(1)} GiB`, 'zugzwang_prover_memory_limit_bytes'),
      tile('Workers', whole(metrics.sum('zugzwang_fleet_workers_count') ?? 0), 'zugzwang_fleet_workers_count'),
      tile('Requests', whole(metrics.sum('zugzwang_http_requests_total')), 'zugzwang_http_requests_total')));
}
