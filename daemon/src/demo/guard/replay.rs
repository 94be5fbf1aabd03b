//! The behaviour of an account of the data set, as calls of a guarded vault that leave the same record.

use std::path::Path;

use crate::chain::types::U256;

/// One account of the data set, as far as a vault sees it. Amounts in gwei, times in seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Account {
    /// Its address.
    pub(crate) address: String,
    /// Whether it is labelled as fraud.
    pub(crate) is_fraud: bool,
    /// What came in.
    pub(crate) received: Flow,
    /// What went out.
    pub(crate) sent: Flow,
    /// The limbs that a guard would hold of it.
    pub(crate) limbs: Vec<[u8; 32]>,
}

/// One direction.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Flow {
    /// How often.
    pub(crate) count: u64,
    /// From or to how many others.
    pub(crate) distinct: u64,
    /// Seconds between two times, on average.
    pub(crate) gap: u64,
    /// The smallest amount.
    pub(crate) smallest: u64,
    /// The largest.
    pub(crate) largest: u64,
    /// All of them together.
    pub(crate) total: u64,
}

impl Flow {
    /// So many amounts with this smallest, largest and total, the largest last.
    pub(crate) fn amounts(&self) -> Vec<u64> {
        match self.count {
            0 => Vec::new(),
            1 => vec![self.total],
            count => {
                let between = count - 2;
                let rest = self.total.saturating_sub(self.smallest.saturating_add(self.largest));
                let mut amounts = vec![self.smallest];
                amounts.extend((0..between).map(|i| rest / between + u64::from(i < rest % between)));
                amounts.push(self.largest);
                amounts
            }
        }
    }
}

/// Calls that a replay may take.
const MOST_CALLS: u64 = 40;
/// Smallest withdrawal, in gwei, that stands for something.
const LEAST: u64 = 1_000_000;

/// Whether an account can be replayed at all: few calls, something to take out, and nothing taken out that wasn't put in.
pub(crate) fn fits(account: &Account) -> bool {
    let Account { received, sent, .. } = account;
    received.count > 0
        && sent.count > 0
        && received.count + sent.count <= MOST_CALLS
        && sent.total <= received.total
        && received.smallest > 0
        && sent.largest >= LEAST
}

/// A vault's limits, as its contract applies them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// A withdrawal of more than this share of all assets is flagged, in 1/10,000.
    pub(crate) single_bps: u64,
    /// So is one that doesn't fit into a bucket of this share.
    pub(crate) window_bps: u64,
}

impl Limits {
    fn flags_single(self, amount: u64, all: u64) -> bool {
        u128::from(amount) * 10_000 > u128::from(all) * u128::from(self.single_bps)
    }

    fn flags_window(self, level: u64, all: u64) -> bool {
        u128::from(level) * 10_000 > u128::from(all) * u128::from(self.window_bps)
    }
}

/// What is left in a vault that holds `all`, and what is in the bucket, after all that an account does before its last withdrawal, if
/// none of that is flagged. The bucket is taken not to leak.
fn before(account: &Account, limits: Limits, all: u64, level: u64) -> Option<(u64, u64)> {
    let (mut all, mut level) = (all.checked_add(account.received.total)?, level);
    let amounts = account.sent.amounts();
    for amount in &amounts[..amounts.len().saturating_sub(1)] {
        let is_single = limits.flags_single(*amount, all);
        if is_single || limits.flags_window(level + amount, all) {
            return None;
        }
        all -= amount;
        level += amount;
    }
    Some((all, level))
}

/// The same after its last withdrawal, if that is flagged, and by its size alone: a flag that hangs on how fast the bucket leaks is no
/// certain one.
fn last(account: &Account, limits: Limits, all: u64, level: u64) -> Option<(u64, u64)> {
    limits.flags_single(account.sent.largest, all).then(|| (all - account.sent.largest, level))
}

/// When the two accounts of a plan withdraw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timing {
    /// The honest one has done all before the fraud begins.
    InTurn,
    /// Both have done all but their last withdrawals before the first of these.
    LastOnesLast,
}

/// An honest account and savings in gwei such that a vault with those savings flags the last withdrawals of both, first the honest
/// one's and then the fraud's, and no other.
pub(crate) fn plan(fraud: &Account, accounts: &[Account], limits: Limits, timing: Timing) -> Option<(Account, u64)> {
    let mut honest: Vec<&Account> = accounts.iter().filter(|account| !account.is_fraud && fits(account)).collect();
    honest.sort_by_key(|account| account.sent.largest.abs_diff(fraud.sent.largest));
    honest.into_iter().find_map(|honest| {
        let least = honest.sent.largest.min(fraud.sent.largest);
        (1..=10).rev().map(|times| least * times).find_map(|savings| {
            let steps: [(&Account, Step); 4] = match timing {
                Timing::InTurn => [(honest, before), (honest, last), (fraud, before), (fraud, last)],
                Timing::LastOnesLast => [(honest, before), (fraud, before), (honest, last), (fraud, last)],
            };
            let start = Some((savings, savings / 50));
            steps.iter().fold(start, |so_far, (account, step)| {
                so_far.and_then(|(all, level)| step(account, limits, all, level))
            })?;
            Some((honest.clone(), savings))
        })
    })
}

