//! The throw-away key of the local demo chain. It is worth nothing anywhere else, and is made for no other chain.

import { http, numberToHex, type Address } from 'viem';
import { generatePrivateKey, privateKeyToAccount, type PrivateKeyAccount } from 'viem/accounts';
import type { Chain, Hex } from '../api/types';
import { Plain } from '../ui/trouble';
import { store, stored } from '../ui/theme';

const KEY = 'zugzwang.demo-key';

/** The chain id of anvil; the daemon serves no demo on any other. */
export const DEMO_CHAIN = 31337;

/** 100 coins, and what is left when more is given. */
const GIFT = 100n * 10n ** 18n;
const LOW = 10n * 10n ** 18n;

/** Whether a key may be made for this chain. */
export function isDemo(chain: Chain): boolean {
  return chain.demo && chain.chain_id === DEMO_CHAIN && chain.rpc_url !== null;
}

/** The key of this browser, made at the first call. */
export function demoAccount(): PrivateKeyAccount {
  const kept = stored(KEY);
  if (kept !== null && /^0x[0-9a-f]{64}$/.test(kept)) return privateKeyToAccount(kept as Hex);
  const fresh = generatePrivateKey();
  store(KEY, fresh);
  return privateKeyToAccount(fresh);
}

/** Whether this browser has played with a demo key before. */
export function hasDemoKey(): boolean {
  return stored(KEY) !== null;
}

/** Gives the account coin, if it has little. */
export async function fund(chain: Chain, account: Address): Promise<void> {
  if (!isDemo(chain) || chain.rpc_url === null) throw new Plain('This is no demo chain.', 'Connect a wallet instead.');
  const { request } = http(chain.rpc_url, { retryCount: 2 })({});
  const balance = BigInt((await request({ method: 'eth_getBalance', params: [account, 'latest'] })) as Hex);
  if (balance >= LOW) return;
  await request({ method: 'anvil_setBalance', params: [account, numberToHex(GIFT)] });
}
