//! A part of the console: what it is called, what it draws, and how it is brought up to date.

import { h } from '../ui/dom';
import { notice } from '../ui/live';
import { Table, type Options } from './table';
import type { Session } from './session';

/** What happened, as the daemon tells it. */
export interface Happening {
  event: string;
  chain_id?: number;
  [key: string]: unknown;
}

export interface Section {
  /** Its place in the address. */
  id: string;
  title: string;
  /** One line on what it shows. */
  about: string;
  node: HTMLElement;
  /** Reads everything again and draws it. */
  read(): Promise<void>;
  /** Is told of everything that happens, also while it isn't shown. */
  happened?(event: Happening): void;
}

/** A section that is one table of one list, of which the newest rows are shown and older ones fetched when asked for. */
export function listSection<R>(session: Session, about: { id: string; title: string; about: string; path: string; ofChain?: boolean }, options: Omit<Options<R>, 'name' | 'caption'> & { caption?: string }): Section & { table: Table<R> } {
  const path = () => (about.ofChain === true ? session.ofChain(about.path) : about.path);
  let chain = session.chain;
  let older: R[] = [];
  let next: string | null = null;
  let newest: R[] = [];
  const table = new Table<R>({
    name: about.id,
    caption: about.title,
    everything: () => session.all<R>(path()),
    failed: (error) => notice(error, about.id),
    ...options,
  });
  const show = () => {
    const seen = new Set(newest.map(options.key));
    table.set([...newest, ...older.filter((row) => !seen.has(options.key(row)))]);
    table.below(...(next === null ? [] : [more]));
  };
  const more = h('button', {
    class: 'button small',
    type: 'button',
    onclick: () => {
      more.disabled = true;
      session.part<R>(path(), next).then((part) => {
        older = [...older, ...part.items];
        next = part.next;
        show();
      }).catch((error: unknown) => notice(error, about.id)).finally(() => (more.disabled = false));
    },
  }, 'Older rows');
  return {
    ...about,
    table,
    node: table.node,
    async read() {
      const part = await session.part<R>(path());
      if (chain !== session.chain) [older, newest, chain] = [[], [], session.chain];
      // What has left the first page is older now, and stays.
      const there = new Set(part.items.map(options.key));
      if (older.length > 0) older = [...newest.filter((row) => !there.has(options.key(row))), ...older];
      else next = part.next;
      newest = part.items;
      show();
    },
  };
}
