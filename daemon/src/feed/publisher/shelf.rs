//! What a publisher has to show, in order.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use tokio::sync::watch;

use crate::{chain::types::keccak256, feed::bulletin::Bulletin};

/// Most bulletins of one list: with the longest texts, well below what our own sources read of one answer.
pub(super) const LIST: usize = 1000;

/// A bulletin as it is served.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) sequence: u64,
    pub(super) json: String,
}

/// A list as it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct List {
    pub(super) body: String,
    /// With its quotes.
    pub(super) etag: String,
}

/// Bulletins by number and by arrival.
#[derive(Debug, Default)]
struct Inner {
    by_sequence: BTreeMap<u64, Arc<Shown>>,
    arrivals: Vec<Arc<Shown>>,
}

/// What is shown. Grows only.
#[derive(Debug)]
pub(super) struct Shelf {
    inner: RwLock<Inner>,
    count: watch::Sender<usize>,
}

impl Shelf {
    pub(super) fn new() -> Self {
        Self { inner: RwLock::default(), count: watch::channel(0).0 }
    }

    /// Shows a bulletin; a number that is shown already stays what it is.
    pub(super) fn show(&self, bulletin: &Bulletin) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        if inner.by_sequence.contains_key(&bulletin.sequence) {
            return;
        }
        let shown = Arc::new(Shown { sequence: bulletin.sequence, json: bulletin.to_json() });
        inner.by_sequence.insert(shown.sequence, shown.clone());
        inner.arrivals.push(shown);
        self.count.send_replace(inner.arrivals.len());
    }

    /// One of them, as JSON.
    pub(super) fn get(&self, sequence: u64) -> Option<String> {
        self.read().by_sequence.get(&sequence).map(|shown| shown.json.clone())
    }

    /// At most [`LIST`] as a JSON list by number: the first ones after a number, or the last ones of all.
    pub(super) fn list(&self, after: Option<u64>) -> List {
        let inner = self.read();
        let json = |shown: &Arc<Shown>| shown.json.clone();
        let mut items: Vec<String> = match after {
            Some(after) => inner.above(after).map(json).take(LIST).collect(),
            None => inner.by_sequence.values().rev().map(json).take(LIST).collect(),
        };
        if after.is_none() {
            items.reverse();
        }
        let body = format!("[{}]", items.join(",\n"));
        let etag = format!("\"{:.34}\"", keccak256(&body).to_string());
        List { body, etag }
    }

    /// Those above a number (`None`: all), by number; and how many have arrived, to go on from with
    /// [`arrived`](Self::arrived).
    pub(super) fn since(&self, last: Option<u64>) -> (Vec<Arc<Shown>>, usize) {
        let inner = self.read();
        let shown = match last {
            Some(last) => inner.above(last).cloned().collect(),
            None => inner.by_sequence.values().cloned().collect(),
        };
        (shown, inner.arrivals.len())
    }

    /// The arrival of this place, from 0.
    pub(super) fn arrived(&self, place: usize) -> Option<Arc<Shown>> {
        self.read().arrivals.get(place).cloned()
    }

    /// How many have arrived; changes when one does.
    pub(super) fn count(&self) -> watch::Receiver<usize> {
        self.count.subscribe()
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn above(&self, last: u64) -> impl Iterator<Item = &Arc<Shown>> {
        self.by_sequence.range((Bound::Excluded(last), Bound::Unbounded)).map(|(_, shown)| shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        chain::{signature::SignatureBytes, types::B256},
        feed::bulletin::{TEXT_BYTES, Text},
        feed::source::Limits,
    };

    fn bulletin(sequence: u64, text: &[u8]) -> Bulletin {
        let (feed_id, signature) = (B256::repeat_byte(0xff), SignatureBytes::repeat_byte(0xff));
        let text = Text::new(text).expect("text");
        Bulletin { feed_id, sequence, timestamp: u64::MAX, text, signature }
    }

    #[test]
    fn lists_are_by_number_and_a_number_stays_what_it_is() {
        let shelf = Shelf::new();
        let empty = shelf.list(None);
        assert_eq!(empty.body, "[]");
        let mut tags = vec![empty.etag];
        for (sequence, text) in [(5, "five"), (2, "two"), (9, "nine"), (2, "other")] {
            shelf.show(&bulletin(sequence, text.as_bytes()));
            tags.push(shelf.list(None).etag);
        }
        assert_eq!(tags[3], tags[4]);
        tags.dedup();
        assert_eq!(tags.len(), 4, "a tag for each list");
        assert!(tags.iter().all(|tag| tag.len() == 36 && tag.starts_with("\"0x") && tag.ends_with('"')), "{tags:?}");
        let sequences = |after| {
            let list: Vec<Bulletin> = serde_json::from_str(&shelf.list(after).body).expect("a list");
            list.iter().map(|bulletin| bulletin.sequence).collect::<Vec<_>>()
        };
        assert_eq!(sequences(None), [2, 5, 9]);
        assert_eq!(sequences(Some(2)), [5, 9]);
        assert!(sequences(Some(u64::MAX)).is_empty());
        assert!(shelf.get(2).expect("there").contains("two"));
        assert_eq!(shelf.get(3), None);

        let (above, count) = shelf.since(Some(4));
        assert_eq!((above.iter().map(|s| s.sequence).collect::<Vec<_>>(), count), (vec![5, 9], 3));
        assert_eq!([0, 1, 2].map(|place| shelf.arrived(place).map(|s| s.sequence)), [Some(5), Some(2), Some(9)]);
        assert!(shelf.arrived(3).is_none());
        assert_eq!(*shelf.count().borrow(), 3);
    }

    #[test]
    fn the_longest_list_is_one_that_our_own_sources_read() {
        let shelf = Shelf::new();
        let number = LIST as u64 + 5;
        for n in 0..number {
            // Each byte takes two in JSON.
            shelf.show(&bulletin(u64::MAX - n, &[b'"'; TEXT_BYTES]));
        }
        let list = shelf.list(None);
        assert!(list.body.len() < Limits::default().body, "{} bytes", list.body.len());
        let last: Vec<Bulletin> = serde_json::from_str(&list.body).expect("a list");
        assert_eq!((last.len(), last[0].sequence, last[LIST - 1].sequence), (LIST, u64::MAX - 999, u64::MAX));
        let first: Vec<Bulletin> = serde_json::from_str(&shelf.list(Some(0)).body).expect("a list");
        assert_eq!((first.len(), first[0].sequence), (LIST, u64::MAX - (number - 1)));
        assert!(shelf.get(u64::MAX).expect("there").len() < Limits::default().item);
    }
}
