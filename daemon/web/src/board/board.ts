//! The board: cm-chessboard for pieces and pointers, an overlay for what is marked, a grid for keyboards and screen
//! readers.

import { Chessboard, INPUT_EVENT_TYPE, type InputEvent } from 'cm-chessboard/src/Chessboard.js';
import { Extension, EXTENSION_POINT } from 'cm-chessboard/src/model/Extension.js';
import type { Color, Square } from 'chess.js';
import { h, s } from '../ui/dom';
import { Grid } from './grid';

/** An arrow over the board. */
export interface Arrow {
  from: Square;
  to: Square;
  /** 0 … 1: how thick. */
  weight: number;
  kind: 'vote' | 'lead' | 'mine';
}

/** What is marked on the board. */
export interface Marks {
  last: [Square, Square] | null;
  check: Square | null;
  arrows: Arrow[];
}

/** Who is asked about moves, and told of them. */
export interface Mover {
  color: Color;
  /** Squares to which the piece on a square may go. */
  targets(from: Square): Square[];
  /** A legal move was made; it is on the board already. */
  moved(from: Square, to: Square): void;
  /** A move that the rules forbid was tried. */
  refused?(from: Square, to: Square): void;
}

export class Board {
  private readonly board: Chessboard;
  private readonly grid: Grid;
  private readonly box: HTMLElement;
  private marks: Marks = { last: null, check: null, arrows: [] };
  private selected: Square | null = null;
  private targets: Square[] = [];
  private mover: Mover | null = null;
  private shown = '';

  constructor(place: HTMLElement, label: string) {
    this.box = h('div', { class: 'board-box' });
    const frame = h('div', { class: 'board-frame' }, this.box);
    place.replaceChildren(frame);
    const draw = () => this.draw();
    class Overlay extends Extension {
      constructor(chessboard: Chessboard) {
        super(chessboard);
        this.registerExtensionPoint(EXTENSION_POINT.afterRedrawBoard, draw);
      }
    }
    this.board = new Chessboard(this.box, {
      position: '8/8/8/8/8/8/8/8',
      assetsUrl: '/assets/',
      style: {
        cssClass: 'zz',
        // Its coordinates have style attributes, which the pages' policy forbids; the grid has coordinates of its own.
        showCoordinates: false,
        borderType: 'none',
        pieces: { file: 'pieces.svg' },
        animationDuration: matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : 200,
      },
      extensions: [{ class: Overlay, props: {} }],
    });
    this.board.view.svg.setAttribute('aria-hidden', 'true');
    this.grid = new Grid(label, {
      choose: (square) => this.choose(square),
      cancel: () => this.cancel(),
    });
    frame.append(this.grid.element);
  }

  /** The frame, as a place for what lies over the board. */
  get frame(): HTMLElement {
    return this.box.parentElement ?? this.box;
  }

  get orientation(): Color {
    return this.board.getOrientation();
  }

  /** Turns the board so that this colour is at the bottom. */
  async turn(color: Color): Promise<void> {
    if (color !== this.board.getOrientation()) await this.board.setOrientation(color, false);
    this.grid.turn(color);
    this.draw();
  }

  /** Shows a position. */
  show(fen: string, marks: Partial<Marks> = {}): void {
    this.marks = { last: null, check: null, arrows: [], ...marks };
    if (fen !== this.shown) {
      const animated = this.shown !== '';
      this.shown = fen;
      this.select(null);
      void this.board.setPosition(fen, animated);
      this.grid.show(fen);
    }
    this.draw();
  }

  /** Puts the shown position back, after a move that was taken back. */
  restore(fen: string): void {
    this.shown = '';
    this.show(fen, this.marks);
  }

  /** Lets somebody move, or nobody. */
  enable(mover: Mover | null): void {
    if (mover === this.mover) return;
    // A move that has just been made still glides to its square; only one that was begun is taken back.
    if (this.selected !== null) this.board.cancelMoveInput();
    this.board.disableMoveInput();
    this.mover = mover;
    this.select(null);
    if (mover !== null) this.board.enableMoveInput((event) => this.input(event, mover), mover.color);
    this.grid.enable(mover !== null);
  }

