//! Pictures on buttons, drawn here so that they look the same with every font.

import { s } from './dom';

const PATHS = {
  first: 'M6 5v14M18 5l-9 7 9 7z',
  back: 'M16 5l-9 7 9 7z',
  forward: 'M8 5l9 7-9 7z',
  last: 'M18 5v14M6 5l9 7-9 7z',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M5 19l2-2M17 7l2-2',
  moon: 'M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z',
  close: 'M6 6l12 12M18 6L6 18',
  flip: 'M7 4v14M7 18l-3-3M7 18l3-3M17 20V6M17 6l-3 3M17 6l3 3',
} as const;

/** A picture for a button that has a label of its own. */
export function icon(name: keyof typeof PATHS): SVGSVGElement {
  const solid = ['first', 'back', 'forward', 'last', 'moon'].includes(name);
  return s('svg', { class: 'icon-svg', viewBox: '0 0 24 24', 'aria-hidden': 'true', fill: solid ? 'currentColor' : 'none', stroke: 'currentColor', 'stroke-width': 2, 'stroke-linecap': 'round', 'stroke-linejoin': 'round' },
    s('path', { d: PATHS[name] }));
}
