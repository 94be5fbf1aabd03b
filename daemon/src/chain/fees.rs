//! What a transaction offers to pay. Pure.

use crate::config::SubmitConfig;

/// EIP-1559 prices, in wei per gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// Most that is paid in all.
    pub max_fee: u128,
    /// Most that goes to the block's maker.
    pub max_priority: u128,
}

/// A first offer: twice the base fee plus the suggested tip, under the caps. `None` if even the
/// base fee is above the cap.
pub fn first(config: &SubmitConfig, base_fee: u128, suggested_tip: Option<u128>) -> Option<Fees> {
    if base_fee >= config.max_fee {
        return None;
    }
    let tip = suggested_tip.unwrap_or(config.max_priority).min(config.max_priority);
    let max_fee = base_fee.saturating_mul(2).saturating_add(tip).min(config.max_fee).max(1);
    Some(Fees { max_fee, max_priority: tip.min(max_fee) })
}

/// A replacement's offer: both prices raised by the configured per cent, or the market if that is
/// more. `None` if the cap leaves no room, or the base fee is above it: then no offer under the cap would be mined.
pub fn bumped(config: &SubmitConfig, old: Fees, base_fee: u128, suggested_tip: Option<u128>) -> Option<Fees> {
    let raise = |wei: u128| wei.saturating_mul(100 + config.bump_percent).div_ceil(100).max(wei.saturating_add(1));
    let market = first(config, base_fee, suggested_tip)?;
    let max_fee = raise(old.max_fee).max(market.max_fee);
    let max_priority = raise(old.max_priority).max(market.max_priority);
    (max_fee <= config.max_fee && max_priority <= max_fee).then_some(Fees { max_fee, max_priority })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::SpendLimits;

    const CONFIG: SubmitConfig = SubmitConfig {
        max_fee: 100,
        max_priority: 5,
        bump_after: Duration::from_secs(1),
        bump_percent: 13,
        gas_margin_percent: 20,
        max_gas: 1_000_000,
        limits: SpendLimits { hour: None, day: None },
    };

    #[test]
    fn offers() {
        assert_eq!(first(&CONFIG, 10, Some(2)), Some(Fees { max_fee: 22, max_priority: 2 }));
        assert_eq!(first(&CONFIG, 10, Some(9)), Some(Fees { max_fee: 25, max_priority: 5 }));
        assert_eq!(first(&CONFIG, 60, Some(2)), Some(Fees { max_fee: 100, max_priority: 2 }));
        assert_eq!(first(&CONFIG, 100, Some(2)), None);
        assert_eq!(first(&CONFIG, 0, Some(0)), Some(Fees { max_fee: 1, max_priority: 0 }));
    }

    #[test]
    fn replacements_pay_more_until_the_cap() {
        let old = Fees { max_fee: 22, max_priority: 2 };
        assert_eq!(bumped(&CONFIG, old, 10, Some(2)), Some(Fees { max_fee: 25, max_priority: 3 }));
        assert_eq!(bumped(&CONFIG, old, 40, Some(2)), Some(Fees { max_fee: 82, max_priority: 3 }));
        assert_eq!(bumped(&CONFIG, Fees { max_fee: 95, max_priority: 2 }, 10, None), None);
    }

    #[test]
    fn no_offer_goes_over_the_cap() {
        let tips = [None, Some(0), Some(1), Some(5), Some(1000), Some(u128::MAX)];
        for base_fee in (0..130).chain([u128::MAX / 2, u128::MAX]) {
            for tip in tips {
                let mut offers = Vec::from_iter(first(&CONFIG, base_fee, tip));
                // Whatever was offered before, each replacement pays more than what it replaces, or there is none.
                while let Some(old) = offers.last().copied() {
                    let Some(next) = bumped(&CONFIG, old, base_fee, tip) else { break };
                    assert!(next.max_fee * 100 >= old.max_fee * 113 && next.max_priority > old.max_priority);
                    offers.push(next);
                }
                let within = |offer: &Fees| offer.max_fee <= CONFIG.max_fee && offer.max_priority <= offer.max_fee;
                assert!(offers.iter().all(within), "{base_fee} {tip:?}: {offers:?}");
                assert_eq!(offers.is_empty(), base_fee >= CONFIG.max_fee);
            }
        }
    }
}
