//! The sections that are one table each: endpoints, keys, workers, models, alerts, metrics.

import { h } from '../ui/dom';
import { coin, count, duration, stamp } from '../ui/format';
import { reference } from '../ui/refs';
import { listSection, type Section } from './section';
import type { Session } from './session';
import { stateTag } from './states';
import type { Alert, Endpoint, Key, Metric, Model, Worker } from './types';

const big = (value: string | null) => (value === null ? null : BigInt(value));
const ether = (value: string | null) => (value === null ? '' : `${coin(value)} ETH`);
const mib = (bytes: number) => `${count(Math.round(bytes / 2 ** 20))} MiB`;
const number = (value: number | null) => (value === null ? '' : count(value));

export function endpoints(session: Session): Section {
  return listSection<Endpoint>(session, { id: 'endpoints', title: 'Endpoints', about: 'The nodes that are asked, and how they do.', path: 'endpoints' }, {
    key: (row) => `${row.chain_id} ${row.endpoint}`,
    empty: 'No endpoint was asked yet.',
    columns: [
      { key: 'chain_id', title: 'Chain', minor: true, value: (row) => row.chain_id, choices: true },
      { key: 'endpoint', title: 'Endpoint', value: (row) => row.endpoint },
      { key: 'condition', title: 'Condition', value: (row) => row.condition, show: (row) => stateTag(row.condition), choices: true },
      { key: 'head', title: 'Head', value: (row) => row.head, show: (row) => number(row.head), numeric: true },
      { key: 'lag', title: 'Behind', value: (row) => row.lag, show: (row) => number(row.lag), numeric: true },
      { key: 'requests', title: 'Requests', value: (row) => row.requests, show: (row) => number(row.requests), numeric: true },
      { key: 'errors', title: 'Errors', value: (row) => row.errors, show: (row) => number(row.errors), numeric: true },
      { key: 'latency_ms', title: 'Latest answer', value: (row) => row.latency_ms, show: (row) => (row.latency_ms === null ? '' : duration(row.latency_ms)), numeric: true },
      { key: 'trouble', title: 'Latest failure', value: (row) => row.trouble, long: true },
    ],
  });
}

export function keys(session: Session): Section {
  return listSection<Key>(session, { id: 'keys', title: 'Keys', about: 'The accounts that sign, what they have, and what they may spend.', path: 'keys' }, {
    key: (row) => `${row.chain_id} ${row.address}`,
    empty: 'No key signs yet.',
    columns: [
      { key: 'name', title: 'Key', value: (row) => row.name },
      { key: 'address', title: 'Address', value: (row) => row.address, show: (row) => reference(row.address, 'address') },
      { key: 'chain_id', title: 'Chain', minor: true, value: (row) => row.chain_id, choices: true },
      { key: 'balance', title: 'Balance', value: (row) => big(row.balance), show: (row) => ether(row.balance), numeric: true },
      { key: 'hour_spent', title: 'Spent in the hour', value: (row) => big(row.hour_spent), show: (row) => spent(row.hour_spent, row.hour_limit), numeric: true },
      { key: 'hour_limit', title: 'Limit of an hour', minor: true, value: (row) => big(row.hour_limit), show: (row) => (row.hour_limit === null ? 'none' : ether(row.hour_limit)), numeric: true },
      { key: 'day_spent', title: 'Spent in the day', value: (row) => big(row.day_spent), show: (row) => spent(row.day_spent, row.day_limit), numeric: true },
      { key: 'day_limit', title: 'Limit of a day', minor: true, value: (row) => big(row.day_limit), show: (row) => (row.day_limit === null ? 'none' : ether(row.day_limit)), numeric: true },
    ],
  });
}

/** What was spent, with its share of the limit. */
function spent(used: string | null, limit: string | null): Node | string {
  if (used === null) return '';
  if (limit === null || limit === '0') return ether(used);
  const percent = Number((BigInt(used) * 1000n) / BigInt(limit)) / 10;
  return h('span', {}, ether(used), ' ', h('span', { class: `tag ${percent >= 90 ? 'bad' : percent >= 60 ? 'warn' : ''}` }, `${percent} %`));
}

