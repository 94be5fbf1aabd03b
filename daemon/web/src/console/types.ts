//! What the operator's part of the API tells: `/api/v1/operator/…`, behind the token.

import type { Hex } from '../api/types';

/** `status`: one of each chain. */
export interface Status {
  chain_id: number;
  running: boolean;
  ready: boolean;
  why: string[];
  started_at: number | null;
  alive_at: number | null;
  signer: Hex | null;
  balance_ether: string | null;
  apps: string[];
  head: number | null;
  cursor: number | null;
  jobs: Record<string, number>;
  transactions: Record<string, number>;
  alerts: string[];
}

/** `endpoints`. */
export interface Endpoint {
  chain_id: number;
  endpoint: string;
  /** `well`, `resting`, `throttled`, `behind` or `excluded`. */
  condition: string;
  head: number | null;
  lag: number | null;
  requests: number;
  errors: number;
  /** Mean milliseconds until it answered. */
  latency_ms: number | null;
}

/** `jobs`. */
export interface Job {
  id: number;
  chain_id: number;
  app: string | null;
  contract: Hex;
  subject: string;
  round: number;
  state: string;
  note: string;
  attempts: number;
  block: number;
  proving_ms: number | null;
  created_at: number;
}

/** `transactions`. */
export interface Tx {
  id: number;
  nonce: number;
  state: string;
  job: number | null;
  purpose: string;
  hash: Hex | null;
  versions: number;
  /** In wei. */
  max_fee: string | null;
  max_priority: string | null;
  signed_at: number | null;
  block: number | null;
  ok: boolean | null;
  gas_used: number | null;
  /** What was ordered, and is done at the next turn. */
  wanted: string | null;
}

/** `jobs/{id}`. */
export interface JobDetail extends Job {
  transactions: Tx[];
  times: { seen_ms: number | null; inferred_ms: number | null; proved_ms: number | null; submitted_ms: number | null; included_ms: number | null; final_ms: number | null };
}

/** `keys`. */
export interface Key {
  chain_id: number;
  address: Hex;
  balance: string | null;
  /** Most wei in an hour and in a day, and what was spent of it. */
  hour_limit: string | null;
  hour_spent: string | null;
  day_limit: string | null;
  day_spent: string | null;
}

/** `workers`: those of the fleet that are present. */
export interface Worker {
  worker: string;
  release: string;
  models: Hex[];
  /** Proofs that it makes now, and can make at the same time. */
  busy: number;
  slots: number;
  cores: number;
}

/** `models`. */
export interface Model {
  model_id: Hex;
  name: string;
  kind: string;
  elo: number | null;
  macs: number | null;
  rows: number | null;
  prove_s: number | null;
  memory_bytes: number | null;
  gas: number | null;
}

/** `alerts`. */
export interface Alert {
  at: number;
  chain_id: number | null;
  kind: string;
  text: string;
  open: boolean;
  delivered: boolean | null;
}

/** `metrics`: one series of those that `/metrics` gives. */
export interface Metric {
  name: string;
  labels: Record<string, string>;
  value: number;
}
