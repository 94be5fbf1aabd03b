//! Choosing a game: level, colour, clock and stake; and the games that run.

import { parseEventLogs, type Log } from 'viem';
import { ChessArena } from '../abi/ChessArena';
import { api, type Page } from '../api/client';
import type { Game, Offer } from '../api/types';
import { Board } from '../board/board';
import { fill, h } from '../ui/dom';
import { coin, duration, short } from '../ui/format';
import { announce, clear, notice } from '../ui/live';
import { stored, store } from '../ui/theme';
import { Plain } from '../ui/trouble';
import { choose } from '../wallet/button';
import { connectDemo, mined, onWallet, send, wallet } from '../wallet/wallet';
import { isDemo } from '../wallet/demo';
import { levelName, levels, measured, type Level } from './levels';
import type { Context } from './main';

const START = 'rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1';
const COLOR = 'zugzwang.color';

/** The longest time for a move that is chosen at first, in seconds. Offers without a stake are chosen before others. */
const CALM_S = 900;

export class Lobby {
  private levels: Level[] = [];
  private level: string | null = null;
  private time: number | null = null;
  private stake: string | null = null;
  private color: 'white' | 'black' | 'random';
  private busy: string | null = null;
  private offered = '';
  private listed = '';
  private readonly board: Board;
  private readonly form = h('section', { class: 'card new-game', 'aria-labelledby': 'new-game' });
  private readonly list = h('div', { class: 'games' });
  private readonly ends: (() => void)[] = [];

  constructor(place: HTMLElement, private readonly context: Context) {
    const kept = stored(COLOR);
    this.color = kept === 'black' || kept === 'random' ? kept : 'white';
    const board = h('div', { class: 'board-place' });
    fill(place, h('div', { class: 'hero' }, h('h1', {}, 'Chess against a network that proves its moves'), h('p', {},
      'For each move, the network’s host proves in zero knowledge that this very network chose it on this very board. A contract checks the proof before the move counts, and your browser can check it again.')),
    h('div', { class: 'lobby' },
      h('div', { class: 'board-col' }, board),
      h('div', { class: 'stack' }, this.form,
        h('section', { class: 'card', 'aria-labelledby': 'games' }, h('h2', { id: 'games' }, 'Games'), this.list))));
    this.board = new Board(board, 'Chess board, first position');
    this.board.enable(null);
    this.board.show(START);
    void this.board.turn(this.color === 'black' ? 'b' : 'w');
    this.ends.push(onWallet(() => this.draw()));
    void this.load();
    const again = setInterval(() => void this.load(), 5000);
    this.ends.push(() => clearInterval(again));
  }

  close(): void {
    for (const end of this.ends) end();
  }

  private async load(): Promise<void> {
    const { chain, models } = this.context;
    try {
      const [offers, games] = await Promise.all([
        api<Page<Offer>>(`chains/${chain.chain_id}/offers?limit=200`),
        api<Page<Game>>(`chains/${chain.chain_id}/games?state=all&limit=12`),
      ]);
      clear('lobby');
      this.drawGames(games.items);
      // What is the same is left alone: a form that is drawn anew is read anew.
      const key = JSON.stringify(offers.items.map(({ running, max_games: most, ...terms }) => [terms, running < most]));
      if (key === this.offered) return;
      this.offered = key;
      this.levels = levels(offers.items, models);
      this.settle();
      this.draw();
    } catch (error) {
      notice(error, 'lobby');
    }
  }

  /** Keeps the choice among what is offered. */
  private settle(): void {
    const level = this.chosen();
    this.level = level?.modelId ?? null;
    const times = this.times(level);
    if (this.time === null || !times.includes(this.time)) {
      const free = level?.offers.filter((o) => o.stake === '0').map((o) => o.move_time_s) ?? [];
      this.time = (free.length > 0 ? free : times).toSorted((a, b) => a - b).findLast((t) => t <= CALM_S) ?? free[0] ?? times[0] ?? null;
    }
    const stakes = this.stakes(level);
    if (this.stake === null || !stakes.includes(this.stake)) this.stake = stakes[0] ?? null;
  }

  private chosen(): Level | null {
    return this.levels.find((l) => l.modelId === this.level) ?? this.levels[0] ?? null;
  }

  private times(level: Level | null): number[] {
    return [...new Set(level?.offers.map((o) => o.move_time_s) ?? [])].sort((a, b) => a - b);
  }

  private stakes(level: Level | null): string[] {
    const all = level?.offers.filter((o) => o.move_time_s === this.time).map((o) => o.stake) ?? [];
    return [...new Set(all)].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
  }

  private offer(): Offer | null {
    return this.chosen()?.offers.find((o) => o.move_time_s === this.time && o.stake === this.stake) ?? null;
  }

