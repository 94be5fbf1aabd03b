//! What the daemon does, as it does it.

import { time } from '../ui/format';
import type { Happening, Section } from './section';
import { Table } from './table';

/** Events that are kept. */
const MOST = 500;

interface Row {
  number: number;
  at: number;
  event: Happening;
}

/** Fields that have a column of their own. */
const OWN = ['event', 'chain_id', 'at', 'at_ms', 'time'];

export function events(): Section {
  const rows: Row[] = [];
  let number = 0;
  const table = new Table<Row>({
    name: 'events',
    caption: 'Events',
    key: (row) => String(row.number),
    empty: 'Nothing has happened since this page was opened.',
    order: { key: 'number', down: true },
    columns: [
      { key: 'number', title: 'No.', value: (row) => row.number, numeric: true },
      { key: 'time', title: 'Time', value: (row) => new Date(row.at).toISOString(), show: (row) => time(row.at) },
      { key: 'event', title: 'Event', value: (row) => row.event.event, choices: true },
      { key: 'chain_id', title: 'Chain', value: (row) => row.event.chain_id ?? null, numeric: true },
      { key: 'what', title: 'What', value: (row) => words(row.event), long: true },
    ],
  });
  return {
    id: 'events',
    title: 'Events',
    about: 'What the daemon does, since this page was opened.',
    node: table.node,
    async read() {
      table.set([...rows]);
    },
    happened(event) {
      rows.push({ number: ++number, at: Date.now(), event });
      if (rows.length > MOST) rows.shift();
    },
  };
}

function words(event: Happening): string {
  const rest = Object.entries(event).filter(([key, value]) => !OWN.includes(key) && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0));
  return rest.map(([key, value]) => `${key}: ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`).join(', ');
}
