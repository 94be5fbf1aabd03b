//! The operator's session: the token, which is kept for this tab alone, and requests that bear it.

import { all, api, follow, type Follower } from '../api/client';
import { Problem } from '../ui/trouble';

/** Where the token is kept: until the tab is closed. */
const TOKEN_KEY = 'zugzwang.token';

/** Rows of one page of a list. */
const ROWS = 100;

/** A page of a list. */
export interface Part<T> {
  items: T[];
  next: string | null;
}

/** Whether an error says that the token is wrong. */
export function isRefusal(error: unknown): boolean {
  return error instanceof Problem && (error.status === 401 || error.status === 403);
}

/** The token of this tab, if one was given. */
export function keptToken(): string | null {
  try {
    return sessionStorage.getItem(TOKEN_KEY);
  } catch {
    return null;
  }
}

/** Keeps the token until the tab is closed; `null` forgets it. */
export function keepToken(token: string | null): void {
  try {
    if (token === null) sessionStorage.removeItem(TOKEN_KEY);
    else sessionStorage.setItem(TOKEN_KEY, token);
  } catch {
    // Without storage it lasts as long as the page.
  }
}

/** Requests below `/api/v1/operator/`. */
export class Session {
  /** The chain whose jobs and transactions are looked at; `null` where the daemon serves one only. */
  chain: number | null = null;

  constructor(private readonly token: string) {}

  /** A path with the chain that is looked at. */
  ofChain(path: string): string {
    return this.chain === null ? path : `${path}${path.includes('?') ? '&' : '?'}chain=${this.chain}`;
  }

  get<T>(path: string): Promise<T> {
    return api<T>(`operator/${path}`, { token: this.token });
  }

  post<T>(path: string, body: unknown = {}): Promise<T> {
    return api<T>(`operator/${path}`, { token: this.token, method: 'POST', body });
  }

  /** One page of a list. */
  part<T>(path: string, cursor: string | null = null): Promise<Part<T>> {
    const join = path.includes('?') ? '&' : '?';
    return this.get(`${path}${join}limit=${ROWS}${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
  }

  /** A whole list, for exports. */
  all<T>(path: string): Promise<T[]> {
    return all<T>(`operator/${path}`, 100_000, { token: this.token });
  }

  /** What happens from now on. Returns what ends it. */
  follow(follower: Follower): () => void {
    return follow('operator/events', follower, this.token);
  }
}
