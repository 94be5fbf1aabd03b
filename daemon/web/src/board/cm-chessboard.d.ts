//! What the pages use of cm-chessboard, which has no types of its own.

declare module 'cm-chessboard/src/Chessboard.js' {
  export const COLOR: { white: 'w'; black: 'b' };
  export const INPUT_EVENT_TYPE: {
    moveInputStarted: 'moveInputStarted';
    movingOverSquare: 'movingOverSquare';
    validateMoveInput: 'validateMoveInput';
    moveInputCanceled: 'moveInputCanceled';
    moveInputFinished: 'moveInputFinished';
  };
  export interface InputEvent {
    type: string;
    squareFrom: string;
    squareTo: string | null;
    legalMove?: boolean;
  }
  export interface View {
    svg: SVGSVGElement;
    boardGroup: SVGGElement;
    markersLayer: SVGGElement;
    markersTopLayer: SVGGElement;
    squareWidth: number;
    squareToPoint(square: string): { x: number; y: number };
  }
  export class Chessboard {
    constructor(context: HTMLElement, props: Record<string, unknown>);
    view: View;
    state: { moveInputCallback: unknown };
    setPosition(fen: string, animated?: boolean): Promise<void>;
    setOrientation(color: 'w' | 'b', animated?: boolean): Promise<void>;
    getOrientation(): 'w' | 'b';
    getPiece(square: string): string | undefined;
    enableMoveInput(handler: (event: InputEvent) => boolean | undefined, color?: 'w' | 'b'): void;
    disableMoveInput(): void;
    cancelMoveInput(): void;
    destroy(): void;
  }
}

declare module 'cm-chessboard/src/model/Extension.js' {
  import type { Chessboard } from 'cm-chessboard/src/Chessboard.js';
  export const EXTENSION_POINT: { afterRedrawBoard: string; boardChanged: string };
  export class Extension {
    constructor(chessboard: Chessboard);
    chessboard: Chessboard;
    registerExtensionPoint(name: string, callback: () => void): void;
  }
}
