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
  head: { number: number; hash: Hex; timestamp: number } | null;
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

/** An offer of games against a model. */
export interface Offer {
  offer_id: string;
  host: Hex;
  verifier: Hex;
  model_id: Hex;
  stake: string;
  move_time_s: number;
  max_games: number;
  running: number;
  open: boolean;
  /** Whether this daemon plays the network's side of its games. */
  served: boolean;
}

export interface PlayedMove {
  ply: number;
  by: 'human' | 'npc';
  uci: string;
  block: number;
  tx: Hex;
  /** The block's time, Unix seconds. */
  at: number;
  /** Of an NPC's move: which place of the ranking it had, 0 the best. */
  rank?: number | null;
}

export interface Game {
  id: string;
  arena: Hex;
  chain_id: number;
  human: Hex;
  host: Hex;
  verifier: Hex;
  model_id: Hex;
  offer_id: string;
  stake: string;
  move_time_s: number;
  /** Unix seconds on the chain's clock. */
  deadline: number;
  ply: number;
  human_is_white: boolean;
  human_to_move: boolean;
  outcome: null | 'human' | 'npc' | 'draw';
  reason: string | null;
  fen: string;
  moves: PlayedMove[];
  npc: Progress | null;
}

/** The proof of one move of the NPC, as it stands in its transaction. */
export interface MoveProof {
  model_id: Hex;
  verifier: Hex;
  instances: Hex[];
  proof: Hex;
  calldata: Hex;
  ranking: { place: number; index: number; uci: string | null; legal: boolean }[];
  gas_used: number | string;
  tx: Hex;
  block: number;
  submitter: Hex;
}

/** What was staked on a move in the open window. */
export interface Tally { uci: string; weight: string; voters: number }

/** A game of the World against the network. The World is the human side. */
export interface World {
  id: string;
  arena: Hex;
  chain_id: number;
  host: Hex;
  verifier: Hex;
  model_id: Hex;
  /** What the host put up, wei. */
  pot: string;
  /** The least that a vote must bring, wei. */
  least_stake: string;
  window_s: number;
  move_time_s: number;
  deadline: number;
  ply: number;
  human_is_white: boolean;
  human_to_move: boolean;
  outcome: null | 'human' | 'npc' | 'draw';
  reason: string | null;
  fen: string;
  moves: PlayedMove[];
  npc: Progress | null;
  /** The voting window, if one is open or waits to be closed. */
  window: { opens: number; closes: number; round: number } | null;
  votes: Tally[];
  /** How many moves the World has played, and what is staked on them, wei. */
  rounds: number;
  in_play: string;
}
