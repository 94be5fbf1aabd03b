//! What the operator's part of the API tells: `/api/v1/operator/…`, behind the token.

import type { Hex, Progress } from '../api/types';

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
  /** Milliseconds that the latest answer took. */
  latency_ms: number | null;
  /** The latest failure. */
  trouble: string | null;
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
  updated_at: number;
}

/** `transactions`. */
export interface Tx {
  id: number;
  signer: Hex | null;
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
  times: Progress['times'];
  /** The step of the proof in the making, in words. */
  step: string | null;
}

/** `keys`. */
export interface Key {
  chain_id: number;
  name: string;
  address: Hex;
  balance: string | null;
  /** Most wei in any hour and in any 24 hours, and what was spent or is under way of it. */
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
  /** Mean of the newest proofs; `null` before the first. */
  prove_s: number | null;
  gas: number | null;
  rows: number;
  columns: number;
  key_bytes: number;
  memory_bytes: number;
}

/** `alerts`. */
export interface Alert {
  at: number;
  chain_id: number;
  kind: string;
  text: string;
  open: boolean;
  /** Whether every webhook took it; `null` while that is under way, or without a webhook. */
  delivered: boolean | null;
}

/** `metrics`: one series of those that `/metrics` gives. */
export interface Metric {
  name: string;
  labels: Record<string, string>;
  /** `null` for what is no number. */
  value: number | null;
}