type Step = fn(&Account, Limits, u64, u64) -> Option<(u64, u64)>;

/// Reads accounts from a table with the data set's headings.
pub(crate) fn read(path: &Path) -> Result<Vec<Account>, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut lines = text.lines();
    let headings: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let place = |name: &str| {
        headings
            .iter()
            .position(|heading| *heading == name)
            .ok_or_else(|| format!("{}: it has no column {name}", path.display()))
    };
    let columns = [
        "Received_Tnx",
        "Avg_min_between_received_tnx",
        "min_value_received",
        "max_value_received",
        "total_ether_received",
        "Average_of_Unique_Received_From_Addresses",
        "Sent_tnx",
        "Avg_min_between_sent_tnx",
        "min_val_sent",
        "max_val_sent",
        "total_Ether_sent",
        "Average_of_Unique_Sent_To_Addresses",
    ];
    let places = columns.map(place).into_iter().collect::<Result<Vec<usize>, _>>()?;
    let (address, flag) = (place("Address")?, place("FLAG")?);
    let limbs = [place("limb0")?, place("limb1")?];
    let mut accounts = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |i: usize| fields.get(places[i]).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
        let gwei = |i: usize| (number(i).max(0.0) * 1e9).round() as u64;
        let flow = |from: usize| Flow {
            count: number(from) as u64,
            gap: number(from + 1).max(0.0) as u64,
            smallest: gwei(from + 2),
            largest: gwei(from + 3),
            total: gwei(from + 4),
            distinct: number(from + 5).max(0.0) as u64,
        };
        let limb = |at: usize| -> Option<[u8; 32]> {
            let digits = fields.get(at)?.strip_prefix("0x")?;
            U256::from_str_radix(digits, 16).ok().map(|limb| limb.to_be_bytes())
        };
        accounts.push(Account {
            address: fields.get(address).map(ToString::to_string).unwrap_or_default(),
            is_fraud: fields.get(flag) == Some(&"1"),
            received: flow(0),
            sent: flow(6),
            limbs: limbs.iter().filter_map(|at| limb(*at)).collect(),
        });
    }
    Ok(accounts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(is_fraud: bool, received: [u64; 4], sent: [u64; 4]) -> Account {
        let flow =
            |[count, smallest, largest, total]: [u64; 4]| Flow { count, distinct: 1, gap: 0, smallest, largest, total };
        Account { is_fraud, received: flow(received), sent: flow(sent), ..Account::default() }
    }

    #[test]
    fn a_vault_is_planned_that_flags_the_last_withdrawals_alone() {
        let limits = Limits { single_bps: 800, window_bps: 5000 };
        let unit = LEAST * 100;
        let fraud = account(true, [1, unit, unit, unit], [1, unit, unit, unit]);
        // Its second withdrawal is as large as the last.
        let even = account(false, [1, 2 * unit, 2 * unit, 2 * unit], [2, unit, unit, 2 * unit]);
        let fit = account(false, [2, unit, unit, 2 * unit], [2, unit / 10, unit, unit + unit / 10]);
        let (honest, savings) = plan(&fraud, &[even.clone(), fit.clone()], limits, Timing::InTurn).expect("a plan");
        assert_eq!(honest, fit);
        let after =
            |account, all, level| before(account, limits, all, level).and_then(|(a, l)| last(account, limits, a, l));
        let (all, level) = after(&honest, savings, savings / 50).expect("honest");
        assert!(after(&fraud, all, level).is_some());
        assert_eq!(plan(&fraud, std::slice::from_ref(&even), limits, Timing::InTurn), None);
        let (honest, savings) = plan(&fraud, &[even, fit.clone()], limits, Timing::LastOnesLast).expect("a plan");
        assert_eq!(honest, fit);
        // Both deposits are in the vault when the first of the two is flagged.
        let all = savings + honest.received.total - unit / 10 + fraud.received.total;
        assert!(limits.flags_single(honest.sent.largest, all) && limits.flags_single(unit, all - honest.sent.largest));
        // Never below zero.
        assert!(!fits(&account(false, [1, unit, unit, unit], [1, 2 * unit, 2 * unit, 2 * unit])));
    }

    #[test]
    fn amounts_leave_the_same_record() {
        let cases = [(0, 0, 0, 0), (1, 7, 7, 7), (2, 3, 9, 12), (5, 1, 10, 30), (4, 2, 2, 8), (7, 1, 100, 111)];
        for (count, smallest, largest, total) in cases {
            let amounts = Flow { count, distinct: 1, gap: 0, smallest, largest, total }.amounts();
            assert_eq!(amounts.len() as u64, count);
            assert_eq!(amounts.iter().sum::<u64>(), total, "{amounts:?}");
            assert_eq!(amounts.iter().min().copied().unwrap_or_default(), smallest, "{amounts:?}");
            assert_eq!(amounts.iter().max().copied().unwrap_or_default(), largest, "{amounts:?}");
        }
    }
}
