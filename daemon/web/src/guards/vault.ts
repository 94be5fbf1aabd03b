//! A vault: what is in it, whether it runs, its incidents, and the one that is looked at.

import { GuardedVault } from '../abi/GuardedVault';
import { all, api, follow } from '../api/client';
import type { Chain, Hex } from '../api/types';
import { chainTime } from '../chain/clock';
import { Thinking } from '../play/thinking';
import { fill, h } from '../ui/dom';
import { count, dateTime, duration, short } from '../ui/format';
import { announce, clear, notice } from '../ui/live';
import { reference, relative } from '../ui/refs';
import { onWallet, send, wallet } from '../wallet/wallet';
import { drawIncident, MOST_SCORE, order } from './incident';
import { timeline } from './timeline';
import type { Guard, Incident } from './types';
import { amount, standingOf, verdictWords } from './units';

/** Pause between the last event and the reading that it asks for, in ms: events come in bursts. */
const SOON = 150;

/** The part of a vault on the page. */
export class Vault {
  readonly node = h('div', { class: 'stack' });

  private readonly head = h('div', { class: 'stack' });
  private readonly line = h('div');
  private readonly list = h('ul', { class: 'incidents' });
  private readonly one = h('section', { class: 'card stack', 'aria-labelledby': 'incident-title' });
  private readonly rules = h('section', { class: 'card stack', 'aria-labelledby': 'rules-title' });
  private readonly thinking = new Thinking();
  private guard: Guard | null = null;
  private incidents: Incident[] = [];
  private chosen = new URLSearchParams(location.search).get('incident');
  private waiting = false;
  private drawn = '';

  constructor(private readonly chain: Chain, private readonly address: Hex) {
    this.node.append(this.head,
      h('section', { class: 'card stack', 'aria-labelledby': 'line-title' }, h('h2', { id: 'line-title' }, 'Flagged withdrawals'), this.line),
      h('div', { class: 'columns guards' }, this.one, h('div', { class: 'stack' }, h('section', { class: 'card', 'aria-labelledby': 'list-title' }, h('h2', { id: 'list-title' }, 'Incidents'), this.list), this.rules)));
    // The line is drawn for its width, so that its words keep their size.
    let width = 0;
    new ResizeObserver(() => {
      if (this.line.clientWidth === width) return;
      width = this.line.clientWidth;
      this.redraw();
    }).observe(this.line);
    window.addEventListener('popstate', () => this.choose(new URLSearchParams(location.search).get('incident'), false));
  }

  private get path(): string {
    return `chains/${this.chain.chain_id}/guards/${this.address}`;
  }

  /** Reads the vault, and follows it from then on. */
  async open(): Promise<void> {
    await this.read();
    onWallet(() => this.redraw());
    // What changed is read anew: the stream only says that something did.
    follow(`${this.path}/stream`, { event: () => this.refresh() });
  }

  /** Reads everything again soon. */
  refresh(): void {
    if (this.waiting) return;
    this.waiting = true;
    setTimeout(() => {
      this.waiting = false;
      this.read().then(() => clear('guard'), (error: unknown) => notice(error, 'guard'));
    }, SOON);
  }

  private async read(): Promise<void> {
    const [guard, incidents] = await Promise.all([api<Guard>(this.path), all<Incident>(`${this.path}/incidents`)]);
    this.tell(guard, incidents);
    this.guard = guard;
    this.incidents = incidents.sort((a, b) => Number(BigInt(b.id) - BigInt(a.id)));
    const looks = JSON.stringify([guard, incidents]);
    if (looks !== this.drawn) this.redraw();
    this.drawn = looks;
  }

  /** Says what has changed since the last reading. */
  private tell(guard: Guard, incidents: readonly Incident[]): void {
    if (this.guard === null) return;
    if (guard.paused !== this.guard.paused) announce(guard.paused ? 'The vault is paused' : 'The vault runs again');
    for (const incident of incidents) {
      const before = this.incidents.find((other) => other.id === incident.id);
      const [, words] = verdictWords(standingOf(incident));
      if (before === undefined) announce(`Incident ${incident.id}: a withdrawal was flagged`);
      else if (standingOf(before) !== standingOf(incident)) announce(`Incident ${incident.id}: ${words}`);
    }
  }

  private redraw(): void {
    const { guard, incidents } = this;
    if (guard === null) return;
    this.drawHead(guard);
    this.drawRules(guard);
    const thresholds = { release_below: guard.release_below, pause_at: guard.pause_at, most: MOST_SCORE };
    const marks = incidents.map((incident) => ({ id: incident.id, at: incident.asked_at, score: incident.score, verdict: standingOf(incident) }));
    const from = incidents.find((incident) => incident.id === guard.paused_by)?.asked_at;
    const pauses = from === undefined || guard.paused_until === null ? [] : [{ from, until: guard.paused_until }];
    fill(this.line, incidents.length === 0 ? h('p', { class: 'soft' }, 'No withdrawal was flagged yet.') : timeline(this.line.clientWidth || 640, marks, pauses, chainTime(), thresholds, (id) => this.link(id)));
    for (const mark of this.line.querySelectorAll<SVGAElement>('.plot-mark')) this.serve(mark, mark.getAttribute('href')?.split('incident=')[1] ?? '');
    this.drawList(guard);
    const chosen = incidents.find((incident) => incident.id === this.chosen) ?? incidents[0];
    this.one.hidden = chosen === undefined;
    if (chosen !== undefined) drawIncident(this.one, chosen, { chain: this.chain, guard, thinking: this.thinking, refresh: () => this.refresh() });
  }

