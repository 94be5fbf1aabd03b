//! The operator's console: behind the token, one section at a time, kept up to date by the daemon's events.

import { byId, fill, h, text } from '../ui/dom';
import { announce, clear, notice } from '../ui/live';
import { start } from '../ui/shell';
import { events } from './events';
import { enter } from './gate';
import { jobs } from './jobs';
import { alerts, endpoints, keys, metrics, models, workers } from './lists';
import { overview } from './overview';
import type { Happening, Section } from './section';
import { isRefusal, keepToken, type Session } from './session';
import { transactions } from './transactions';
import type { Status } from './types';

/** Pause between two readings of what is shown, in ms: the daemon samples its store as often. */
const EVERY = 5000;
/** Pause between an event and the reading that it asks for, in ms: events come in bursts. */
const SOON = 250;

start(async () => {
  const place = byId('console');
  const session = await enter(place);
  const { items } = await session.get<{ items: Status[] }>('status');
  const chains = items.map((status) => status.chain_id);
  if (chains.length > 1) session.chain = chains[0] ?? null;
  new Console(session, chains).open(place);
  // The field that had the focus is gone.
  byId('main').focus();
});

class Console {
  private readonly sections: Section[];
  private shown: Section;
  private soon = false;
  private readonly head = h('div', { class: 'section-head' });
  private readonly body = h('div');
  private readonly links = new Map<string, HTMLAnchorElement>();
  private readonly line = h('span', { class: 'tag', id: 'live' }, 'connecting');

  constructor(private readonly session: Session, private readonly chains: number[]) {
    const refresh = () => this.refresh();
    const first = overview(session);
    this.sections = [first, jobs(session, refresh), transactions(session, refresh), endpoints(session), keys(session), workers(session), models(session), alerts(session), events(), metrics(session)];
    this.shown = first;
  }

  open(place: HTMLElement): void {
    const links = this.sections.map((section) => {
      const link = h('a', { href: `#${section.id}` }, section.title);
      this.links.set(section.id, link);
      return h('li', {}, link);
    });
    const leave = h('button', { class: 'button quiet small', type: 'button', id: 'forget', onclick: () => { keepToken(null); location.reload(); } }, 'Forget the token');
    fill(place,
      h('div', { class: 'console-head' }, h('h1', {}, 'Console'), this.line, this.chooser(), leave),
      h('div', { class: 'console' }, h('nav', { class: 'sections', 'aria-label': 'Sections of the console' }, h('ul', {}, links)),
        h('div', { class: 'stack' }, this.head, this.body)));
    window.addEventListener('hashchange', () => this.show());
    this.show();
    this.session.follow({
      event: (_, data) => this.happened(data as Happening),
      state: (open) => {
        text(this.line, open ? 'live' : 'reconnecting');
        this.line.className = `tag ${open ? 'good' : 'warn'}`;
        if (open) this.refresh();
      },
      refused: () => location.reload(),
    });
    setInterval(() => {
      if (!document.hidden) void this.read();
    }, EVERY);
  }

  /** Which chain's jobs and transactions are looked at, where there are several. */
  private chooser(): HTMLElement | null {
    if (this.chains.length < 2) return null;
    const select = h('select', { 'aria-label': 'Chain', onchange: () => {
      this.session.chain = Number(select.value);
      void this.read();
    } });
    for (const chain of this.chains) select.append(new Option(`Chain ${chain}`, String(chain)));
    return select;
  }

  private show(): void {
    const id = location.hash.slice(1);
    this.shown = this.sections.find((section) => section.id === id) ?? this.sections[0] ?? this.shown;
    for (const [name, link] of this.links) {
      if (name === this.shown.id) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    document.title = `${this.shown.title} · Console · Zugzwang`;
    fill(this.head, this.shown.id === 'overview' ? h('h2', { class: 'visually-hidden' }, this.shown.title) : h('h2', {}, this.shown.title), h('p', { class: 'soft' }, this.shown.about));
    fill(this.body, this.shown.node);
    announce(this.shown.title);
    void this.read();
  }

  private happened(event: Happening): void {
    for (const section of this.sections) section.happened?.(event);
    this.refresh();
  }

  /** Reads what is shown again soon. */
  private refresh(): void {
    if (this.soon) return;
    this.soon = true;
    setTimeout(() => {
      this.soon = false;
      void this.read();
    }, SOON);
  }

  private async read(): Promise<void> {
    const section = this.shown;
    try {
      await section.read();
      clear('console');
    } catch (error) {
      if (isRefusal(error)) location.reload();
      else notice(error, 'console');
    }
  }
}
