//! How far an answer is: a line of steps with their times, and the prover's own bar.

import type { Progress } from '../api/types';
import { fill, h } from './dom';
import { duration } from './format';

const STEPS = ['seen', 'inferred', 'proved', 'submitted', 'included', 'final'] as const;

const NAMES: Record<(typeof STEPS)[number], string> = {
  seen: 'Seen',
  inferred: 'Computed',
  proved: 'Proven',
  submitted: 'Sent',
  included: 'In a block',
  final: 'Final',
};

/** Ends that are no answer, in words. */
const ENDS: Partial<Record<Progress['phase'], string>> = {
  failed: 'It failed and needs its operator.',
  moot: 'Nobody needs this answer any more.',
  forfeited: 'It came too late.',
};

/** The whole state in a few words, for a line of text or a screen reader. */
export function phaseWords(progress: Progress): string {
  switch (progress.phase) {
    case 'seen': return 'The question was seen.';
    case 'proving': return progress.step === null ? 'The proof is being made.' : `The proof is being made: ${progress.step}.`;
    case 'proved': return 'The proof is made.';
    case 'submitted': return 'The answer was sent.';
    case 'included': return 'The answer is in a block.';
    case 'final': return 'The answer is final.';
    default: return ENDS[progress.phase] ?? progress.phase;
  }
}

/** Draws the steps into a place. */
export function drawProgress(place: Element, progress: Progress): void {
  const times = STEPS.map((step) => progress.times[`${step}_ms`]);
  const reached = times.reduce<number>((last, time, index) => (time === null ? last : index), -1);
  const over = ENDS[progress.phase] !== undefined || progress.phase === 'final';
  let before: number | null = null;
  const items = STEPS.map((step, index) => {
    const time = times[index] ?? null;
    const took = time !== null && before !== null ? duration(Math.max(0, time - before)) : '';
    if (time !== null) before = time;
    const state = time !== null || index < reached ? 'done' : index === reached + 1 && !over ? 'now' : 'later';
    return h('li', { class: `step ${state}`, 'aria-current': state === 'now' ? 'step' : null },
      h('span', { class: 'step-name' }, NAMES[step]), h('small', { class: 'num' }, took));
  });
  const bar = h('span');
  bar.style.width = `${Math.round(Math.min(1, Math.max(0, progress.fraction)) * 100)}%`;
  const proving = progress.phase === 'proving' ? h('div', { class: 'bar', role: 'progressbar', 'aria-label': 'Proof', 'aria-valuenow': Math.round(progress.fraction * 100), 'aria-valuemin': 0, 'aria-valuemax': 100 }, bar) : null;
  place.classList.add('progress');
  fill(place, h('ol', { class: 'steps' }, items), proving, h('p', { class: 'soft step-words' }, phaseWords(progress), progress.note === null || progress.note === '' ? null : ` ${progress.note}`));
}
