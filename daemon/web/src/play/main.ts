//! The Play page: choosing a game, and playing or watching one. `/?game=3` is a game.

import type { Chain } from '../api/types';
import { byId, fill, h } from '../ui/dom';
import { appOf, start, type Site } from '../ui/shell';
import { GameView } from './game';
import { Lobby } from './lobby';

start((site) => new Play(site).open(), 'chess');

/** What the page shows, as its address says. */
export interface Pages {
  toGame(id: string, fresh?: boolean): void;
  toLobby(): void;
  /** The address of a game's page. */
  address(id: string | null): string;
}

class Play implements Pages {
  private readonly place = byId('play');
  private close = () => {};

  constructor(private readonly site: Site) {
    window.addEventListener('popstate', () => this.open());
  }

  open(fresh = false): void {
    this.close();
    const { chain } = this.site;
    const arena = chain === null ? null : appOf(chain, 'chess');
    if (chain === null || arena === null) {
      fill(this.place, h('h1', { class: 'visually-hidden' }, 'Play'), h('div', { class: 'card empty' }, 'This daemon serves no chess arena.'));
      return;
    }
    const id = new URLSearchParams(location.search).get('game');
    const context = { chain, arena: arena.contract, models: this.site.info.models, pages: this };
    const view = id !== null && /^\d{1,78}$/.test(id) ? new GameView(this.place, context, id, fresh) : new Lobby(this.place, context);
    this.close = () => view.close();
  }

  toGame(id: string, fresh = false): void {
    this.go(id, fresh);
  }

  toLobby(): void {
    this.go(null, false);
  }

  address(id: string | null): string {
    const query = new URLSearchParams(location.search);
    query.delete('game');
    if (id !== null) query.set('game', id);
    const text = query.toString();
    return text === '' ? '/' : `/?${text}`;
  }

  private go(id: string | null, fresh: boolean): void {
    history.pushState(null, '', this.address(id));
    window.scrollTo(0, 0);
    this.open(fresh);
  }
}

/** What both parts of the page work with. */
export interface Context {
  chain: Chain;
  arena: `0x${string}`;
  models: Site['info']['models'];
  pages: Pages;
}
