//! The shapes of the public API that the pages use, as its document says them.

import type { components } from './schema';

/** A 0x-hex string. */
export type Hex = `0x${string}`;

/** Fields that are 0x-hex; the document calls them strings. */
type HexField =
  | 'account' | 'address' | 'arena' | 'asset' | 'calldata' | 'contract' | 'feed_id' | 'governance' | 'hash' | 'host' | 'human' | 'instances' | 'model_id'
  | 'proof' | 'publisher' | 'receiver' | 'signature' | 'signer' | 'submitter' | 'tx' | 'vault' | 'verifier';

type AsHex<T> = T extends readonly string[] ? Hex[] : T extends string ? Hex : Told<T>;

/** The daemon writes every field, `null` where there is nothing; the document calls those that may be `null` optional. */
type Told<T> = T extends readonly (infer I)[] ? Told<I>[]
  : T extends object ? { [K in keyof T]-?: K extends HexField ? AsHex<Exclude<T[K], undefined>> : Told<Exclude<T[K], undefined>> }
  : T;

/** Every shape of the document. */
export type Schemas = Told<components['schemas']>;

/** What the daemon serves. */
export type Info = Schemas['Info'];
export type Chain = Schemas['ChainInfo'];
export type Model = Schemas['ModelInfo'];
/** How far an answer is, of any app. */
export type Progress = Schemas['Progress'];
/** An offer of games against a model. */
export type Offer = Schemas['OfferView'];
/** A game without its moves. */
export type GameSummary = Schemas['GameSummary'];
/** A game with its moves. */
export type Game = Schemas['GameView'];
export type PlayedMove = Schemas['MoveView'];
/** The proof of one move of the NPC, as it stands in its transaction. */
export type MoveProof = Schemas['MoveProof'];

/** What was staked on a move in the open window. */
export type Tally = Schemas['TallyView'];
/** A game of the World without its moves and votes. */
export type WorldSummary = Schemas['WorldSummary'];
/** A game of the World against the network. The World is the human side. */
export type World = Schemas['WorldView'];
