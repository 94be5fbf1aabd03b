//! What a seed stands for: how the daemon is configured, and how hard it is made for it.

use super::dice::Dice;

/// A scenario.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Daemons with the same key, each with a store of its own.
    pub(super) daemons: usize,
    /// Endpoints of each daemon.
    pub(super) endpoints: usize,
    /// How many endpoints must say the same.
    pub(super) quorum: usize,
    pub(super) confirmations: u64,
    pub(super) finality: u64,
    pub(super) max_reorg: u64,
    /// Deepest reorganisation that comes.
    pub(super) depth: u64,
    /// Whether one comes that is deeper than may be undone.
    pub(super) too_deep: bool,
    pub(super) poll_ms: u64,
    pub(super) bump_after_s: u64,
    /// Virtual milliseconds of trouble.
    pub(super) chaos_ms: u64,
    /// Requests in a thousand that something happens to.
    pub(super) rpc_permille: u32,
    /// Whether the daemon is killed.
    pub(super) crashes: bool,
    /// Whether the contract takes second answers.
    pub(super) careless: bool,
    /// Whether another wallet has the key.
    pub(super) stolen_key: bool,
    /// Whether others answer, too.
    pub(super) rivals: bool,
    /// Whether blocks are left out of the pool's view, and the pool is lost.
    pub(super) lossy_pool: bool,
    pub(super) fee_spikes: bool,
    pub(super) clock_jumps: bool,
}

impl Plan {
    pub(super) fn of(dice: &mut Dice) -> Self {
        let depth = dice.weighted(&[(2, 0), (3, 2), (3, 6), (3, 12)]);
        let endpoints = dice.weighted(&[(3, 1), (2, 2), (3, 3)]);
        let careless = dice.permille(250);
        let lone = careless || dice.permille(700);
        Self {
            daemons: if lone { 1 } else { 2 },
            endpoints,
            quorum: if endpoints == 3 && dice.permille(500) { 2 } else { 1 },
            confirmations: dice.between(0..=3),
            finality: depth + dice.between(1..=3),
            max_reorg: 16 + dice.between(0..=10),
            depth,
            too_deep: !careless && dice.permille(40),
            poll_ms: dice.between(700..=2500),
            bump_after_s: dice.between(5..=30),
            chaos_ms: dice.between(40..=90) * 1000,
            rpc_permille: dice.weighted(&[(3, 0), (3, 20), (3, 80), (2, 250)]),
            crashes: dice.permille(700),
            careless,
            stolen_key: !careless && dice.permille(300),
            rivals: !careless && dice.permille(400),
            lossy_pool: dice.permille(500),
            fee_spikes: dice.permille(400),
            clock_jumps: dice.permille(400),
        }
    }
}