  private draw(): void {
    const focused = document.activeElement instanceof HTMLInputElement && this.form.contains(document.activeElement) ? document.activeElement.id : null;
    const level = this.chosen();
    if (level === null) {
      fill(this.form, h('h2', { id: 'new-game' }, 'New game'), h('p', { class: 'soft' }, 'Nobody offers a game at the moment. You can watch the ones that run.'));
      return;
    }
    fill(this.form,
      h('h2', { id: 'new-game' }, 'New game'),
      this.group('Opponent', 'level', 'levels', this.levels.map((l) => ({
        value: l.modelId, checked: l === level,
        label: [h('strong', {}, l.name), h('span', { class: 'measured' }, measured(l.model).map(([name, value]) => h('span', {}, h('b', {}, value), ` ${name}`)))],
      })), (value) => { this.level = value; }),
      this.group('Your colour', 'color', '', (['white', 'random', 'black'] as const).map((c) => ({
        value: c, checked: c === this.color, label: [h('span', { class: `side-color ${c}`, 'aria-hidden': 'true' }), c.charAt(0).toUpperCase() + c.slice(1)],
      })), (value) => {
        this.color = value as typeof this.color;
        store(COLOR, value);
        void this.board.turn(value === 'black' ? 'b' : 'w');
      }),
      this.group('Time for each move', 'time', '', this.times(level).map((t) => ({ value: String(t), checked: t === this.time, label: [duration(t * 1000)] })), (value) => { this.time = Number(value); }),
      this.group('Stake of each side', 'stake', '', this.stakes(level).map((s) => ({ value: s, checked: s === this.stake, label: [s === '0' ? 'None' : `${coin(s)} ETH`] })), (value) => { this.stake = value; }),
      this.actions());
    if (focused !== null) document.getElementById(focused)?.focus();
  }

  private group(legend: string, name: string, kind: string, options: { value: string; checked: boolean; label: (Node | string)[] }[], pick: (value: string) => void): HTMLElement {
    return h('fieldset', { class: 'choice-group' }, h('legend', { class: 'legend' }, legend),
      h('div', { class: `segments ${kind}` }, options.map(({ value, checked, label }) => h('label', {},
        h('input', { type: 'radio', name, id: `${name}-${value}`, value, checked, disabled: this.busy !== null, onchange: () => { pick(value); this.settle(); this.draw(); } }),
        h('span', {}, label)))));
  }

  private actions(): HTMLElement {
    const { chain } = this.context;
    const account = wallet();
    const stake = this.stake !== null && this.stake !== '0' ? ` for ${coin(this.stake)} ETH` : '';
    if (this.busy !== null) return h('div', { class: 'start' }, h('button', { class: 'button primary wide', type: 'button', disabled: true }, this.busy));
    if (account !== null) {
      return h('div', { class: 'start' },
        h('button', { class: 'button primary wide big', type: 'button', id: 'play-now', onclick: () => void this.play() }, `Play${stake}`),
        h('small', {}, `as ${short(account.address)} (${account.name}). Each of your moves is a transaction.`));
    }
    if (isDemo(chain)) {
      return h('div', { class: 'start' },
        h('button', { class: 'button primary wide big', type: 'button', id: 'play-now', onclick: () => void this.play() }, 'Play now'),
        h('small', {}, 'With a throw-away key made in this page: the demo chain gives it coin, and nothing is worth anything. ',
          h('button', { class: 'text-link', type: 'button', onclick: () => void choose() }, 'Use my wallet')));
    }
    return h('div', { class: 'start' }, h('button', { class: 'button primary wide big', type: 'button', onclick: () => void choose() }, 'Connect a wallet to play'));
  }

  private async play(): Promise<void> {
    const { chain, arena, pages } = this.context;
    clear('create');
    try {
      const offer = this.offer();
      if (offer === null) throw new Plain('This offer is gone.', 'Choose another one.');
      const white = this.color === 'random' ? crypto.getRandomValues(new Uint8Array(1))[0]! % 2 === 0 : this.color === 'white';
      if (wallet() === null) {
        this.wait('Making a key…');
        await connectDemo(chain);
      }
      this.wait(wallet()?.kind === 'demo' ? 'Starting the game…' : 'Confirm in your wallet…');
      const hash = await send(chain, arena, ChessArena, 'createGame', [BigInt(offer.offer_id), white], BigInt(offer.stake));
      this.wait('Waiting for the block…');
      const receipt = await mined(chain, hash);
      const created = parseEventLogs({ abi: ChessArena, eventName: 'GameCreated', logs: receipt.logs as unknown as Log[] })[0];
      if (created === undefined) throw new Plain('The game was not created.', 'The transaction has no such event.');
      announce('The game begins.');
      pages.toGame(created.args.gameId.toString(), true);
    } catch (error) {
      notice(error, 'create');
      this.wait(null);
    }
  }

  private wait(what: string | null): void {
    this.busy = what;
    this.draw();
    if (what !== null) announce(what);
  }

  private drawGames(games: Game[]): void {
    const { models, pages } = this.context;
    const mine = wallet()?.address.toLowerCase();
    const key = JSON.stringify([games.map((g) => [g.id, g.ply, g.outcome]), mine]);
    if (key === this.listed) return;
    this.listed = key;
    const rows = games.map((game) => {
      const model = models.find((m) => m.model_id.toLowerCase() === game.model_id.toLowerCase()) ?? null;
      const own = game.human.toLowerCase() === mine;
      const state = game.outcome === null ? h('span', { class: 'tag good' }, own && game.human_to_move ? 'your move' : 'running')
        : h('span', { class: 'tag' }, game.outcome === 'draw' ? 'draw' : own ? (game.outcome === 'human' ? 'you won' : 'you lost') : game.outcome === 'human' ? 'human won' : 'network won');
      return h('a', { class: 'game-row', href: pages.address(game.id), onclick: (event) => { if (event.ctrlKey || event.metaKey || event.shiftKey) return; event.preventDefault(); pages.toGame(game.id); } },
        h('span', {}, h('strong', {}, `Game ${game.id}`), h('small', {}, `${own ? 'You' : short(game.human)} against ${levelName(model, game.model_id)} · move ${Math.floor(game.ply / 2) + 1}`)), state);
    });
    fill(this.list, rows.length === 0 ? h('p', { class: 'soft' }, 'No game has been played yet.') : rows);
  }
}
