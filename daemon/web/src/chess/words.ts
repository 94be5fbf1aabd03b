//! Pieces, squares and moves in words, for screen readers.

import type { Color, Move, PieceSymbol } from 'chess.js';

export const PIECES: Record<PieceSymbol, string> = { p: 'pawn', n: 'knight', b: 'bishop', r: 'rook', q: 'queen', k: 'king' };

/** `white knight`. */
export function piece(color: Color, type: PieceSymbol): string {
  return `${color === 'w' ? 'white' : 'black'} ${PIECES[type]}`;
}

/** `knight from g1 to f3`, with what else it does. */
export function spoken(move: Move): string {
  const end = move.san.endsWith('#') ? ', checkmate' : move.san.endsWith('+') ? ', check' : '';
  if (move.isKingsideCastle()) return `castles king side${end}`;
  if (move.isQueensideCastle()) return `castles queen side${end}`;
  const takes = move.captured === undefined ? 'to' : `takes ${PIECES[move.captured]} on`;
  const passing = move.isEnPassant() ? ' in passing' : '';
  const promotes = move.promotion === undefined ? '' : `, promotes to ${PIECES[move.promotion]}`;
  return `${PIECES[move.piece]} from ${move.from} ${takes} ${move.to}${passing}${promotes}${end}`;
}
