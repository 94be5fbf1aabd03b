//! The daemon's API: reading, and following by Server-Sent Events.

import { Problem } from '../ui/trouble';

export interface Options {
  /** The operator's token, for paths under `operator/`. */
  token?: string | null;
  method?: 'GET' | 'POST' | 'DELETE';
  body?: unknown;
  signal?: AbortSignal;
}

/** Asks for a path below `/api/v1/`. Throws `Problem` for an answer that is no success. */
export async function api<T>(path: string, options: Options = {}): Promise<T> {
  const response = await answer(path, options);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** The same, as it came: for exports. */
export async function answer(path: string, options: Options = {}): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (options.token) headers['authorization'] = `Bearer ${options.token}`;
  if (options.body !== undefined) headers['content-type'] = 'application/json';
  const response = await fetch(`/api/v1/${path}`, {
    method: options.method ?? 'GET',
    headers,
    body: options.body === undefined ? null : JSON.stringify(options.body),
    signal: options.signal ?? null,
  });
  if (!response.ok) throw await problem(response);
  return response;
}

async function problem(response: Response): Promise<Problem> {
  const wait = Number(response.headers.get('retry-after'));
  const retry = Number.isFinite(wait) && wait > 0 ? wait : null;
  try {
    const body = (await response.json()) as { title?: string; detail?: string; code?: string };
    return new Problem(response.status, body.title ?? response.statusText, body.detail ?? '', body.code ?? null, retry);
  } catch {
    return new Problem(response.status, `The server answered ${response.status}.`, response.statusText, null, retry);
  }
}

/** A page of a list. */
export interface Page<T> { items: T[]; next: string | null }

/** All of a list, page by page, at most `most` rows. */
export async function all<T>(path: string, most = 1000, options: Options = {}): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const join = path.includes('?') ? '&' : '?';
    const page: Page<T> = await api(`${path}${join}limit=200${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`, options);
    items.push(...page.items);
    cursor = page.next;
  } while (cursor !== null && items.length < most);
  return items.slice(0, most);
}

/** What a follower is told. */
export interface Follower {
  /** An event of the stream, its data parsed. */
  event(name: string, data: unknown): void;
  /** Whether the stream is open. It is opened again by itself. */
  state?(open: boolean): void;
  /** The stream was refused for good: there is no such thing, or the token is wrong. */
  refused?(problem: Problem): void;
}

/**
 * Follows a stream below `/api/v1/`, opening it again when it breaks: after half a second, then longer, at most 10 s.
 * A stream always begins with the whole object, so nothing is missed. Returns what ends it.
 */
export function follow(path: string, follower: Follower, token: string | null = null): () => void {
  const control = new AbortController();
  void run(path, follower, token, control.signal);
  return () => control.abort();
}

async function run(path: string, follower: Follower, token: string | null, signal: AbortSignal): Promise<void> {
  let wait = 500;
  while (!signal.aborted) {
    try {
      // fetch rather than EventSource, which can neither send a token nor tell a refusal from a broken line.
      const headers: Record<string, string> = { accept: 'text/event-stream' };
      if (token !== null) headers['authorization'] = `Bearer ${token}`;
      const response = await fetch(`/api/v1/${path}`, { headers, signal, cache: 'no-store' });
      if (!response.ok || response.body === null) throw await problem(response);
      follower.state?.(true);
      wait = 500;
      await events(response.body, (name, data) => follower.event(name, data));
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem && [401, 403, 404].includes(error.status)) {
        follower.refused?.(error);
        return;
      }
      if (error instanceof Problem && error.retryAfterS !== null) wait = Math.max(wait, error.retryAfterS * 1000);
    }
    if (signal.aborted) return;
    follower.state?.(false);
    await new Promise((done) => setTimeout(done, wait));
    wait = Math.min(10_000, wait * 2);
  }
}

/** Reads a body as Server-Sent Events, with `\n` as the daemon ends its lines, until it ends. Comments (keep-alive) are skipped. */
async function events(body: ReadableStream<Uint8Array>, event: (name: string, data: unknown) => void): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
      dispatch(rest.slice(0, end), event);
      rest = rest.slice(end + 2);
    }
  }
}

function dispatch(block: string, event: (name: string, data: unknown) => void): void {
  let name = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') name = value;
    else if (field === 'data') data.push(value);
  }
  if (data.length > 0) event(name, JSON.parse(data.join('\n')));
}
