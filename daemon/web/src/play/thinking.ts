//! How far the network's answer is: seen → inferred → proving → submitted → final, with times and a bar.

import type { Progress } from '../api/types';
import { fill, h, set, text } from '../ui/dom';
import { duration } from '../ui/format';

const STEPS = [
  ['seen', 'Seen', 'seen_ms'],
  ['inferred', 'Inferred', 'inferred_ms'],
  ['proving', 'Proven', 'proved_ms'],
  ['submitted', 'Submitted', 'submitted_ms'],
  ['final', 'Final', 'final_ms'],
] as const;

/** The last step that a phase has surely done, as a place in `STEPS`. */
const REACHED: Record<Progress['phase'], number> = { seen: 0, proving: 0, proved: 2, submitted: 3, included: 3, final: 4, failed: 0, moot: 0, forfeited: 0 };

/** Phases in which nothing more will come. */
const ENDS: Partial<Record<Progress['phase'], string>> = { failed: 'The proof failed, and its host must look', moot: 'No answer is needed', forfeited: 'The time of the network ran out' };

export class Thinking {
  readonly element: HTMLElement;
  private readonly title = h('strong', {});
  private readonly detail = h('span', { class: 'soft num' });
  private readonly words = h('p', { class: 'soft thinking-step' });
  private readonly fillBar = h('span', {});
  private readonly bar: HTMLElement;
  private readonly stages: HTMLElement;
  private progress: Progress | null = null;
  private readonly timer: ReturnType<typeof setInterval>;

  constructor() {
    this.bar = h('div', { class: 'bar', role: 'progressbar', 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-label': "The network's answer" }, this.fillBar);
    this.stages = h('ol', { class: 'stages' });
    this.element = h('div', { class: 'thinking', hidden: true }, h('div', { class: 'thinking-head' }, this.title, this.detail), this.bar, this.words, this.stages);
    this.timer = setInterval(() => this.tick(), 200);
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** Shows a progress; `null` hides all. */
  show(progress: Progress | null): void {
    this.progress = progress;
    this.element.hidden = progress === null;
    if (progress === null) return;
    const { times, phase } = progress;
    // A daemon that was started anew has forgotten some times, and still knows how far it is.
    const reached = STEPS.map(([, , key], i) => times[key] !== null || i <= REACHED[phase]);
    const active = ENDS[phase] !== undefined ? -1 : reached.lastIndexOf(true) + 1;
    this.element.dataset['phase'] = phase;
    fill(this.stages, STEPS.map(([name, label, key], i) => {
      const at = times[key];
      const since = at === null || times.seen_ms === null || i === 0 ? null : duration(at - times.seen_ms);
      return h('li', { class: reached[i] ? 'done' : i === active ? 'active' : '', 'data-stage': name },
        h('span', { class: 'stage-name' }, i === active && name === 'proving' ? 'Proving' : label),
        h('span', { class: 'stage-time num' }, i === 0 ? '' : since ?? ''));
    }));
    const over = phase === 'included' || phase === 'final';
    text(this.title, ENDS[phase] ?? (over ? 'The network has answered'
      : phase === 'submitted' ? 'The proof is on its way' : phase === 'proved' ? 'The proof is made' : 'The network is thinking'));
    const share = over ? 1 : phase === 'submitted' || phase === 'proved' ? 1 : Math.min(1, Math.max(0, progress.fraction));
    this.fillBar.style.width = `${(share * 100).toFixed(1)}%`;
    set(this.bar, { 'aria-valuenow': Math.round(share * 100), 'aria-valuetext': `${Math.round(share * 100)} per cent${progress.step === null ? '' : `, ${progress.step}`}` });
    this.bar.classList.toggle('full', over);
    this.tick();
  }

  private tick(): void {
    const progress = this.progress;
    if (progress === null) return;
    text(this.words, progress.phase === 'proving' ? progress.step ?? 'waiting for its turn' : ENDS[progress.phase] !== undefined ? progress.note ?? '' : '');
    const { times, phase } = progress;
    if (ENDS[phase] !== undefined) return text(this.detail, '');
    if (times.seen_ms === null) return text(this.detail, '');
    const end = times.included_ms ?? times.final_ms;
    if (end !== null) return text(this.detail, `after ${duration(end - times.seen_ms)}`);
    text(this.detail, duration(Math.floor(Math.max(0, Date.now() - times.seen_ms) / 100) * 100));
  }
}
