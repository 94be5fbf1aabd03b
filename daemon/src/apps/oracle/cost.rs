//! What an answer costs at today's price of gas, and whether its bounty is worth it. Pure.

use crate::chain::types::U256;

/// Gas of the oracle's own work, the transaction's 21,000 left out: docs/gas.md has 78,590 for an answer that nothing verifies.
const BOOKKEEPING: u64 = 57_600;
/// Gas of a transaction that verifies a proof, where the model's isn't known: a little more than that of most.
const VERIFICATION: u64 = 500_000;
/// Seconds between blocks that are reckoned with: those of Ethereum.
const BLOCK: f64 = 12.0;
/// By what the base fee can fall in a block at most.
const FALL: f64 = 8.0 / 7.0;
/// Least and most seconds until a request is looked at again that isn't worth its gas.
const PATIENCE: (u64, u64) = (60, 600);

/// What an answer costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    /// Gas of the whole transaction, at most.
    pub(super) gas: u64,
    /// Wei per gas.
    pub(super) price: u128,
}

impl Cost {
    /// `verifying`: gas of a transaction that verifies a proof of the model, 0 if unknown; `called`: gas of the callback and of
    /// reading the source, at most.
    pub(super) fn new(verifying: u64, called: u64, price: u128) -> Self {
        let verifying = if verifying == 0 { VERIFICATION } else { verifying };
        Self { gas: verifying.saturating_add(BOOKKEEPING).saturating_add(called), price }
    }

    /// In wei.
    pub(super) fn wei(self) -> U256 {
        U256::from(self.gas).saturating_mul(U256::from(self.price))
    }

    /// Why a bounty isn't worth it, if it isn't.
    pub(super) fn exceeds(self, bounty: U256) -> Option<String> {
        let Self { gas, price } = self;
        (bounty < self.wei()).then(|| {
            format!(
                "its bounty of {bounty} wei is below the {} wei that an answer costs now: {gas} gas for verification and callback at {price} wei each; it is answered if gas gets cheap enough before its deadline, or at once with oracle.at_a_loss = true",
                self.wei()
            )
        })
    }

    /// Seconds until the price can have fallen to what the bounty pays; `None` if it never can.
    pub(super) fn patience(self, bounty: U256) -> Option<u64> {
        if bounty.is_zero() {
            return None;
        }
        let times = f64::from(self.wei()) / f64::from(bounty);
        let seconds = times.ln() / FALL.ln() * BLOCK;
        // Not a number, or negative: as soon as may be.
        Some((seconds as u64).clamp(PATIENCE.0, PATIENCE.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounties_are_weighed_against_the_gas() {
        // Gas of the verifier, of what is called, price; bounty; whether it is worth it, seconds until the next look.
        let cases = [
            ((442_400, 0, 10), 5_000_000, true, Some(60)),
            ((442_400, 0, 10), 4_999_999, false, Some(60)),
            ((442_400, 100_000, 10), 5_000_000, false, Some(60)),
            ((0, 0, 1), 557_600, true, Some(60)),
            ((0, 0, 1), 557_599, false, Some(60)),
            // A tenth of the cost: 18 blocks of falling fees at least.
            ((442_400, 0, 100), 5_000_000, false, Some(206)),
            ((442_400, 0, 1_000_000), 1, false, Some(600)),
            ((442_400, 0, 0), 0, true, None),
            ((442_400, 0, 1), 0, false, None),
            ((u64::MAX, u64::MAX, u128::MAX), u64::MAX, false, Some(600)),
        ];
        for (at, ((verifying, called, price), bounty, is_worth_it, again)) in cases.into_iter().enumerate() {
            let (cost, bounty) = (Cost::new(verifying, called, price), U256::from(bounty));
            assert_eq!(cost.exceeds(bounty).is_none(), is_worth_it, "case {at}: {cost:?}");
            assert_eq!(cost.patience(bounty), again, "case {at}: {cost:?}");
        }
        let why = Cost::new(442_400, 0, 10).exceeds(U256::from(3)).unwrap_or_default();
        assert!(why.contains("500000 gas") && why.contains("at 10 wei") && why.contains("oracle.at_a_loss"), "{why}");
    }
}
