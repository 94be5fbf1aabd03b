//! `[submit]`: how transactions are priced and followed, and what may be spent.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ConfigError, at_least, bad, gwei};
use crate::chain::types::U256;

/// `[submit]` as written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct RawSubmit {
    /// Highest fee per gas.
    pub max_fee_gwei: f64,
    /// Highest tip per gas.
    pub max_priority_gwei: f64,
    /// Seconds after which an unmined transaction is replaced.
    pub bump_after_s: u64,
    /// By how many per cent a replacement pays more.
    pub bump_percent: u32,
    /// Per cent added to the gas estimate.
    pub gas_margin_percent: u64,
    /// Most gas of one transaction.
    pub max_gas: u64,
    /// Most ether that each key spends in any hour; 0 for no limit.
    pub spend_per_hour_eth: f64,
    /// Most ether that each key spends in any 24 hours; 0 for no limit.
    pub spend_per_day_eth: f64,
}

impl Default for RawSubmit {
    fn default() -> Self {
        Self {
            max_fee_gwei: 200.0,
            max_priority_gwei: 2.0,
            bump_after_s: 45,
            bump_percent: 13,
            gas_margin_percent: 20,
            // No transaction of Ethereum may have more (EIP-7825).
            max_gas: 1 << 24,
            spend_per_hour_eth: 0.0,
            spend_per_day_eth: 0.0,
        }
    }
}

/// How transactions are priced and followed.
#[derive(Clone, Debug)]
pub struct SubmitConfig {
    /// Highest fee per gas, in wei.
    pub max_fee: u128,
    /// Highest tip per gas, in wei.
    pub max_priority: u128,
    /// Age at which an unmined transaction is replaced.
    pub bump_after: Duration,
    /// By how much a replacement pays more, in per cent.
    pub bump_percent: u128,
    /// What is added to the gas estimate, in per cent.
    pub gas_margin_percent: u64,
    /// Most gas of one transaction.
    pub max_gas: u64,
    /// What each key may spend that has no limits of its own.
    pub limits: SpendLimits,
}

impl Default for SubmitConfig {
    /// What an empty `[submit]` means.
    fn default() -> Self {
        Self {
            max_fee: 200_000_000_000,
            max_priority: 2_000_000_000,
            bump_after: Duration::from_secs(45),
            bump_percent: 13,
            gas_margin_percent: 20,
            max_gas: 1 << 24,
            limits: SpendLimits::default(),
        }
    }
}

impl SubmitConfig {
    /// Checks `[submit]`.
    pub(super) fn from_raw(raw: &RawSubmit) -> Result<Self, ConfigError> {
        if raw.bump_percent < 10 {
            return Err(bad(
                "submit.bump_percent",
                raw.bump_percent,
                "is below 10, the least that nodes accept for a replacement",
            ));
        }
        Ok(Self {
            max_fee: gwei("submit.max_fee_gwei", raw.max_fee_gwei)?,
            max_priority: gwei("submit.max_priority_gwei", raw.max_priority_gwei)?,
            bump_after: Duration::from_secs(at_least("submit.bump_after_s", raw.bump_after_s, 1)?),
            bump_percent: raw.bump_percent.into(),
            gas_margin_percent: raw.gas_margin_percent,
            max_gas: at_least("submit.max_gas", raw.max_gas, 21_000)?,
            limits: SpendLimits::from_ether(
                ["submit.spend_per_hour_eth", "submit.spend_per_day_eth"],
                [raw.spend_per_hour_eth, raw.spend_per_day_eth],
            )?,
        })
    }
}

/// Most wei that a key spends in any hour and in any 24 hours; `None` for no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpendLimits {
    /// In any hour.
    pub hour: Option<U256>,
    /// In any 24 hours.
    pub day: Option<U256>,
}

impl SpendLimits {
    /// From ether, 0 for none. `keys` are the configuration's keys of the two.
    pub(super) fn from_ether(keys: [&'static str; 2], [hour, day]: [f64; 2]) -> Result<Self, ConfigError> {
        let wei = |key, ether: f64| match ether {
            0.0 => Ok(None),
            ether if ether.is_finite() && ether > 0.0 && ether <= 1e9 => {
                // In gwei first: a double has no more than 15 digits.
                Ok(Some(U256::from((ether * 1e9).round() as u128) * U256::from(1_000_000_000u64)))
            }
            _ => Err(bad(key, ether, "must be a number of ether from 0, for no limit, to 1e9")),
        };
        Ok(Self { hour: wei(keys[0], hour)?, day: wei(keys[1], day)? })
    }

    /// These, and where there is none the others.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self { hour: self.hour.or(others.hour), day: self.day.or(others.day) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_an_empty_section() {
        let checked = SubmitConfig::from_raw(&RawSubmit::default()).expect("defaults");
        assert_eq!(format!("{checked:?}"), format!("{:?}", SubmitConfig::default()));
    }

    #[test]
    fn ether_is_counted_in_wei() {
        let cases = [
            (0.0, "None"),
            (1e-9, "Some(1000000000)"),
            (0.25, "Some(250000000000000000)"),
            (1.5, "Some(1500000000000000000)"),
            (-1.0, "bad"),
            (f64::NAN, "bad"),
            (2e9, "bad"),
        ];
        for (ether, expected) in cases {
            let shown = match SpendLimits::from_ether(["a", "b"], [ether, 0.0]) {
                Ok(limits) => format!("{:?}", limits.hour),
                Err(_) => "bad".into(),
            };
            assert_eq!(shown, expected, "{ether}");
        }
        let own = SpendLimits { hour: Some(U256::from(1)), day: None };
        let common = SpendLimits { hour: Some(U256::from(2)), day: Some(U256::from(3)) };
        assert_eq!(own.or(common), SpendLimits { hour: Some(U256::from(1)), day: Some(U256::from(3)) });
    }
}
