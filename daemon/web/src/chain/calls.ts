//! Reading contracts, and what is read of the chain besides.

import { decodeFunctionResult, encodeFunctionData, type Abi, type Address, type ContractFunctionArgs, type ContractFunctionName, type ContractFunctionReturnType } from 'viem';
import type { Hex } from '../api/types';
import { Plain } from '../ui/trouble';
import { refusal, RpcError, type Ask } from './rpc';

/** Reads a view of a contract. Throws `Refused` if the contract does. */
export async function read<const A extends Abi, F extends ContractFunctionName<A, 'view' | 'pure'>>(
  ask: Ask, to: Address, abi: A, functionName: F, args: ContractFunctionArgs<A, 'view' | 'pure', F>,
): Promise<ContractFunctionReturnType<A, 'view' | 'pure', F>> {
  const data = encodeFunctionData({ abi: abi as Abi, functionName: functionName as string, args: args as readonly unknown[] });
  let answer: Hex;
  try {
    answer = (await ask('eth_call', [{ to, data }, 'latest'])) as Hex;
  } catch (error) {
    throw refusal(error, abi);
  }
  if (answer === '0x') throw new Plain('There is no such contract on this chain.', to);
  return decodeFunctionResult({ abi: abi as Abi, functionName: functionName as string, data: answer }) as ContractFunctionReturnType<A, 'view' | 'pure', F>;
}

/** A transaction as a node tells it. */
export interface Transaction { from: Address; to: Address | null; input: Hex; blockNumber: Hex | null }

/** A transaction; throws if the node doesn't know it. */
export async function transaction(ask: Ask, hash: Hex): Promise<Transaction> {
  const found = (await ask('eth_getTransactionByHash', [hash])) as Transaction | null;
  if (found === null) throw new Plain('The node does not know the transaction.', 'It may be a moment behind.');
  return found;
}

/** What became of a transaction. */
export interface Receipt { status: Hex; blockNumber: Hex; gasUsed: Hex; logs: { address: Address; topics: [Hex, ...Hex[]] | []; data: Hex }[] }

/** Waits until a transaction is in a block, at most ten minutes. */
export async function receipt(ask: Ask, hash: Hex, everyMs: number): Promise<Receipt> {
  for (const end = Date.now() + 600_000; Date.now() < end; ) {
    // A node that can't answer now may answer next time.
    const found = (await ask('eth_getTransactionReceipt', [hash]).catch((error: unknown) => {
      if (error instanceof RpcError && error.code === -32601) throw error;
      return null;
    })) as Receipt | null;
    if (found !== null) return found;
    await new Promise((done) => setTimeout(done, everyMs));
  }
  throw new Plain('The transaction is still not in a block.', 'Your wallet can tell you more, or send it again with a higher fee.');
}
