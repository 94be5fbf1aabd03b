//! What the API tells of markets: `GET /chains/{chain}/markets`, `/markets/{id}`, and the event `market` of its stream.

import type { Hex, Progress } from '../api/types';

export interface Market {
  chain_id: number;
  contract: Hex;
  id: string;
  question: string;
  /** `open` takes bets, `closed` waits for its bulletin, `decided` and `undecided` are at an end. */
  state: 'open' | 'closed' | 'decided' | 'undecided';
  /** In the order of the model's classes, without the one that decides nothing. */
  outcomes: Outcome[];
  /** All pools, in wei. */
  total: string;
  /** Unix seconds from which bets are refused and bulletins count. */
  close: number;
  /** The last second in which it can be decided. */
  deadline: number;
  publisher: Hex;
  feed_id: Hex;
  /** The bulletin's number in its feed. */
  sequence: number;
  verifier: Hex;
  model_id: Hex;
  /** The least margin that decides. */
  min_margin: number;
  /** The class that decides nothing, if there is one. */
  no_result: number | null;
  bulletin: Bulletin | null;
  answer: Answer | null;
  proof: Proof | null;
  /** Whether everybody gets their bets back. */
  refunds: boolean;
  progress: Progress | null;
}

export interface Outcome {
  class: number;
  name: string | null;
  /** What was bet on it, in wei. */
  pool: string;
}

export interface Bulletin {
  text: string;
  sequence: number;
  /** Unix seconds by the publisher's clock. */
  timestamp: number;
  signature: Hex;
  publisher: Hex;
}

/** What the classifier read in the bulletin. */
export interface Answer {
  class: number;
  name: string | null;
  /** Between its first and its second choice, in units of the model. */
  margin: number;
}

/** The transaction that carried the proof. */
export interface Proof {
  tx: Hex;
  block: number;
  gas_used: number | null;
  submitter: Hex;
}
