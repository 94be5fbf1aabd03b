//! The visitor's own stakes in a game of the World: found on the chain, and what they bring.

import { encodeEventTopics, parseEventLogs, type Address, type Log } from 'viem';
import { WorldArena } from '../abi/WorldArena';
import type { Chain } from '../api/types';
import { squareName } from '../chess/moves';
import { store, stored } from '../ui/theme';
import { reader, view } from '../wallet/wallet';

/** A move that the visitor staked on. */
export interface Stake { ply: number; move: bigint }

const PROMOTIONS = ['', '', 'n', 'b', 'r', 'q'];

/** The move of an arena's move word, as UCI. */
export function uciOf(move: bigint): string {
  const word = Number(move);
  return squareName(word & 63) + squareName((word >> 6) & 63) + (PROMOTIONS[word >> 12] ?? '');
}

const key = (arena: Address, game: bigint, account: Address) => `zugzwang.votes.${arena}.${game}.${account}`.toLowerCase();

/** Notes a vote in this browser, for nodes that search no logs. */
export function remember(arena: Address, game: bigint, account: Address, stake: Stake): void {
  const kept = noted(arena, game, account).filter((s) => s.ply !== stake.ply || s.move !== stake.move);
  store(key(arena, game, account), JSON.stringify([...kept, stake].map((s) => [s.ply, Number(s.move)])));
}

function noted(arena: Address, game: bigint, account: Address): Stake[] {
  try {
    const list = JSON.parse(stored(key(arena, game, account)) ?? '[]') as [number, number][];
    return list.map(([ply, move]) => ({ ply, move: BigInt(move) }));
  } catch {
    return [];
  }
}

/** Every move that an account voted for in a game. */
export async function stakes(chain: Chain, arena: Address, game: bigint, account: Address): Promise<Stake[]> {
  const found = new Map(noted(arena, game, account).map((s) => [`${s.ply}.${s.move}`, s]));
  try {
    const topics = encodeEventTopics({ abi: WorldArena, eventName: 'Voted', args: { gameId: game, account } });
    const logs = (await reader(chain)('eth_getLogs', [{ address: arena, fromBlock: '0x0', toBlock: 'latest', topics }])) as Log[];
    for (const { args } of parseEventLogs({ abi: WorldArena, eventName: 'Voted', logs })) {
      found.set(`${args.ply}.${args.move}`, { ply: Number(args.ply), move: args.move });
    }
  } catch {
    // Many nodes search only a part of the chain: then what this browser noted must do.
  }
  return [...found.values()];
}

/** What `claim` would bring now, and for which votes. */
export async function due(chain: Chain, arena: Address, game: bigint, account: Address): Promise<{ amount: bigint; votes: Stake[] }> {
  const all = await stakes(chain, arena, game, account);
  const amounts = await Promise.all(all.map((s) => view(chain, arena, WorldArena, 'dueOf', [game, BigInt(s.ply), s.move, account])));
  return { amount: amounts.reduce((sum, wei) => sum + wei, 0n), votes: all.filter((_, i) => (amounts[i] ?? 0n) > 0n) };
}

/** Votes as `claim` takes them. */
export function asArgument(votes: Stake[]): { ply: bigint; move: bigint }[] {
  return votes.map(({ ply, move }) => ({ ply: BigInt(ply), move }));
}

