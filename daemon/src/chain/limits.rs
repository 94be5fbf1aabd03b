//! What a key may spend in an hour and in a day. Pure.
//!
//! Counted are the actual cost of what is mined in the window and the most that everything under way may cost: of a
//! transaction with several signed versions the dearest, since one of them at most is mined.

use super::{
    held::Held,
    types::{Address, U256},
};
use crate::{
    config::SpendLimits,
    store::{Spending, Spent},
};

/// Milliseconds of the two windows.
pub const HOUR: i64 = 3_600_000;
/// Milliseconds of the longer window.
pub const DAY: i64 = 24 * HOUR;

/// Wei that are spent or may be in the window before `now`. `without` is left out: it is about to be replaced.
fn total(spending: &[Spending], now: i64, window: i64, without: Option<i64>) -> U256 {
    let counts = |row: &&Spending| match row.spent {
        Spent::UnderWay => Some(row.tx) != without,
        // What a clock that was set back has not reached yet counts, too.
        Spent::At(time) => time > now.saturating_sub(window),
    };
    spending.iter().filter(counts).fold(U256::ZERO, |sum, row| sum.saturating_add(row.wei))
}

/// Whether a key may sign something that may cost `cost` wei; `replaces` names the transaction whose nonce it has, with the
/// most that its versions so far may cost.
///
/// # Errors
/// [`Held::OverLimit`].
pub fn check(
    limits: SpendLimits,
    key: Address,
    spending: &[Spending],
    now: i64,
    cost: U256,
    replaces: Option<(i64, U256)>,
) -> Result<(), Box<Held>> {
    // One of the versions may be mined, whichever costs more. A cheaper one adds nothing to what is counted already.
    let cost = cost.max(replaces.map_or(U256::ZERO, |(_, dearest)| dearest));
    if replaces.is_some_and(|(_, dearest)| cost <= dearest) {
        return Ok(());
    }
    let windows = [
        (limits.hour, HOUR, "hour", "submit.spend_per_hour_eth or the key's own"),
        (limits.day, DAY, "day", "submit.spend_per_day_eth or the key's own"),
    ];
    for (limit, window, name, setting) in windows {
        let Some(limit) = limit else { continue };
        let spent = total(spending, now, window, replaces.map(|(tx, _)| tx));
        if spent.saturating_add(cost) > limit {
            return Err(Box::new(Held::OverLimit { key, window: name, setting, spent, limit, cost }));
        }
    }
    Ok(())
}

/// Since when what was spent has to be known: `i64::MAX` if nothing limits it.
pub fn since(limits: SpendLimits, now: i64) -> i64 {
    match (limits.hour, limits.day) {
        (_, Some(_)) => now.saturating_sub(DAY),
        (Some(_), None) => now.saturating_sub(HOUR),
        (None, None) => i64::MAX,
    }
}

/// Wei that are spent or may be in the hour and in the day before `now`.
pub fn spent(spending: &[Spending], now: i64) -> (U256, U256) {
    (total(spending, now, HOUR, None), total(spending, now, DAY, None))
}

/// Wei that are left of each limit; `None` where there is none.
pub fn left(limits: SpendLimits, spending: &[Spending], now: i64) -> (Option<U256>, Option<U256>) {
    let left =
        |limit: Option<U256>, window| limit.map(|limit| limit.saturating_sub(total(spending, now, window, None)));
    (left(limits.hour, HOUR), left(limits.day, DAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 100 * DAY;

    fn row(tx: i64, wei: u64, spent: Spent) -> Spending {
        Spending { tx, wei: U256::from(wei), spent }
    }

    /// Limits of 100 per hour and 250 per day; what is spent; the cost; what it replaces: whether it is allowed.
    fn check_one(spending: &[Spending], cost: u64, replaces: Option<(i64, u64)>) -> String {
        let limits = SpendLimits { hour: Some(U256::from(100)), day: Some(U256::from(250)) };
        let replaces = replaces.map(|(tx, wei)| (tx, U256::from(wei)));
        match check(limits, Address::ZERO, spending, NOW, U256::from(cost), replaces).map_err(|held| *held) {
            Ok(()) => "ok".into(),
            Err(Held::OverLimit { window, spent, .. }) => format!("{window} {spent}"),
            Err(other) => other.to_string(),
        }
    }

    /// What is spent, a cost, what it replaces, and what is expected.
    type Case = (Vec<Spending>, u64, Option<(i64, u64)>, &'static str);

    #[test]
    fn what_is_mined_and_what_is_under_way_counts_once_each() {
        let mined = |ago: i64, wei| row(1, wei, Spent::At(NOW - ago));
        let live = |tx, wei| row(tx, wei, Spent::UnderWay);
        let cases: Vec<Case> = vec![
            (vec![], 100, None, "ok"),
            (vec![], 101, None, "hour 0"),
            (vec![mined(1, 60)], 40, None, "ok"),
            (vec![mined(1, 60)], 41, None, "hour 60"),
            (vec![mined(HOUR, 60)], 100, None, "ok"),
            (vec![mined(HOUR - 1, 60)], 100, None, "hour 60"),
            (vec![mined(2 * HOUR, 200)], 51, None, "day 200"),
            (vec![mined(DAY, 200)], 100, None, "ok"),
            (vec![live(7, 60)], 40, None, "ok"),
            (vec![live(7, 60)], 41, None, "hour 60"),
            // A replacement takes the place of what it replaces.
            (vec![live(7, 60)], 100, Some((7, 60)), "ok"),
            (vec![live(7, 60), live(8, 10)], 91, Some((7, 60)), "hour 10"),
            // A cheaper one, such as a cancellation, is always allowed: it makes nothing worse.
            (vec![live(7, 300)], 5, Some((7, 300)), "ok"),
            // A clock that was set back frees nothing.
            (vec![mined(-DAY, 60)], 41, None, "hour 60"),
        ];
        for (spending, cost, replaces, expected) in cases {
            assert_eq!(check_one(&spending, cost, replaces), expected, "{spending:?} + {cost} for {replaces:?}");
        }
        let limits = SpendLimits { hour: Some(U256::from(100)), day: None };
        assert_eq!(left(limits, &[row(1, 130, Spent::UnderWay)], NOW), (Some(U256::ZERO), None));
        assert_eq!(check(SpendLimits::default(), Address::ZERO, &[], NOW, U256::MAX, None), Ok(()));
    }
}
