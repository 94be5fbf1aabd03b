//! The visitor's account: which one, on which chain, and how it sends.

import { encodeFunctionData, numberToHex, type Abi, type Address, type ContractFunctionArgs, type ContractFunctionName, type ContractFunctionReturnType, type EIP1193Provider } from 'viem';
import type { Chain, Hex } from '../api/types';
import { read, receipt, type Receipt } from '../chain/calls';
import { inWallet, node, refusal, RpcError, type Ask } from '../chain/rpc';
import { store, stored } from '../ui/theme';
import { Plain } from '../ui/trouble';
import { demoAddress, fund, isDemo, sign } from './demo';
import { offered, type Offered } from './providers';

/** An account that can sign for the visitor. */
export interface Wallet {
  kind: 'demo' | 'injected';
  name: string;
  address: Address;
  /** The chain that the wallet is on; it need not be the page's. */
  chainId: number;
  /** What signs; null for the demo key, which the page holds itself. */
  provider: EIP1193Provider | null;
}

const LAST = 'zugzwang.wallet';
let current: Wallet | null = null;
let undo = () => {};
const followers = new Set<(wallet: Wallet | null) => void>();

/** The account that is connected, if any. */
export function wallet(): Wallet | null {
  return current;
}

/** Calls at once, and whenever the account or its chain changes. */
export function onWallet(follower: (wallet: Wallet | null) => void): () => void {
  followers.add(follower);
  follower(current);
  return () => followers.delete(follower);
}

function become(next: Wallet | null): void {
  current = next;
  for (const follower of [...followers]) follower(next);
}

/** Plays with a key made in the page, which the demo chain gives coin. */
export async function connectDemo(chain: Chain): Promise<Wallet> {
  const address = demoAddress();
  await fund(chain, address);
  undo();
  undo = () => {};
  const next: Wallet = { kind: 'demo', name: 'Demo key', address, chainId: chain.chain_id, provider: null };
  store(LAST, 'demo');
  become(next);
  return next;
}

/** Asks a wallet of the browser for an account; `quiet` asks nobody, and connects only what was allowed before. */
export async function connect(choice: Offered, quiet = false): Promise<Wallet | null> {
  const { provider } = choice;
  const ask = inWallet(provider);
  const accounts = (await ask(quiet ? 'eth_accounts' : 'eth_requestAccounts', [])) as Address[];
  const address = accounts[0];
  if (address === undefined) {
    if (quiet) return null;
    throw new Plain('The wallet gave no account.', 'Unlock it and try again.');
  }
  const chainId = Number((await ask('eth_chainId', [])) as Hex);
  undo();
  const next: Wallet = { kind: 'injected', name: choice.name, address, chainId, provider };
  const accountsChanged = (list: Address[]) => {
    if (list[0] === undefined) disconnect();
    else if (current !== null) become({ ...current, address: list[0] });
  };
  const chainChanged = (id: string) => current !== null && become({ ...current, chainId: Number(id) });
  provider.on?.('accountsChanged', accountsChanged);
  provider.on?.('chainChanged', chainChanged);
  undo = () => {
    provider.removeListener?.('accountsChanged', accountsChanged);
    provider.removeListener?.('chainChanged', chainChanged);
  };
  store(LAST, choice.id);
  become(next);
  return next;
}

/** Forgets the account; the wallet keeps its permission. */
export function disconnect(): void {
  undo();
  undo = () => {};
  store(LAST, null);
  become(null);
}

/** Connects what was connected when the page was left, without asking. */
export async function reconnect(chain: Chain | null): Promise<void> {
  const last = stored(LAST);
  if (last === null || current !== null) return;
  if (last === 'demo') {
    if (chain !== null && isDemo(chain)) await connectDemo(chain);
    return;
  }
  const choice = offered().find((w) => w.id === last);
  if (choice !== undefined) await connect(choice, true);
}

// ---------------------------------------------------------------- reading and sending

