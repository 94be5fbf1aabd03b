//! The numbers of an account that the fraud model reads, out of the limbs that a guard packs (`contracts/src/guard/Features.sol`),
//! and how they are spread over the accounts that the model was trained on.

use std::{collections::BTreeMap, fs, path::Path};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::chain::types::U256;

/// The file of a model's folder with the spread of its numbers; `quantiles.py` beside it makes it.
const FILE: &str = "quantiles.json";
/// The number whose sign is a digit of its own, and that digit's place.
const BALANCE: &str = "balance";
const NEGATIVE: u32 = 62;

/// A number: its name in the training's files, in words, its limb, first digit and how many digits of 4 bits it has.
struct Number(&'static str, &'static str, usize, u32, u32);

const NUMBERS: [Number; 15] = [
    Number("received", "Deposits", 0, 8, 6),
    Number("received_from", "Different payers", 0, 14, 4),
    Number("received_min", "Smallest deposit, millionths", 0, 18, 10),
    Number("received_max", "Largest deposit, millionths", 0, 28, 10),
    Number("received_total", "All deposits, millionths", 0, 38, 12),
    Number("received_time", "Time of the last deposit, s, capped", 0, 0, 8),
    Number("sent", "Withdrawals", 1, 8, 6),
    Number("sent_to", "Different receivers", 1, 14, 4),
    Number("sent_min", "Smallest withdrawal, millionths", 1, 18, 10),
    Number("sent_max", "Largest withdrawal, millionths", 1, 28, 10),
    Number("sent_total", "All withdrawals, millionths", 1, 38, 12),
    Number("sent_time", "First to last withdrawal, s", 1, 0, 8),
    Number(BALANCE, "Deposits less withdrawals, millionths", 1, 50, 12),
    Number("calls", "Deposits and withdrawals", 0, 54, 6),
    Number("created", "Contracts created", 0, 50, 4),
];

/// A number that the model reads of an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Feature {
    /// In the files of the training.
    pub key: String,
    /// In words, with its unit; amounts are in millionths of a whole token.
    pub name: String,
    /// Its value.
    pub value: i64,
    /// How it is spread over the training's accounts; empty where that isn't known.
    pub quantiles: Vec<Quantile>,
}

/// A value of a population, at or below which a share of it lies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Quantile {
    /// The share, from 0 to 1.
    pub q: f64,
    /// The value.
    pub value: f64,
}

/// How the numbers are spread over a population.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Spread {
    shares: Vec<f64>,
    numbers: BTreeMap<String, Vec<f64>>,
}

impl Spread {
    /// That of a model's folder. One that isn't there, or can't be read, is none.
    pub(super) fn of(folder: &Path) -> Self {
        let path = folder.join(FILE);
        let Ok(text) = fs::read_to_string(&path) else { return Self::default() };
        serde_json::from_str(&text).unwrap_or_else(|error| {
            tracing::warn!("{}: {}", path.display(), crate::chain::error::one_line(&error.to_string()));
            Self::default()
        })
    }

    fn quantiles(&self, key: &str) -> Vec<Quantile> {
        let values = self.numbers.get(key).into_iter().flatten();
        self.shares.iter().zip(values).map(|(q, value)| Quantile { q: *q, value: *value }).collect()
    }
}

/// The numbers in an account's limbs.
pub(super) fn read(limbs: &[U256], spread: &Spread) -> Vec<Feature> {
    let digits = |limb: usize, first: u32, count: u32| -> i64 {
        let limb = limbs.get(limb).copied().unwrap_or_default();
        let mask = (U256::from(1) << (4 * count)) - U256::from(1);
        // 48 bits at most.
        ((limb >> (4 * first)) & mask).saturating_to()
    };
    let is_negative = digits(1, NEGATIVE, 1) != 0;
    let feature = |&Number(key, name, limb, first, count): &Number| {
        let value = digits(limb, first, count);
        let value = if key == BALANCE && is_negative { -value } else { value };
        Feature { key: key.to_owned(), name: name.to_owned(), value, quantiles: spread.quantiles(key) }
    };
    NUMBERS.iter().map(feature).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/fraud")
    }

    /// A line of `calibration.csv` as limbs: 63 digits each, the lowest first.
    fn limbs(line: &str) -> Vec<U256> {
        let digits: Vec<u64> = line.split(',').map(|digit| digit.parse().expect("a digit")).collect();
        let limb =
            |digits: &[u64]| digits.iter().rev().fold(U256::ZERO, |limb, digit| (limb << 4) | U256::from(*digit));
        vec![limb(&digits[..63]), limb(&digits[63..126])]
    }

    #[test]
    fn the_committed_quantiles_are_those_of_the_committed_accounts() {
        let text = fs::read_to_string(folder().join("calibration.csv")).expect("accounts");
        let spread = Spread::of(&folder());
        assert_eq!(spread.shares.first().zip(spread.shares.last()), Some((&0.0, &1.0)));
        let accounts: Vec<Vec<Feature>> = text.lines().skip(1).map(|line| read(&limbs(line), &spread)).collect();
        for (place, Number(key, ..)) in NUMBERS.iter().enumerate() {
            let mut values: Vec<i64> = accounts.iter().map(|account| account[place].value).collect();
            values.sort_unstable();
            let quantiles = &accounts[0][place].quantiles;
            assert_eq!(quantiles.len(), spread.shares.len(), "{key}: run models/fraud/quantiles.py");
            for Quantile { q, value } in quantiles {
                let rank = (q * values.len() as f64).round() as usize;
                assert_eq!(
                    values[rank.saturating_sub(1)] as f64,
                    *value,
                    "{key} at {q}: run models/fraud/quantiles.py"
                );
            }
        }
    }

    #[test]
    fn numbers_are_read_as_the_guard_packs_them() {
        let received = U256::from(1_234u64) | U256::from(7) << 32 | U256::from(3) << 56 | U256::from(500) << 152;
        let sent = U256::from(9) << 32 | U256::from(700) << 152 | U256::from(200) << 200 | U256::from(1) << 248;
        let features = read(&[received, sent], &Spread::default());
        let value = |key: &str| features.iter().find(|feature| feature.key == key).expect("a number").value;
        let found = ["received_time", "received", "received_from", "received_total", "sent", "sent_total", BALANCE];
        assert_eq!(found.map(value), [1234, 7, 3, 500, 9, 700, -200]);
        assert!(features.iter().all(|feature| feature.quantiles.is_empty()));
        // A guard with fewer limbs than ours tells nothing, and breaks nothing.
        assert!(read(&[], &Spread::default()).iter().all(|feature| feature.value == 0));
    }
}