  private input(event: InputEvent, mover: Mover): boolean | undefined {
    const from = event.squareFrom as Square;
    const to = event.squareTo as Square | null;
    switch (event.type) {
      case INPUT_EVENT_TYPE.moveInputStarted: {
        this.select(from);
        return true;
      }
      case INPUT_EVENT_TYPE.validateMoveInput:
        if (to === null) return false;
        if (mover.targets(from).includes(to)) return true;
        if (this.board.getPiece(to)?.charAt(0) !== mover.color) mover.refused?.(from, to);
        return false;
      case INPUT_EVENT_TYPE.moveInputCanceled:
        this.select(null);
        return undefined;
      case INPUT_EVENT_TYPE.moveInputFinished:
        this.select(null);
        if (event.legalMove === true && to !== null) {
          this.shown = '';
          mover.moved(from, to);
        }
        return undefined;
      default:
        return undefined;
    }
  }

  /** A square was chosen by keyboard, or by a screen reader's click. */
  private choose(square: Square): void {
    const mover = this.mover;
    if (mover === null) return;
    const from = this.selected;
    if (from !== null && this.targets.includes(square)) {
      this.board.cancelMoveInput();
      this.select(null);
      this.shown = '';
      mover.moved(from, square);
    } else if (square === from) {
      this.cancel();
    } else if (this.board.getPiece(square)?.charAt(0) === mover.color) {
      this.board.cancelMoveInput();
      this.select(square);
      this.grid.say(square, this.targets.length === 0 ? 'has no move' : `can go to ${this.targets.join(', ')}`);
    } else if (from !== null) {
      mover.refused?.(from, square);
    }
  }

  private cancel(): void {
    this.board.cancelMoveInput();
    this.select(null);
  }

  private select(square: Square | null): void {
    this.selected = square;
    this.targets = square === null || this.mover === null ? [] : [...new Set(this.mover.targets(square))];
    this.draw();
  }

  // ---------------------------------------------------------------- what is marked

  private draw(): void {
    // cm-chessboard draws once while it is being made.
    if (this.board === undefined || this.grid === undefined) return;
    const { view } = this.board;
    for (const square of view.boardGroup.querySelectorAll('.square')) {
      const name = square.getAttribute('data-square') as Square;
      square.classList.toggle('last', this.marks.last?.includes(name) ?? false);
      square.classList.toggle('check', this.marks.check === name);
      square.classList.toggle('selected', this.selected === name);
    }
    this.grid.mark(this.selected, this.targets, this.marks.last, this.marks.check);
    const size = view.squareWidth;
    const dots = this.targets.map((square) => {
      const { x, y } = view.squareToPoint(square);
      const capture = this.board.getPiece(square) !== undefined && this.board.getPiece(square) !== null;
      return s('circle', { class: capture ? 'target capture' : 'target', cx: x + size / 2, cy: y + size / 2, r: capture ? size * 0.44 : size * 0.16, 'stroke-width': size * 0.09 });
    });
    replaceGroup(view.markersLayer, 'targets', dots);
    replaceGroup(view.markersTopLayer, 'arrows', this.marks.arrows.map((arrow) => this.arrow(arrow)));
  }

  private arrow({ from, to, weight, kind }: Arrow): SVGElement {
    const { view } = this.board;
    const size = view.squareWidth;
    const a = view.squareToPoint(from);
    const b = view.squareToPoint(to);
    const length = Math.hypot(b.x - a.x, b.y - a.y);
    const wide = size * (0.07 + 0.13 * Math.min(1, weight));
    const head = Math.max(wide * 2.2, size * 0.24);
    const end = length - size * 0.12;
    const neck = end - head * 1.1;
    // Drawn to the right, then turned into place.
    const points = [[size * 0.22, -wide / 2], [neck, -wide / 2], [neck, -head / 2 - wide / 4], [end, 0], [neck, head / 2 + wide / 4], [neck, wide / 2], [size * 0.22, wide / 2]];
    const angle = (Math.atan2(b.y - a.y, b.x - a.x) * 180) / Math.PI;
    return s('polygon', {
      class: `arrow ${kind}`,
      points: points.map((p) => p.map((n) => (n ?? 0).toFixed(1)).join(',')).join(' '),
      transform: `translate(${a.x + size / 2} ${a.y + size / 2}) rotate(${angle.toFixed(2)})`,
    });
  }

  /** Where a square is, as a part of the board's width: for what lies over the board. */
  place(square: Square): { left: number; top: number } {
    const { view } = this.board;
    const { x, y } = view.squareToPoint(square);
    const width = view.squareWidth * 8 || 1;
    return { left: x / width, top: y / width };
  }

  /** Puts the keyboard's focus on the board. */
  focus(): void {
    this.grid.focus();
  }
}

function replaceGroup(layer: SVGGElement, name: string, children: SVGElement[]): void {
  let group = layer.querySelector(`:scope > .${name}`);
  if (group === null) {
    group = s('g', { class: name });
    layer.append(group);
  }
  group.replaceChildren(...children);
}
