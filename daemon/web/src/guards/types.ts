//! What the API tells of guarded vaults: `GET /chains/{chain}/guards/{vault}`, `…/incidents`, and the events `guard` and `incident`
//! of its stream.

import type { Hex, Progress } from '../api/types';
import type { Quantile } from './quantiles';

export interface Guard {
  chain_id: number;
  vault: Hex;
  name: string;
  symbol: string;
  asset: Hex;
  /** Decimals of the asset. */
  decimals: number;
  /** What belongs to the shares, in the asset's smallest unit. */
  total_assets: string;
  /** What flagged withdrawals wait for. */
  escrowed: string;
  paused: boolean;
  /** Unix seconds at which the last pause ends or ended; `null` if there was none. */
  paused_until: number | null;
  /** The incident that began it. */
  paused_by: string | null;
  governance: Hex;
  verifier: Hex;
  model_id: Hex;
  release_below: number;
  pause_at: number;
  /** Seconds. */
  delay: number;
  pause: number;
  grace: number;
  window: number;
  /** Ten-thousandths of the vault that one withdrawal may take, and all within the window. */
  single_bps: number;
  window_bps: number;
  incidents: number;
}

export interface Incident {
  id: string;
  round: number;
  account: Hex;
  receiver: Hex;
  /** In the asset's smallest unit. */
  amount: string;
  /** Whether it was flagged for its own size, not for what else left within the window. */
  large: boolean;
  state: 'delayed' | 'released' | 'held' | 'claimed';
  verdict: 'pending' | 'released' | 'held' | 'waits';
  score: number | null;
  /** Unix seconds. */
  asked_at: number;
  /** From when it may be taken out in any case. */
  release_at: number;
  features: Feature[];
  txs: { kind: string; tx: Hex; block: number; timestamp: number }[];
  progress: Progress | null;
}

export interface Feature {
  name: string;
  value: number;
  /** The training population's. */
  quantiles: Quantile[];
}