export function workers(session: Session): Section {
  return listSection<Worker>(session, { id: 'workers', title: 'Workers', about: 'The machines that make proofs for this daemon.', path: 'workers' }, {
    key: (row) => row.worker,
    empty: 'No worker is present: this process makes its proofs itself.',
    columns: [
      { key: 'worker', title: 'Worker', value: (row) => row.worker },
      { key: 'release', title: 'Release', value: (row) => row.release, choices: true },
      { key: 'busy', title: 'Busy', value: (row) => row.busy, show: (row) => `${row.busy} of ${row.slots}`, numeric: true },
      { key: 'slots', title: 'Slots', minor: true, value: (row) => row.slots, numeric: true },
      { key: 'cores', title: 'Cores', value: (row) => row.cores, numeric: true },
      { key: 'models', title: 'Models', value: (row) => row.models.join(' '), show: (row) => h('span', {}, row.models.map((id) => reference(id, 'model id'))), long: true },
    ],
  });
}

export function models(session: Session): Section {
  return listSection<Model>(session, { id: 'models', title: 'Models', about: 'The networks that are loaded, and what an answer of each costs.', path: 'models' }, {
    key: (row) => row.model_id,
    empty: 'No model is loaded.',
    columns: [
      { key: 'name', title: 'Model', value: (row) => row.name },
      { key: 'kind', title: 'Kind', value: (row) => row.kind, choices: true },
      { key: 'elo', title: 'Elo', value: (row) => row.elo, numeric: true },
      { key: 'macs', title: 'Multiplications', value: (row) => row.macs, show: (row) => number(row.macs), numeric: true },
      { key: 'prove_s', title: 'Proof', value: (row) => row.prove_s, show: (row) => (row.prove_s === null ? '' : duration(row.prove_s * 1000)), numeric: true },
      { key: 'gas', title: 'Gas', value: (row) => row.gas, show: (row) => number(row.gas), numeric: true },
      { key: 'rows', title: 'Rows', minor: true, value: (row) => row.rows, show: (row) => number(row.rows), numeric: true },
      { key: 'columns', title: 'Columns', minor: true, value: (row) => row.columns, numeric: true },
      { key: 'key_bytes', title: 'Keys', minor: true, value: (row) => row.key_bytes, show: (row) => mib(row.key_bytes), numeric: true },
      { key: 'memory_bytes', title: 'Memory of a proof', value: (row) => row.memory_bytes, show: (row) => mib(row.memory_bytes), numeric: true },
      { key: 'model_id', title: 'Model id', value: (row) => row.model_id, show: (row) => reference(row.model_id, 'model id') },
    ],
  });
}

export function alerts(session: Session): Section {
  return listSection<Alert>(session, { id: 'alerts', title: 'Alerts', about: 'What needed attention lately, and whether a webhook took it.', path: 'alerts' }, {
    key: (row) => `${row.at} ${row.chain_id} ${row.kind} ${row.text}`,
    empty: 'Nothing has needed attention since the daemon started.',
    order: { key: 'at', down: true },
    columns: [
      { key: 'at', title: 'Time', value: (row) => row.at, show: (row) => stamp(row.at) },
      { key: 'kind', title: 'Kind', value: (row) => row.kind, choices: true },
      { key: 'open', title: 'Open', value: (row) => (row.open ? 'open' : 'over'), show: (row) => h('span', { class: `tag ${row.open ? 'bad' : ''}` }, row.open ? 'open' : 'over'), choices: true },
      { key: 'text', title: 'What', value: (row) => row.text, long: true },
      { key: 'delivered', title: 'Delivered', value: (row) => (row.delivered === null ? 'to nobody yet' : row.delivered ? 'yes' : 'no'), choices: true },
      { key: 'chain_id', title: 'Chain', minor: true, value: (row) => row.chain_id, numeric: true },
    ],
  });
}

export function metrics(session: Session): Section {
  return listSection<Metric>(session, { id: 'metrics', title: 'Metrics', about: 'Every series of /metrics, as Prometheus reads it.', path: 'metrics' }, {
    key: (row) => `${row.name} ${JSON.stringify(row.labels)}`,
    empty: 'There are no metrics.',
    everything: async () => (await session.get<{ items: Metric[] }>('metrics')).items,
    columns: [
      { key: 'name', title: 'Metric', value: (row) => row.name },
      { key: 'labels', title: 'Labels', value: (row) => Object.entries(row.labels).map(([key, value]) => `${key}="${value}"`).join(' ') },
      { key: 'value', title: 'Value', value: (row) => row.value, show: (row) => (row.value === null ? '' : Number.isInteger(row.value) ? count(row.value) : String(Number(row.value.toPrecision(6)))), numeric: true },
    ],
  });
}
