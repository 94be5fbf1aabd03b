//! Small plots: where an account lies in a population, and a score on its scale. Each has its meaning as text.

import { s } from '../ui/dom';
import { place, shareBelow, valueAt, type Quantile } from './quantiles';

const WIDTH = 200;
const HEIGHT = 26;
const EDGE = 7;

/** A feature's value in its population. */
export interface Placed {
  value: number;
  /** The population's quantiles, in any order. */
  quantiles: readonly Quantile[];
}

const across = (part: number) => EDGE + part * (WIDTH - 2 * EDGE);

/** A strip: pale from the 5th to the 95th percentile, darker for the middle half, a stroke at the median, a dot for the account. */
export function strip(name: string, { value, quantiles }: Placed): SVGSVGElement {
  const ends = quantiles.map((quantile) => quantile.value);
  const least = Math.min(value, ...ends);
  const most = Math.max(value, ...ends);
  const x = (v: number) => across(place(v, least, most));
  const band = (from: number, to: number, name: string) => {
    const [a, b] = [valueAt(quantiles, from), valueAt(quantiles, to)];
    if (a === null || b === null) return null;
    return s('rect', { class: name, x: x(a), y: 6, width: Math.max(1, x(b) - x(a)), height: HEIGHT - 12, rx: 2 });
  };
  const median = valueAt(quantiles, 0.5);
  return s('svg', { class: 'plot', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': `${name}: ${standing({ value, quantiles })}` },
    s('line', { class: 'plot-axis', x1: EDGE, x2: WIDTH - EDGE, y1: HEIGHT / 2, y2: HEIGHT / 2 }),
    band(0.05, 0.95, 'plot-most'),
    band(0.25, 0.75, 'plot-half'),
    median === null ? null : s('line', { class: 'plot-median', x1: x(median), x2: x(median), y1: 4, y2: HEIGHT - 4 }),
    s('circle', { class: isUnusual({ value, quantiles }) ? 'plot-dot unusual' : 'plot-dot', cx: x(value), cy: HEIGHT / 2, r: 5 }));
}

/** Whether fewer than one in twenty accounts lie so far out. */
export function isUnusual({ value, quantiles }: Placed): boolean {
  const [low, high] = [valueAt(quantiles, 0.05), valueAt(quantiles, 0.95)];
  return low !== null && high !== null && (value < low || value > high);
}

/** The same in words. */
export function standing({ value, quantiles }: Placed): string {
  const share = shareBelow(quantiles, value);
  if (share === null) return 'no population to compare with';
  const sorted = quantiles.map((quantile) => quantile.value);
  if (value > Math.max(...sorted)) return 'above all of the population';
  if (value < Math.min(...sorted)) return 'below all of the population';
  const percent = Math.round(share * 100);
  if (percent >= 99) return 'at least as high as 99 % of the population';
  return percent <= 1 ? 'among the lowest 1 % of the population' : `at least as high as ${percent} % of the population`;
}

/** Where a score acts. */
export interface Thresholds {
  /** Scores below it release. */
  release_below: number;
  /** Scores from it on hold. */
  pause_at: number;
  /** The largest score that there is. */
  most: number;
}

const SCALE_WIDTH = 320;

/** A score on its scale, with what each part of the scale does. `null` draws the scale alone. */
export function scale(score: number | null, thresholds: Thresholds): SVGSVGElement {
  const { release_below, pause_at, most } = thresholds;
  const x = (v: number) => EDGE + (Math.min(most, Math.max(0, v)) / most) * (SCALE_WIDTH - 2 * EDGE);
  const part = (from: number, to: number, name: string) => s('rect', { class: name, x: x(from), y: 14, width: Math.max(0, x(to) - x(from)), height: 8 });
  const label = (v: number, way: 'start' | 'middle' | 'end', words: string) => s('text', { class: 'plot-text', x: x(v), y: 36, 'text-anchor': way }, words);
  return s('svg', { class: 'plot scale', viewBox: `0 0 ${SCALE_WIDTH} 40`, role: 'img', 'aria-label': `Score ${score ?? 'not known yet'}; below ${release_below} releases, from ${pause_at} on holds` },
    part(0, release_below, 'plot-release'),
    part(release_below, pause_at, 'plot-wait'),
    part(pause_at, most, 'plot-hold'),
    label(release_below, 'end', `${release_below}`),
    label(pause_at, 'start', `${pause_at}`),
    score === null ? null : s('path', { class: 'plot-score', d: `M ${x(score)} 13 l -5 -9 h 10 z` }));
}