/** What reads the chain: the node that the daemon names, else the visitor's wallet. */
export function reader(chain: Chain): Ask {
  if (chain.rpc_url !== null) return node(chain.rpc_url);
  const provider = current?.provider ?? offered()[0]?.provider;
  if (provider === undefined) throw new Plain('There is no way to read the chain from this page.', 'Connect a wallet: this server names no node.');
  return inWallet(provider);
}

/** Reads a view of a contract. */
export function view<const A extends Abi, F extends ContractFunctionName<A, 'view' | 'pure'>>(
  chain: Chain, contract: Address, abi: A, functionName: F, args: ContractFunctionArgs<A, 'view' | 'pure', F>,
): Promise<ContractFunctionReturnType<A, 'view' | 'pure', F>> {
  return read(reader(chain), contract, abi, functionName, args);
}

/** What an account has, in wei. */
export async function balance(chain: Chain, address: Address): Promise<bigint> {
  return BigInt((await reader(chain)('eth_getBalance', [address, 'latest'])) as Hex);
}

/** Brings the wallet to the page's chain, adding the chain to the wallet if it knows it not. */
async function toChain(chain: Chain, ask: Ask, chainId: number): Promise<void> {
  if (chainId === chain.chain_id) return;
  const id = numberToHex(chain.chain_id);
  try {
    await ask('wallet_switchEthereumChain', [{ chainId: id }]);
  } catch (error) {
    if (!(error instanceof RpcError) || error.code !== 4902 || chain.rpc_url === null) throw error;
    const chainName = chain.demo ? 'Zugzwang demo' : `Chain ${chain.chain_id}`;
    await ask('wallet_addEthereumChain', [{ chainId: id, chainName, nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 }, rpcUrls: [chain.rpc_url] }]);
  }
}

/**
 * Sends a call from the visitor's account, after trying it: what the contract would refuse is told before the wallet
 * asks. Throws `Refused`, or that the visitor declined. Returns the hash.
 */
export async function send<const A extends Abi, F extends ContractFunctionName<A, 'nonpayable' | 'payable'>>(
  chain: Chain, contract: Address, abi: A, functionName: F, args: ContractFunctionArgs<A, 'nonpayable' | 'payable', F>, value = 0n,
): Promise<Hex> {
  const from = current;
  if (from === null) throw new Plain('Connect a wallet first.', '', 'info');
  if (from.provider !== null) await toChain(chain, inWallet(from.provider), from.chainId);
  const ask = reader(chain);
  const data = encodeFunctionData({ abi: abi as Abi, functionName: functionName as string, args: args as readonly unknown[] });
  const call = { from: from.address, to: contract, data, value: numberToHex(value) };
  let gas: bigint;
  try {
    gas = BigInt((await ask('eth_estimateGas', [call])) as Hex);
  } catch (error) {
    throw refusal(error, abi);
  }
  // What a call costs moves a little with the block that it gets into.
  gas += gas / 5n;
  if (from.provider !== null) return (await inWallet(from.provider)('eth_sendTransaction', [{ ...call, gas: numberToHex(gas) }])) as Hex;
  const [nonce, block] = await Promise.all([
    ask('eth_getTransactionCount', [from.address, 'pending']) as Promise<Hex>,
    ask('eth_getBlockByNumber', ['latest', false]) as Promise<{ baseFeePerGas?: Hex }>,
  ]);
  const tip = 10n ** 9n;
  return (await ask('eth_sendRawTransaction', [await sign({
    chainId: chain.chain_id, type: 'eip1559', to: contract, data, value, gas, nonce: Number(nonce),
    maxPriorityFeePerGas: tip, maxFeePerGas: 2n * BigInt(block.baseFeePerGas ?? '0x0') + tip,
  })])) as Hex;
}

/** Waits until a transaction is in a block; throws if it failed there. */
export async function mined(chain: Chain, hash: Hex): Promise<Receipt> {
  const found = await receipt(reader(chain), hash, chain.demo ? 250 : 2000);
  if (found.status !== '0x1') throw new Plain('The transaction was included, but the contract refused it.', 'Something changed after it was sent.');
  return found;
}
