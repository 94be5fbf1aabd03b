//! The behaviour of an account of the data set, as calls of a guarded vault that leave the same record.

use std::path::Path;

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
}

/// One direction.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Flow {
    /// How often.
    pub(crate) count: u64,
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

/// Whether an account can be replayed up to a last withdrawal that stands out: few calls, nothing taken out that wasn't put
/// in, each earlier withdrawal well below the largest, and all of them together not much above it.
pub(crate) fn fits(account: &Account) -> bool {
    let Account { received, sent, .. } = account;
    let amounts = sent.amounts();
    let earlier = amounts.split_last().map_or(&[][..], |(_, earlier)| earlier);
    received.count > 0
        && (1..MOST_CALLS).contains(&sent.count)
        && received.count + sent.count <= MOST_CALLS
        && sent.total <= received.total
        && received.smallest > 0
        && sent.largest >= 1_000_000
        && earlier.iter().all(|amount| *amount <= sent.largest / 10 * 3)
        && earlier.iter().sum::<u64>() <= sent.largest.saturating_mul(2)
}

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
        "Sent_tnx",
        "Avg_min_between_sent_tnx",
        "min_val_sent",
        "max_val_sent",
        "total_Ether_sent",
    ];
    let places = columns.map(place).into_iter().collect::<Result<Vec<usize>, _>>()?;
    let (address, flag) = (place("Address")?, place("FLAG")?);
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
        };
        accounts.push(Account {
            address: fields.get(address).map(ToString::to_string).unwrap_or_default(),
            is_fraud: fields.get(flag) == Some(&"1"),
            received: flow(0),
            sent: flow(5),
        });
    }
    Ok(accounts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_leave_the_same_record() {
        let cases = [(0, 0, 0, 0), (1, 7, 7, 7), (2, 3, 9, 12), (5, 1, 10, 30), (4, 2, 2, 8), (7, 1, 100, 111)];
        for (count, smallest, largest, total) in cases {
            let amounts = Flow { count, gap: 0, smallest, largest, total }.amounts();
            assert_eq!(amounts.len() as u64, count);
            assert_eq!(amounts.iter().sum::<u64>(), total, "{amounts:?}");
            assert_eq!(amounts.iter().min().copied().unwrap_or_default(), smallest, "{amounts:?}");
            assert_eq!(amounts.iter().max().copied().unwrap_or_default(), largest, "{amounts:?}");
        }
    }
}
