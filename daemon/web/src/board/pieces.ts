//! Pieces outside of the board: captured ones, the promotion's choices. They use the sprite that the board has loaded.

import type { Color, PieceSymbol } from 'chess.js';
import { s } from '../ui/dom';

/** A picture of a piece. */
export function pieceIcon(color: Color, type: PieceSymbol): SVGSVGElement {
  return s('svg', { class: 'piece-icon', viewBox: '0 0 40 40', 'aria-hidden': 'true' }, s('use', { href: `#${color}${type}` }));
}
