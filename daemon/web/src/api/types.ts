//! The shapes of the public API that the pages use.

/** A 0x-hex string. */
export type Hex = `0x${string}`;

/** `GET /info`. */
export interface Info {
  version: string;
  public: boolean;
  chains: Chain[];
  models: Model[];
}

export interface Chain {
  chain_id: number;
  head: { number: number; hash: Hex; timestamp: number };
  confirmations: number;
  finality: number;
  rpc_url: string | null;
  explorer: string | null;
  demo: boolean;
  apps: { kind: 'chess' | 'world' | 'market' | 'guard' | 'oracle'; contract: Hex }[];
}

export interface Model {
  model_id: Hex;
  name: string;
  kind: string;
  elo: number | null;
  macs: number | null;
  prove_s: number | null;
  gas: number | null;
}

/** How far an answer is, of any app. */
export interface Progress {
  job: number | string;
  round: number;
  phase: 'seen' | 'proving' | 'proved' | 'submitted' | 'included' | 'final' | 'failed' | 'moot' | 'forfeited';
  step: string | null;
  fraction: number;
  times: {
    seen_ms: number | null;
    inferred_ms: number | null;
    proved_ms: number | null;
    submitted_ms: number | null;
    included_ms: number | null;
    final_ms: number | null;
  };
  tx: Hex | null;
  note: string | null;
}
