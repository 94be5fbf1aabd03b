//! What pools mean for those who bet. All amounts in wei.

/** The share of all bets that is on a pool, 0 to 1. */
export function share(pool: bigint, total: bigint): number {
  return total === 0n ? 0 : Number((pool * 1_000_000n) / total) / 1_000_000;
}

/** What a wei on an outcome gets if it wins and nobody bets any more; `null` if nobody bet on it. */
export function multiple(pool: bigint, total: bigint): number | null {
  return pool === 0n ? null : Number((total * 1_000_000n) / pool) / 1_000_000;
}

/** What a further bet would get if its outcome won, its own part of the pools included. Rounded down, as the contract rounds. */
export function payout(bet: bigint, pool: bigint, total: bigint): bigint {
  return bet === 0n ? 0n : (bet * (total + bet)) / (pool + bet);
}
