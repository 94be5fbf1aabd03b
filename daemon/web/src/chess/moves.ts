//! Names of moves: UCI, the arena's move words, the network's move indices.

import type { Seen } from './encode';

/** A choice of a ranking. */
export interface Choice {
  /** 0 is the best. */
  place: number;
  /** The network's name of the move. */
  index: number;
  /** The move, or null if the index leads off the board. */
  uci: string | null;
}

const PROMOTIONS = ['', '', 'n', 'b', 'r', 'q'];

/** How many moves a ranking holds, and the bits of each. */
const RANKED = 16;
const BITS = 13n;

/** Steps (file, rank) of the eight directions, then of the eight knight's moves. */
const STEPS: [number, number][] = [
  [0, 1], [1, 1], [1, 0], [1, -1], [0, -1], [-1, -1], [-1, 0], [-1, 1],
  [1, 2], [2, 1], [2, -1], [1, -2], [-1, -2], [-2, -1], [-2, 1], [-1, 2],
];

/** The number of a square: a1 = 0, h8 = 63. */
export function squareIndex(name: string): number {
  return 8 * (name.charCodeAt(1) - 49) + name.charCodeAt(0) - 97;
}

/** The name of a square. */
export function squareName(index: number): string {
  return String.fromCharCode(97 + (index & 7), 49 + (index >> 3));
}

/** The word by which the arena names a move: from | to << 6 | promotion << 12. */
export function moveWord(uci: string): bigint {
  const promotion = uci.length > 4 ? PROMOTIONS.indexOf(uci.charAt(4)) : 0;
  return BigInt(squareIndex(uci.slice(0, 2)) | (squareIndex(uci.slice(2, 4)) << 6) | (promotion << 12));
}

/** The move that an index names on this position, by squares as White sees them. */
export function moveOfIndex(position: Seen, index: number): string | null {
  const from = index & 63;
  const plane = index >> 6;
  const file = from & 7;
  const rank = from >> 3;
  let to: [number, number];
  let promotion = '';
  if (plane < 64) {
    const distance = plane < 56 ? (plane % 7) + 1 : 1;
    const step = STEPS[plane < 56 ? Math.floor(plane / 7) : plane - 48];
    if (step === undefined) return null;
    to = [file + distance * step[0], rank + distance * step[1]];
    if (to[1] === 7 && position.squares[from] === 1) promotion = 'q';
  } else {
    const under = plane - 64;
    if (under > 8 || rank !== 6) return null;
    to = [file + Math.floor(under / 3) - 1, 7];
    promotion = ['n', 'b', 'r'][under % 3] ?? '';
  }
  if (to.some((at) => at < 0 || at > 7)) return null;
  const turn = (square: number) => squareName(position.white ? square : square ^ 56);
  return turn(from) + turn(8 * to[1] + to[0]) + promotion;
}

/** The choices that a ranking word holds, the best first. */
export function choices(position: Seen, ranking: bigint): Choice[] {
  return Array.from({ length: RANKED }, (_, place) => {
    const index = Number((ranking >> (BITS * BigInt(place))) & 0x1fffn);
    return { place, index, uci: moveOfIndex(position, index) };
  });
}
