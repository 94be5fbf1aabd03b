//! The choice of a piece when a pawn reaches the last rank: four buttons on the board, over the square.

import type { Color, Square } from 'chess.js';
import { PIECES } from '../chess/words';
import { h } from '../ui/dom';
import { announce } from '../ui/live';
import type { Board } from './board';
import { pieceIcon } from './pieces';

const CHOICES = ['q', 'r', 'b', 'n'] as const;

/** Asks for a piece; null if the visitor takes the move back. */
export function promotion(board: Board, color: Color, square: Square): Promise<(typeof CHOICES)[number] | null> {
  return new Promise((done) => {
    const before = document.activeElement;
    const close = (choice: (typeof CHOICES)[number] | null) => {
      shade.remove();
      document.removeEventListener('keydown', key, true);
      if (before instanceof HTMLElement) before.focus();
      done(choice);
    };
    const buttons = CHOICES.map((type) =>
      h('button', { class: 'promote', type: 'button', 'data-piece': type, 'aria-label': PIECES[type], onclick: () => close(type) }, pieceIcon(color, type)));
    const box = h('div', { class: 'promotion', role: 'dialog', 'aria-modal': 'true', 'aria-label': 'Promote to' }, buttons);
    const shade = h('div', { class: 'promotion-shade', onclick: (event) => event.target === shade && close(null) }, box);
    // All keys are the choice's while it is open, wherever a click has left the focus.
    const key = (event: KeyboardEvent) => {
      const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
      const step = event.key === 'ArrowDown' || event.key === 'ArrowRight' || (event.key === 'Tab' && !event.shiftKey) ? 1
        : event.key === 'ArrowUp' || event.key === 'ArrowLeft' || event.key === 'Tab' ? -1 : 0;
      if (event.key === 'Escape') close(null);
      else if (step !== 0) buttons[(at + step + buttons.length) % buttons.length]?.focus();
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    document.addEventListener('keydown', key, true);
    const { left, top } = board.place(square);
    box.style.left = `${left * 100}%`;
    if (top < 0.5) box.style.top = '0';
    else {
      box.style.bottom = '0';
      box.style.flexDirection = 'column-reverse';
    }
    board.frame.append(shade);
    // After the click that led here has put the focus where it wants.
    setTimeout(() => buttons[0]?.focus());
    announce('Promote to queen, rook, bishop or knight?');
  });
}
