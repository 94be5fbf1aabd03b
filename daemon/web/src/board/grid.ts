//! The board for keyboards and screen readers: a grid of 64 cells over the drawn board. Arrow keys move, Enter or Space
//! chooses, Escape takes the choice back. Pointers go through it to the board below.

import type { Color, PieceSymbol, Square } from 'chess.js';
import { piece } from '../chess/words';
import { h, set } from '../ui/dom';
import { announce } from '../ui/live';

export interface GridKeys {
  choose(square: Square): void;
  cancel(): void;
}

const FILES = 'abcdefgh';

export class Grid {
  readonly element: HTMLElement;
  private readonly cells = new Map<Square, HTMLElement>();
  private color: Color = 'w';
  private current: Square = 'e2';
  private pieces = new Map<Square, string>();

  constructor(label: string, private readonly keys: GridKeys) {
    this.element = h('div', { class: 'grid', role: 'grid', 'aria-label': label, onkeydown: (event) => this.key(event) });
    this.build();
    this.show('8/8/8/8/8/8/8/8 w - - 0 1');
  }

  private build(): void {
    this.cells.clear();
    const rows = Array.from({ length: 8 }, (_, row) => {
      const rank = this.color === 'w' ? 8 - row : row + 1;
      const cells = Array.from({ length: 8 }, (_, column) => {
        const file = FILES.charAt(this.color === 'w' ? column : 7 - column);
        const square = `${file}${rank}` as Square;
        const dark = (FILES.indexOf(file) + rank) % 2 === 1;
        // Coordinates stand in the squares of the lowest row and of the first column; the style sheet draws them.
        const cell = h('div', {
          class: `cell ${dark ? 'dark' : 'light'}`, role: 'gridcell', tabindex: -1, 'data-cell': square, onclick: () => this.keys.choose(square),
          'data-rank': column === 0 ? rank : null, 'data-file': row === 7 ? file : null,
        });
        this.cells.set(square, cell);
        return cell;
      });
      return h('div', { class: 'row', role: 'row' }, cells);
    });
    this.element.replaceChildren(...rows);
    this.cells.get(this.current)?.setAttribute('tabindex', '0');
  }

  /** Turns the grid with the board. */
  turn(color: Color): void {
    if (color === this.color) return;
    const focused = this.element.contains(document.activeElement);
    this.color = color;
    this.build();
    this.name();
    if (focused) this.focus();
  }

  /** Names the pieces of a position. */
  show(fen: string): void {
    this.pieces = new Map();
    (fen.split(' ')[0] ?? '').split('/').forEach((row, i) => {
      let file = 0;
      for (const letter of row) {
        const gap = Number(letter);
        if (gap > 0) {
          file += gap;
          continue;
        }
        const lower = letter.toLowerCase();
        this.pieces.set(`${FILES.charAt(file)}${8 - i}` as Square, piece(letter === lower ? 'b' : 'w', lower as PieceSymbol));
        file += 1;
      }
    });
    this.name();
  }

  private name(): void {
    for (const [square, cell] of this.cells) {
      const states = [cell.dataset['state'] ?? ''].filter((state) => state !== '');
      cell.setAttribute('aria-label', [`${square}, ${this.pieces.get(square) ?? 'empty'}`, ...states].join(', '));
    }
  }

  /** Whether moves can be made here. */
  enable(enabled: boolean): void {
    set(this.element, { 'aria-readonly': enabled ? 'false' : 'true' });
  }

  /** Says in the cells what is marked on the board. */
  mark(selected: Square | null, targets: Square[], last: [Square, Square] | null, check: Square | null): void {
    for (const [square, cell] of this.cells) {
      cell.setAttribute('aria-selected', selected === square ? 'true' : 'false');
      cell.dataset['state'] = [
        targets.includes(square) ? 'can go here' : '',
        last?.includes(square) === true ? 'last move' : '',
        check === square ? 'in check' : '',
      ].filter((state) => state !== '').join(', ');
    }
    this.name();
  }

  /** Says something of a square. */
  say(square: Square, what: string): void {
    announce(`${this.pieces.get(square) ?? 'empty square'} on ${square} ${what}`);
  }

  focus(): void {
    this.cells.get(this.current)?.focus();
  }

  private key(event: KeyboardEvent): void {
    const steps: Record<string, [number, number]> = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0], Home: [-8, 0], End: [8, 0], PageUp: [0, 8], PageDown: [0, -8] };
    const step = steps[event.key];
    const at = (event.target as HTMLElement).dataset['cell'] as Square | undefined;
    if (at === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    if (step !== undefined) {
      const side = this.color === 'w' ? 1 : -1;
      const within = (n: number) => Math.min(7, Math.max(0, n));
      const file = within(FILES.indexOf(at.charAt(0)) + side * step[0]);
      const rank = within(Number(at.charAt(1)) - 1 + side * step[1]);
      this.go(`${FILES.charAt(file)}${rank + 1}` as Square);
    } else if (event.key === 'Enter' || event.key === ' ') {
      this.current = at;
      this.keys.choose(at);
    } else if (event.key === 'Escape') {
      this.keys.cancel();
    } else {
      return;
    }
    event.preventDefault();
  }

  private go(square: Square): void {
    this.cells.get(this.current)?.setAttribute('tabindex', '-1');
    this.current = square;
    const cell = this.cells.get(square);
    cell?.setAttribute('tabindex', '0');
    cell?.focus();
  }
}
