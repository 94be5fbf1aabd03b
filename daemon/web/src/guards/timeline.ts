//! Incidents on a time line: when they were flagged, how they scored, and when the vault was paused.

import { s } from '../ui/dom';
import { dateTime } from '../ui/format';
import type { Thresholds } from './plot';

/** What the line shows of an incident. */
export interface Mark {
  id: string;
  /** Unix seconds by the chain's clock. */
  at: number;
  score: number | null;
  verdict: 'pending' | 'released' | 'held' | 'waits' | 'claimed';
}

/** A pause of the vault, in Unix seconds. */
export interface Pause {
  from: number;
  until: number;
}

const HEIGHT = 170;
const LEFT = 14;
const RIGHT = 16;
const TOP = 12;
const BOTTOM = 26;
/** Least seconds that the line spans. */
const SPAN = 60;

/** The line, `width` CSS pixels wide. Each incident is a link that `address` gives. */
export function timeline(width: number, marks: readonly Mark[], pauses: readonly Pause[], now: number, thresholds: Thresholds, address: (id: string) => string): SVGSVGElement {
  const first = Math.min(now, ...marks.map((mark) => mark.at));
  const last = Math.max(now, ...marks.map((mark) => mark.at));
  const span = Math.max(SPAN, last - first) * 1.06;
  const from = last - span * 0.97;
  const x = (at: number) => LEFT + Math.min(1, Math.max(0, (at - from) / span)) * (width - LEFT - RIGHT);
  const y = (score: number) => TOP + (1 - Math.min(1, score / thresholds.most)) * (HEIGHT - TOP - BOTTOM);
  const level = (score: number, name: string, words: string, below: number) => [
    s('line', { class: name, x1: LEFT, x2: width - RIGHT, y1: y(score), y2: y(score) }),
    s('text', { class: 'plot-text', x: LEFT, y: y(score) + below }, words),
  ];
  const box = { role: 'group', 'aria-label': `${marks.length} incidents by time and score` };
  return s('svg', { class: 'plot timeline', viewBox: `0 0 ${width} ${HEIGHT}`, ...box },
    pauses.map((pause) => s('rect', { class: 'plot-pause', x: x(pause.from), y: TOP, width: Math.max(2, x(Math.min(pause.until, from + span)) - x(pause.from)), height: HEIGHT - TOP - BOTTOM },
      s('title', {}, `Paused until ${dateTime(pause.until * 1000)}`))),
    level(thresholds.pause_at, 'plot-level hold', `held from ${thresholds.pause_at} on`, -5),
    level(thresholds.release_below, 'plot-level release', `released below ${thresholds.release_below}`, 14),
    s('line', { class: 'plot-axis', x1: LEFT, x2: width - RIGHT, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM }),
    ticks(from, from + span, Math.max(2, Math.floor(width / 110))).map((tick) => s('text', { class: 'plot-text', x: x(tick), y: HEIGHT - 8, 'text-anchor': 'middle' }, tickText(tick, span))),
    marks.map((mark) => {
      const cy = mark.score === null ? HEIGHT - BOTTOM : y(mark.score);
      const words = `Incident ${mark.id}, ${dateTime(mark.at * 1000)}, ${mark.score === null ? 'no score yet' : `score ${mark.score}`}, ${mark.verdict}`;
      return s('a', { href: address(mark.id), class: 'plot-mark', 'aria-label': words },
        s('circle', { class: 'plot-target', cx: x(mark.at), cy, r: 14 }),
        s('circle', { class: `plot-incident ${mark.verdict}`, cx: x(mark.at), cy, r: 7 }),
        s('title', {}, words));
    }));
}

/** Lengths between ticks, in seconds. */
const STEPS = [10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 86_400, 604_800, 2_592_000];

function ticks(from: number, to: number, most: number): number[] {
  const step = STEPS.find((candidate) => (to - from) / candidate <= most) ?? (to - from) / most;
  const list: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) list.push(at);
  return list;
}

function tickText(at: number, span: number): string {
  const when = new Date(at * 1000);
  if (span > 172_800) return when.toLocaleDateString([], { day: 'numeric', month: 'short' });
  return when.toLocaleTimeString([], span < 600 ? { hour: '2-digit', minute: '2-digit', second: '2-digit' } : { hour: '2-digit', minute: '2-digit' });
}
