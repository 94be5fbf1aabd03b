//! Light or dark: what the system says, until the visitor chooses.

import { byId } from './dom';
import { icon } from './icons';

const KEY = 'zugzwang.theme';

/** A value of the browser's storage, or nothing where storage is refused. */
export function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Keeps a value in the browser's storage; `null` forgets it. False where storage is refused. */
export function store(key: string, value: string | null): boolean {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
    return true;
  } catch {
    return false;
  }
}

/** Applies the choice and serves the button. */
export function theme(): void {
  const button = byId('theme');
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const chosen = () => stored(KEY);
  const show = () => {
    const now = chosen() ?? (dark.matches ? 'dark' : 'light');
    document.documentElement.dataset['theme'] = now;
    button.setAttribute('aria-label', now === 'dark' ? 'Use light colours' : 'Use dark colours');
    button.replaceChildren(icon(now === 'dark' ? 'sun' : 'moon'));
  };
  button.addEventListener('click', () => {
    const next = document.documentElement.dataset['theme'] === 'dark' ? 'light' : 'dark';
    const system = dark.matches ? 'dark' : 'light';
    store(KEY, next === system ? null : next);
    document.documentElement.dataset['theme'] = next;
    show();
  });
  dark.addEventListener('change', show);
  show();
}