  private link(id: string): string {
    return `/guards?chain=${this.chain.chain_id}&vault=${this.address}&incident=${id}`;
  }

  /** A link to an incident that needs no new page. */
  private serve(link: Element, id: string): void {
    if (id === (this.chosen ?? this.incidents[0]?.id)) link.setAttribute('aria-current', 'true');
    link.addEventListener('click', (event) => {
      if (!(event instanceof MouseEvent) || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.choose(id, true);
    });
  }

  private choose(id: string | null, walk: boolean): void {
    this.chosen = id;
    if (walk && id !== null) history.pushState(null, '', this.link(id));
    this.redraw();
    if (walk) document.getElementById('incident-title')?.focus();
  }

  private drawHead(guard: Guard): void {
    const tile = (name: string, value: Node | string, look = '') => h('div', { class: `tile ${look}` }, h('dt', {}, name), h('dd', { class: 'num' }, value));
    fill(this.head,
      h('div', { class: 'market-head' }, h('h2', {}, guard.name === '' ? `Vault ${short(guard.vault)}` : guard.name),
        h('span', { class: `tag ${guard.paused ? 'bad' : 'good'}` }, guard.paused ? 'Paused' : 'Running')),
      guard.paused && guard.paused_until !== null ? this.banner(guard, guard.paused_until) : null,
      h('dl', { class: 'tiles' },
        tile('In the vault', amount(guard, guard.total_assets)),
        tile('Held back', amount(guard, guard.escrowed), guard.escrowed === '0' ? '' : 'warn'),
        tile('Flagged so far', count(guard.incidents)),
        tile('Flags from', `${(guard.single_bps / 100).toString()} %`)));
  }

  private banner(guard: Guard, until: number): Node {
    const mine = wallet()?.address.toLowerCase() === guard.governance.toLowerCase();
    return h('div', { class: 'banner', role: 'status' },
      h('p', {}, h('strong', {}, 'Nothing leaves the vault. '), 'The pause ends ', relative(until), guard.paused_by === null ? '.' : `; incident ${guard.paused_by} began it.`),
      mine ? h('button', { class: 'button danger', type: 'button', id: 'end-pause', onclick: (event) =>
        void order(event.currentTarget, { chain: this.chain, refresh: () => this.refresh() }, 'The pause has ended', () => send(this.chain, guard.vault, GuardedVault, 'endPause', [])) }, 'End the pause')
        : h('small', {}, 'Governance can end it early: ', reference(guard.governance, 'governance')));
  }

  private drawList(guard: Guard): void {
    const focused = document.activeElement?.getAttribute('data-id') ?? null;
    fill(this.list, this.incidents.map((incident) => {
      const [look, words] = verdictWords(standingOf(incident));
      const link = h('a', { class: 'incident', href: this.link(incident.id), 'data-id': incident.id },
        h('span', { class: 'num soft' }, `#${incident.id}`),
        h('span', {}, amount(guard, incident.amount), h('small', {}, dateTime(incident.asked_at * 1000))),
        h('span', { class: `tag ${look}` }, incident.score === null ? words : `${words} · ${incident.score}`));
      this.serve(link, incident.id);
      return h('li', {}, link);
    }));
    if (this.incidents.length === 0) fill(this.list, h('li', { class: 'empty' }, 'None yet.'));
    if (focused !== null) this.list.querySelector<HTMLElement>(`[data-id="${focused}"]`)?.focus();
  }

  private drawRules(guard: Guard): void {
    const facts: [string, Node | string][] = [
      ['Releases', `scores below ${guard.release_below}`],
      ['Holds', `scores from ${guard.pause_at} on`],
      ['Delay', duration(guard.delay * 1000)],
      ['Pause', duration(guard.pause * 1000)],
      ['One withdrawal', `at most ${guard.single_bps / 100} % unflagged`],
      ['All together', `at most ${guard.window_bps / 100} % in ${duration(guard.window * 1000)}`],
      ['Model', reference(guard.model_id, 'model id')],
      ['Verifier', reference(guard.verifier, 'verifier')],
      ['Vault', reference(guard.vault, 'vault')],
    ];
    fill(this.rules, h('h2', { id: 'rules-title' }, 'Rules'), h('dl', { class: 'facts' }, facts.map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])));
  }
}
