//! One market: its pools, what decides it, and what decided it.

import type { Chain } from '../api/types';
import { fill, h, s } from '../ui/dom';
import { coin, count, dateTime } from '../ui/format';
import { announce } from '../ui/live';
import { reference, relative, transaction } from '../ui/refs';
import { Thinking } from '../play/thinking';
import { Bets } from './bets';
import { nameOf, pools, stateTag } from './pools';
import type { Answer, Market } from './types';

/** A market's page. `update` is called with each new state of it. */
export class Detail {
  readonly node: HTMLElement;

  private readonly head = h('div', { class: 'market-head' });
  private readonly pools = h('section', { class: 'card stack', 'aria-labelledby': 'pools-title' });
  private readonly answer = h('section', { class: 'card stack', 'aria-labelledby': 'answer-title' });
  private readonly terms = h('section', { class: 'card stack', 'aria-labelledby': 'terms-title' });
  private readonly thinking = new Thinking();
  private readonly bets: Bets;
  private last: Market | null = null;

  constructor(private readonly chain: Chain, market: Market) {
    this.bets = new Bets(chain, market);
    this.node = h('div', { class: 'stack' },
      h('p', {}, h('a', { href: `/markets?chain=${chain.chain_id}` }, '← All markets')),
      this.head,
      h('div', { class: 'columns' }, h('div', { class: 'stack' }, this.pools, this.answer), h('div', { class: 'stack' }, this.bets.node, this.terms)));
    this.update(market);
  }

  update(market: Market): void {
    const before = this.last;
    this.last = market;
    document.title = `${market.question} · Markets · Zugzwang`;
    fill(this.head, h('h1', {}, market.question), stateTag(market));
    fill(this.pools, h('h2', { id: 'pools-title' }, 'Pools'), pools(market),
      h('p', { class: 'market-foot soft' }, h('span', {}, h('strong', { class: 'num' }, `${coin(market.total)} ETH`), ' in all'), h('span', {}, ...this.when(market))));
    this.drawAnswer(market);
    this.drawTerms(market);
    this.bets.update(market);
    if (before !== null && before.state !== market.state) announce(`The market is ${market.state}. ${outcomeWords(market)}`);
  }

  private when(market: Market): (string | Node)[] {
    if (market.state === 'open') return ['Bets close ', relative(market.close)];
    if (market.state === 'closed') return ['Expires ', relative(market.deadline)];
    return [outcomeWords(market)];
  }

  private drawAnswer(market: Market): void {
    const { bulletin, answer, proof, progress } = market;
    const title = h('h2', { id: 'answer-title' }, 'Bulletin and proof');
    this.thinking.show(progress);
    if (bulletin === null) {
      const waits = market.state === 'open' ? 'Once bets are closed, a bulletin that the publisher signs decides.' : market.state === 'closed' ? 'The publisher has signed nothing yet.' : 'No bulletin decided this market.';
      fill(this.answer, title, h('p', { class: 'soft' }, waits), this.thinking.element);
      return;
    }
    fill(this.answer, title,
      h('figure', { class: 'bulletin' },
        h('blockquote', {}, bulletin.text),
        h('figcaption', { class: 'soft' }, `Number ${bulletin.sequence}, signed ${dateTime(bulletin.timestamp * 1000)} by `, reference(bulletin.publisher, 'publisher'))),
      h('dl', { class: 'facts' }, h('dt', {}, 'Signature'), h('dd', {}, reference(bulletin.signature, 'signature'))),
      answer === null ? null : reading(market, answer),
      this.thinking.element,
      proof === null ? null : h('dl', { class: 'facts' },
        h('dt', {}, 'Proof in'), h('dd', {}, transaction(this.chain, proof.tx)),
        h('dt', {}, 'Block'), h('dd', { class: 'num' }, count(proof.block)),
        proof.gas_used === null ? null : [h('dt', {}, 'Gas'), h('dd', { class: 'num' }, count(proof.gas_used))],
        h('dt', {}, 'Sent by'), h('dd', {}, reference(proof.submitter, 'sender'))));
  }

  private drawTerms(market: Market): void {
    const facts: [string, Node | string][] = [
      ['Publisher', reference(market.publisher, 'publisher')],
      ['Feed', reference(market.feed_id, 'feed')],
      ['Bulletin', `number ${market.sequence}`],
      ['Bets until', dateTime(market.close * 1000)],
      ['Deadline', dateTime(market.deadline * 1000)],
      ['Least margin', String(market.min_margin)],
      ['Model', reference(market.model_id, 'model id')],
      ['Verifier', reference(market.verifier, 'verifier')],
      ['Contract', reference(market.contract, 'contract')],
    ];
    fill(this.terms, h('h2', { id: 'terms-title' }, 'What decides'),
      h('p', { class: 'soft' }, 'The contract takes a class only with a proof that the model gives it to the very text that the publisher signed. There is no owner, and no fee.'),
      h('dl', { class: 'facts' }, facts.map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])));
  }
}

/** How a market ended, in words. */
function outcomeWords(market: Market): string {
  if (market.state === 'undecided') return 'Nothing decided it in time: everybody gets their bets back.';
  if (market.state !== 'decided') return '';
  if (market.refunds) return 'Everybody gets their bets back.';
  const won = market.outcomes.find((outcome) => outcome.class === market.answer?.class);
  return won === undefined ? '' : `${nameOf(won)} has won.`;
}

const WIDTH = 320;

/** What the classifier read, and its margin beside the least that decides. */
function reading(market: Market, answer: Answer): HTMLElement {
  const most = Math.max(answer.margin, market.min_margin, 1) * 1.15;
  const x = (margin: number) => (margin / most) * WIDTH;
  const enough = answer.margin >= market.min_margin;
  return h('div', { class: 'reading' },
    h('p', {}, 'The classifier reads: ', h('strong', {}, answer.class === market.no_result ? 'no result' : nameOf(answer)), ', with a margin of ', h('strong', { class: 'num' }, String(answer.margin))),
    s('svg', { class: 'plot margin', viewBox: `0 0 ${WIDTH} 34`, role: 'img', 'aria-label': `Margin ${answer.margin}; ${market.min_margin} decides` },
      s('rect', { class: 'plot-most', x: 0, y: 4, width: WIDTH, height: 10, rx: 5 }),
      s('rect', { class: enough ? 'plot-good' : 'plot-short', x: 0, y: 4, width: Math.max(4, x(answer.margin)), height: 10, rx: 5 }),
      s('line', { class: 'plot-median', x1: x(market.min_margin), x2: x(market.min_margin), y1: 0, y2: 18 }),
      s('text', { class: 'plot-text', x: Math.min(WIDTH, Math.max(0, x(market.min_margin))), y: 31, 'text-anchor': x(market.min_margin) < 30 ? 'start' : 'middle' }, `decides from ${market.min_margin}`)));
}
