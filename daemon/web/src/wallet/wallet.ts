//! The visitor's account: which one, on which chain, and how it sends.

import { createClient, custom, defineChain, http, numberToHex, type Abi, type Account, type Address, type Client, type ContractFunctionArgs, type ContractFunctionName, type EIP1193Provider, type ReadContractParameters, type ReadContractReturnType, type TransactionReceipt } from 'viem';
import { getBalance, readContract, simulateContract, waitForTransactionReceipt, writeContract } from 'viem/actions';
import type { Chain, Hex } from '../api/types';
import { Plain } from '../ui/trouble';
import { store, stored } from '../ui/theme';
import { demoAccount, fund, isDemo } from './demo';
import { offered, type Offered } from './providers';

/** An account that can sign for the visitor. */
export interface Wallet {
  kind: 'demo' | 'injected';
  name: string;
  address: Address;
  /** The chain that the wallet is on; it need not be the page's. */
  chainId: number;
  account: Account | Address;
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
  const account = demoAccount();
  await fund(chain, account.address);
  undo();
  undo = () => {};
  const next: Wallet = { kind: 'demo', name: 'Demo key', address: account.address, chainId: chain.chain_id, account, provider: null };
  store(LAST, 'demo');
  become(next);
  return next;
}

/** Asks a wallet of the browser for an account; `quiet` asks nobody, and connects only what was allowed before. */
export async function connect(choice: Offered, quiet = false): Promise<Wallet | null> {
  const { provider } = choice;
  const accounts = (await provider.request({ method: quiet ? 'eth_accounts' : 'eth_requestAccounts' })) as Address[];
  const address = accounts[0];
  if (address === undefined) {
    if (quiet) return null;
    throw new Plain('The wallet gave no account.', 'Unlock it and try again.');
  }
  const chainId = Number((await provider.request({ method: 'eth_chainId' })) as Hex);
  undo();
  const next: Wallet = { kind: 'injected', name: choice.name, address, chainId, account: address, provider };
  const accountsChanged = (list: Address[]) => {
    if (list[0] === undefined) disconnect();
    else if (current !== null) become({ ...current, address: list[0], account: list[0] });
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

function viemChain(chain: Chain) {
  return defineChain({
    id: chain.chain_id,
    name: chain.demo ? 'Demo chain' : `Chain ${chain.chain_id}`,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: chain.rpc_url === null ? [] : [chain.rpc_url] } },
  });
}

/** What reads the chain: the node that the daemon names, else the visitor's wallet. */
export function reader(chain: Chain): Client {
  if (chain.rpc_url !== null) return createClient({ chain: viemChain(chain), transport: http(chain.rpc_url), pollingInterval: chain.demo ? 300 : 2000 });
  const provider = current?.provider ?? offered()[0]?.provider;
  if (provider === undefined) throw new Plain('There is no way to read the chain from this page.', 'Connect a wallet: this server names no node.');
  return createClient({ chain: viemChain(chain), transport: custom(provider), pollingInterval: 2000 });
}

/** Reads a view of a contract. */
export function view<const A extends Abi, F extends ContractFunctionName<A, 'view' | 'pure'>, const P extends ContractFunctionArgs<A, 'view' | 'pure', F>>(
  chain: Chain, contract: Address, abi: A, functionName: F, args: P,
): Promise<ReadContractReturnType<A, F, P>> {
  return readContract(reader(chain), { address: contract, abi, functionName, args } as ReadContractParameters<A, F, P>);
}

/** What an account has, in wei. */
export function balance(chain: Chain, address: Address): Promise<bigint> {
  return getBalance(reader(chain), { address });
}

/** Brings the wallet to the page's chain, adding the chain to the wallet if it knows it not. */
async function toChain(chain: Chain, from: Wallet): Promise<void> {
  if (from.provider === null || from.chainId === chain.chain_id) return;
  const chainId = numberToHex(chain.chain_id);
  try {
    await from.provider.request({ method: 'wallet_switchEthereumChain', params: [{ chainId }] });
  } catch (error) {
    if ((error as { code?: unknown }).code !== 4902 || chain.rpc_url === null) throw error;
    const { name, nativeCurrency } = viemChain(chain);
    await from.provider.request({ method: 'wallet_addEthereumChain', params: [{ chainId, chainName: name, nativeCurrency, rpcUrls: [chain.rpc_url] }] });
  }
}

/**
 * Sends a call from the visitor's account, after trying it: what the contract would refuse is told before the wallet
 * asks. Throws the refusal, or that the visitor declined. Returns the hash.
 */
export async function send<const A extends Abi, F extends ContractFunctionName<A, 'nonpayable' | 'payable'>>(
  chain: Chain, contract: Address, abi: A, functionName: F, args: ContractFunctionArgs<A, 'nonpayable' | 'payable', F>, value = 0n,
): Promise<Hex> {
  const from = current;
  if (from === null) throw new Plain('Connect a wallet first.', '', 'info');
  await toChain(chain, from);
  const call = { address: contract, abi: abi as Abi, functionName: functionName as string, args: args as readonly unknown[], value, account: from.account };
  await simulateContract(reader(chain), call);
  const transport = from.provider === null ? http(chain.rpc_url ?? undefined) : custom(from.provider);
  const client = createClient({ chain: viemChain(chain), transport });
  return writeContract(client, { ...call, chain: viemChain(chain) });
}

/** Waits until a transaction is in a block; throws if it failed there. */
export async function mined(chain: Chain, hash: Hex): Promise<TransactionReceipt> {
  const receipt = await waitForTransactionReceipt(reader(chain), { hash, timeout: 600_000 });
  if (receipt.status !== 'success') throw new Plain('The transaction was included, but the contract refused it.', 'Something changed after it was sent.');
  return receipt;
}
