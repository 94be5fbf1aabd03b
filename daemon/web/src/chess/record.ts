//! A game as the page knows it: replayed move by move by chess.js.

import { Chess, type Color, type Move, type PieceSymbol, type Square } from 'chess.js';
import { encodePacked, keccak256, type Hex } from 'viem';
import { positionHash, seen } from './encode';

export type { Color, Move, PieceSymbol, Square };

/** One half-move of the record. */
export interface Played {
  uci: string;
  san: string;
  move: Move;
  /** FEN before and after. */
  before: string;
  after: string;
}

/** A game replayed from the first position. */
export class GameRecord {
  readonly played: Played[] = [];
  private readonly chess = new Chess();
  private readonly hashed: Hex[] = [];

  /** Replays moves; throws if one of them is illegal, which would mean that the arena allowed what chess forbids. */
  constructor(moves: string[] = []) {
    for (const uci of moves) this.play(uci);
  }

  /** Adds a move. */
  play(uci: string): Played {
    const move = this.chess.move({ from: uci.slice(0, 2), to: uci.slice(2, 4), ...(uci.length > 4 ? { promotion: uci.charAt(4) } : {}) });
    const played = { uci, san: move.san, move, before: move.before, after: move.after };
    this.played.push(played);
    return played;
  }

  /** The first moves of this game as a game of its own. */
  upTo(plies: number): GameRecord {
    return plies >= this.played.length ? this : new GameRecord(this.played.slice(0, plies).map((p) => p.uci));
  }

  get fen(): string { return this.chess.fen(); }
  get turn(): Color { return this.chess.turn(); }
  get plies(): number { return this.played.length; }
  get last(): Played | null { return this.played.at(-1) ?? null; }
  get check(): boolean { return this.chess.inCheck(); }
  get mate(): boolean { return this.chess.isCheckmate(); }
  get stalemate(): boolean { return this.chess.isStalemate(); }
  get insufficient(): boolean { return this.chess.isInsufficientMaterial(); }

  /** Half-moves since the last capture or pawn move. */
  get quietPlies(): number { return Number(this.fen.split(' ')[4] ?? 0); }

  /** Legal moves, all or from one square. */
  moves(square?: Square): Move[] {
    return square === undefined ? this.chess.moves({ verbose: true }) : this.chess.moves({ verbose: true, square });
  }

  /** Whether a move is legal, as it stands. */
  allows(uci: string): boolean {
    return this.moves(uci.slice(0, 2) as Square).some((m) => m.from + m.to + (m.promotion ?? '') === uci);
  }

  /** The piece on a square. */
  at(square: Square) { return this.chess.get(square); }

  /** The square of a side's king. */
  king(color: Color): Square | null { return this.chess.findPiece({ type: 'k', color })[0] ?? null; }

  /** What a side has captured, the most valuable first. A promoted piece counts as what it was captured as. */
  captured(by: Color): PieceSymbol[] {
    const order = 'qrbnp';
    return this.played
      .filter((p) => p.move.color === by && p.move.captured !== undefined)
      .map((p) => p.move.captured as PieceSymbol)
      .sort((a, b) => order.indexOf(a) - order.indexOf(b));
  }

  /** White's material less Black's, in pawns. */
  get balance(): number {
    const worth: Record<PieceSymbol, number> = { p: 1, n: 3, b: 3, r: 5, q: 9, k: 0 };
    return this.chess.board().flat().reduce((sum, piece) => sum + (piece === null ? 0 : piece.color === 'w' ? worth[piece.type] : -worth[piece.type]), 0);
  }

  /** Hashes of all positions, the first one included. Each is made once: that takes a search for moves. */
  private hashes(): Hex[] {
    if (this.hashed.length === 0) this.hashed.push(positionHash(seen(new Chess().fen())));
    for (const { after } of this.played.slice(this.hashed.length - 1)) this.hashed.push(positionHash(seen(after)));
    return this.hashed;
  }

  /** How often the present position has been there. */
  get times(): number {
    const hashes = this.hashes();
    return hashes.filter((hash) => hash === hashes.at(-1)).length;
  }

  /**
   * What `claimThreefold` takes: the arena chains the positions before and after each move of the human, and wants the
   * tail of the chain in which the present position repeats.
   */
  repetition(humanIsWhite: boolean): { start: Hex; pairs: [Hex, Hex][] } {
    const hashes = this.hashes();
    const zero: Hex = `0x${'0'.repeat(64)}`;
    const pairs: [Hex, Hex][] = humanIsWhite ? [] : [[zero, hashes[0] ?? zero]];
    for (let ply = humanIsWhite ? 0 : 1; ply < this.plies; ply += 2) pairs.push([hashes[ply] ?? zero, hashes[ply + 1] ?? zero]);
    const now = hashes.at(-1);
    let start: Hex = `0x${'0'.repeat(63)}1`;
    const first = pairs.findIndex((pair) => pair.includes(now ?? zero));
    for (const [before, after] of pairs.splice(0, Math.max(0, first))) {
      start = keccak256(encodePacked(['bytes32', 'bytes32', 'bytes32'], [start, before, after]));
    }
    return { start, pairs };
  }
}
