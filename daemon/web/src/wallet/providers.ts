//! Wallets that the browser has: announced (EIP-6963), or the old single one (EIP-1193).

import type { EIP1193Provider } from 'viem';

/** A wallet that can be asked to connect. */
export interface Offered {
  /** What it calls itself, unique among those offered. */
  id: string;
  name: string;
  /** A picture as a `data:` address; others are not shown, since the pages load nothing from elsewhere. */
  icon: string | null;
  provider: EIP1193Provider;
}

interface Announcement extends Event {
  detail: { info: { uuid: string; name: string; icon: string; rdns: string }; provider: EIP1193Provider };
}

const found = new Map<string, Offered>();

/** Begins to listen; wallets answer at once, and late ones by themselves. */
export function listen(changed: () => void): void {
  window.addEventListener('eip6963:announceProvider', (event) => {
    const { info, provider } = (event as Announcement).detail;
    if (typeof info?.rdns !== 'string' || typeof provider?.request !== 'function') return;
    const icon = typeof info.icon === 'string' && info.icon.startsWith('data:image/') ? info.icon : null;
    found.set(info.rdns, { id: info.rdns, name: String(info.name), icon, provider });
    changed();
  });
  window.dispatchEvent(new Event('eip6963:requestProvider'));
}

/** The wallets there are now. `window.ethereum` counts only if nothing was announced. */
export function offered(): Offered[] {
  if (found.size > 0) return [...found.values()];
  const old = (window as unknown as { ethereum?: EIP1193Provider }).ethereum;
  return typeof old?.request === 'function' ? [{ id: 'injected', name: 'Browser wallet', icon: null, provider: old }] : [];
}
