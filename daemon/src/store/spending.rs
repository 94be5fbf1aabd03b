//! What a key has spent and may spend, read off its transactions.

use sqlx::Row;

use super::{Store, StoreError, signed, transactions::decimal, unsigned};
use crate::chain::types::{Address, U256};

/// What one transaction cost, or may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spending {
    /// Its row.
    pub tx: i64,
    /// Wei: of one that is mined what it paid, of one under way the most that any of its versions may cost.
    pub wei: U256,
    /// When.
    pub spent: Spent,
}

/// When money was spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// It may be at any time.
    UnderWay,
    /// When the block was first seen that it is in, unix milliseconds.
    At(i64),
}

impl Store {
    /// What a key has spent since a time, `i64::MAX` for nothing of it, and what it has under way. A transaction whose block was
    /// undone is under way again.
    pub async fn spending(&self, chain_id: u64, signer: Address, since: i64) -> Result<Vec<Spending>, StoreError> {
        let rows = sqlx::query(
            "SELECT t.id, t.state, t.mined_ok, t.gas_used, t.gas_price, t.spent_at, a.max_fee, a.gas_limit, a.value \
             FROM transactions t JOIN attempts a ON a.tx = t.id \
             WHERE t.chain_id = $1 AND t.signer = $2 AND t.state IN ('signed', 'broadcast') \
             UNION ALL \
             SELECT t.id, t.state, t.mined_ok, t.gas_used, t.gas_price, t.spent_at, a.max_fee, a.gas_limit, a.value \
             FROM transactions t JOIN attempts a ON a.tx = t.id \
             WHERE t.chain_id = $1 AND t.signer = $2 AND t.state IN ('included', 'final') AND t.spent_at > $3 ORDER BY 1",
        )
        .bind(signed(chain_id))
        .bind(signer.as_slice())
        .bind(since)
        .fetch_all(&self.readers)
        .await?;
        let mut found: Vec<Spending> = Vec::new();
        for row in &rows {
            let tx = row.get("id");
            let value: U256 = decimal(row.get::<&str, _>("value"), "attempts", "value")?;
            let cost =
                |gas: u64, price: u128, value| U256::from(gas).saturating_mul(U256::from(price)).saturating_add(value);
            let (wei, spent) = match row.get::<&str, _>("state") {
                "signed" | "broadcast" => {
                    let gas = unsigned(row.get("gas_limit"), "attempts", "gas_limit")?;
                    (cost(gas, decimal(row.get::<&str, _>("max_fee"), "attempts", "max_fee")?, value), Spent::UnderWay)
                }
                _ => {
                    let gas = unsigned(row.get::<Option<i64>, _>("gas_used").unwrap_or(0), "transactions", "gas_used")?;
                    let price = match row.get::<Option<&str>, _>("gas_price") {
                        Some(price) => decimal(price, "transactions", "gas_price")?,
                        None => 0,
                    };
                    let paid = row.get::<Option<i64>, _>("mined_ok") != Some(0);
                    (cost(gas, price, if paid { value } else { U256::ZERO }), Spent::At(row.get("spent_at")))
                }
            };
            match found.last_mut() {
                // Another version of the same: at most one of them is mined.
                Some(last) if last.tx == tx => last.wei = last.wei.max(wei),
                _ => found.push(Spending { tx, wei, spent }),
            }
        }
        Ok(found)
    }
}
