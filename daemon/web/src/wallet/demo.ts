//! The throw-away key of the local demo chain. It is worth nothing anywhere else, and is made for no other chain.

import { numberToHex, type Address, type TransactionSerializableEIP1559 } from 'viem';
import { generatePrivateKey, privateKeyToAddress, signTransaction } from 'viem/accounts';
import type { Chain, Hex } from '../api/types';
import { node } from '../chain/rpc';
import { store, stored } from '../ui/theme';
import { Plain } from '../ui/trouble';

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

/** The key of this browser, made at the first call; kept for this page alone where storage is refused. */
let unstored: Hex | null = null;
function key(): Hex {
  const kept = stored(KEY) ?? unstored;
  if (kept !== null && /^0x[0-9a-f]{64}$/.test(kept)) return kept as Hex;
  unstored = generatePrivateKey();
  store(KEY, unstored);
  return unstored;
}

/** The key's address. */
export function demoAddress(): Address {
  return privateKeyToAddress(key());
}

/** Signs a transaction with the key, for the demo chain and no other. */
export function sign(transaction: TransactionSerializableEIP1559): Promise<Hex> {
  if (transaction.chainId !== DEMO_CHAIN) throw new Plain('The throw-away key signs for the demo chain alone.');
  return signTransaction({ privateKey: key(), transaction });
}

/** Gives the account coin, if it has little. */
export async function fund(chain: Chain, account: Address): Promise<void> {
  if (!isDemo(chain) || chain.rpc_url === null) throw new Plain('This is no demo chain.', 'Connect a wallet instead.');
  const ask = node(chain.rpc_url);
  const balance = BigInt((await ask('eth_getBalance', [account, 'latest'])) as Hex);
  if (balance < LOW) await ask('anvil_setBalance', [account, numberToHex(GIFT)]);
}
