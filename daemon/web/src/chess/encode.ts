//! A chess position as the public inputs of a proof, made from its FEN.
//!
//! This is written from the description in ARCHITECTURE.md ("What is public in a chess proof") and shares nothing with
//! the daemon or the contracts, so that the page compares their work with work of its own.

import { Chess } from 'chess.js';
import { encodeAbiParameters, keccak256, type Address, type Hex } from 'viem';

/** A position as the network sees it: from the side to move. */
export interface Seen {
  /** Nibbles of the 64 squares, a1 first: 0 empty, 1–6 own P N B R Q K, 7–12 theirs. */
  squares: number[];
  /** Own king side, own queen side, their king side, their queen side. */
  rights: [boolean, boolean, boolean, boolean];
  /** The file (0–7) of a legal en-passant capture. */
  enPassant: number | null;
  /** Whether White is to move. */
  white: boolean;
}

const LETTERS = 'pnbrqk';

/** The position of a FEN, seen from the side to move. */
export function seen(fen: string): Seen {
  const [placement = '', side = 'w', castling = '-'] = fen.split(' ');
  const white = side === 'w';
  const squares = new Array<number>(64).fill(0);
  placement.split('/').forEach((row, i) => {
    // FEN begins with the eighth rank. Black looks at the board from the other end.
    const rank = white ? 7 - i : i;
    let file = 0;
    for (const letter of row) {
      const gap = Number(letter);
      if (gap > 0) {
        file += gap;
        continue;
      }
      const own = (letter === letter.toUpperCase()) === white;
      squares[8 * rank + file] = LETTERS.indexOf(letter.toLowerCase()) + (own ? 1 : 7);
      file += 1;
    }
  });
  const [ownK, ownQ, theirK, theirQ] = white ? 'KQkq' : 'kqKQ';
  const has = (letter: string | undefined) => letter !== undefined && castling.includes(letter);
  const capture = new Chess(fen).moves({ verbose: true }).find((move) => move.isEnPassant());
  return {
    squares,
    rights: [has(ownK), has(ownQ), has(theirK), has(theirQ)],
    enPassant: capture === undefined ? null : capture.to.charCodeAt(0) - 97,
    white,
  };
}

/** The words that stand in a proof for a position. */
export interface PositionWords { boardLo: bigint; boardHi: bigint; rightsA: bigint; rightsB: bigint }

/** Instances 3 to 6 of a proof about this position. */
export function positionWords(position: Seen): PositionWords {
  const plane = (1n << 64n) - 1n;
  const half = (from: number) => position.squares.slice(from, from + 32).reduce((sum, code, i) => sum | (BigInt(code) << BigInt(4 * i)), 0n);
  const [ownK, ownQ, theirK, theirQ] = position.rights.map((right) => (right ? plane : 0n)) as [bigint, bigint, bigint, bigint];
  return {
    boardLo: half(0),
    boardHi: half(32),
    rightsA: ownK | (ownQ << 64n) | (theirK << 128n),
    rightsB: theirQ | (position.enPassant === null ? 0n : 1n << BigInt(64 + 4 * position.enPassant)),
  };
}

/** What a request is hashed of. */
export interface Request { chainId: number; arena: Address; game: bigint; ply: number; submitter: Address }

/** Instances 0 and 1: the hash of the request, in two halves. */
export function requestWords(request: Request): [bigint, bigint] {
  const { chainId, arena, game, ply, submitter } = request;
  const types = [{ type: 'uint256' }, { type: 'address' }, { type: 'uint256' }, { type: 'uint256' }, { type: 'address' }] as const;
  const hash = BigInt(keccak256(encodeAbiParameters(types, [BigInt(chainId), arena, game, BigInt(ply), submitter])));
  return [hash >> 128n, hash & ((1n << 128n) - 1n)];
}

/** The arena's hash of a position, by which it knows repetitions. */
export function positionHash(position: Seen): Hex {
  const { boardLo, boardHi } = positionWords(position);
  const rights = position.rights.reduce((sum, right, i) => sum | (right ? 1n << BigInt(i) : 0n), 0n);
  const file = position.enPassant === null ? 0n : BigInt(position.enPassant + 1) << 4n;
  const side = position.white ? 0n : 1n << 8n;
  return keccak256(encodeAbiParameters([{ type: 'uint256' }, { type: 'uint256' }], [boardLo | (boardHi << 128n), rights | file | side]));
}
