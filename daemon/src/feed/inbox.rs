//! What becomes of a bulletin, decided without clock, disk or network.
//!
//! One [`Inbox`] per publisher and feed takes the bulletins of all sources, in any order and as often as they come.

use std::{collections::BTreeMap, ops::RangeInclusive};

use super::{
    bulletin::{Bulletin, BulletinError},
    recent::Recent,
};
use crate::chain::types::{Address, B256, keccak256};

/// Refused bulletins that are remembered, so that each is reported once.
const REFUSED: usize = 1024;
/// Contradictions that are reported of one number; whoever signed that many may sign any number of them.
const CONTRADICTIONS: usize = 8;

/// Why a bulletin isn't taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Of another feed. Not a fault: a source may carry several.
    #[error("it is of feed {found}; feed {expected} is the one that counts here: check the id if none ever is")]
    OtherFeed {
        /// The feed that is taken.
        expected: B256,
        /// Its own.
        found: B256,
    },
    /// Not by the publisher.
    #[error(transparent)]
    Forged(#[from] BulletinError),
}

crate::code::codes!(Refusal { OtherFeed = 639; Forged });

/// Two statements under one number, both signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the publisher signed two bulletins numbered {sequence}: {kept} came first and counts, {other} is refused; keep both, they prove it"
)]
pub struct Equivocation {
    /// Their number.
    pub sequence: u64,
    /// Digest of the one that came first.
    pub kept: B256,
    /// Digest of the one that is refused.
    pub other: B256,
}

/// What becomes of a bulletin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It counts. `missing` are the numbers that it skipped; they may still come.
    New {
        /// The gap between the highest number so far and this one, if there is one.
        missing: Option<RangeInclusive<u64>>,
    },
    /// It came before, and was judged then: a duplicate or a replay.
    Known,
    /// It contradicts one that counts.
    Contradicts(Equivocation),
    /// It doesn't count.
    Refused(Refusal),
}

/// Digest of the statement that counts under a number, and of those that contradict it.
#[derive(Debug)]
struct Seen {
    kept: B256,
    others: Vec<B256>,
}

/// Judges one feed of one publisher. Holds about 100 bytes per number that the publisher used.
#[derive(Debug)]
pub struct Inbox {
    publisher: Address,
    feed_id: B256,
    seen: BTreeMap<u64, Seen>,
    refused: Recent,
}

impl Inbox {
    /// An inbox that has seen nothing.
    pub fn new(publisher: Address, feed_id: B256) -> Self {
        Self { publisher, feed_id, seen: BTreeMap::new(), refused: Recent::new(REFUSED) }
    }

    /// An inbox that knows what counted before: number and [digest](Bulletin::hash), such as a store keeps.
    pub fn with_known(publisher: Address, feed_id: B256, known: impl IntoIterator<Item = (u64, B256)>) -> Self {
        let mut inbox = Self::new(publisher, feed_id);
        for (sequence, kept) in known {
            inbox.seen.entry(sequence).or_insert(Seen { kept, others: Vec::new() });
        }
        inbox
    }

    /// Judges a bulletin.
    pub fn judge(&mut self, bulletin: &Bulletin) -> Verdict {
        let hash = bulletin.hash();
        if let Err(refusal) = self.admissible(bulletin) {
            let copy = keccak256([hash.as_slice(), bulletin.signature.as_slice()].concat());
            return if self.refused.insert(copy) { Verdict::Refused(refusal) } else { Verdict::Known };
        }
        let highest = self.seen.last_key_value().map(|(&sequence, _)| sequence);
        match self.seen.get_mut(&bulletin.sequence) {
            None => {
                self.seen.insert(bulletin.sequence, Seen { kept: hash, others: Vec::new() });
                let missing = highest
                    .and_then(|highest| Some(highest.checked_add(1)?..=bulletin.sequence.checked_sub(1)?))
                    .filter(|gap| !gap.is_empty());
                Verdict::New { missing }
            }
            Some(seen) if seen.kept == hash || seen.others.contains(&hash) || seen.others.len() == CONTRADICTIONS => {
                Verdict::Known
            }
            Some(seen) => {
                seen.others.push(hash);
                Verdict::Contradicts(Equivocation { sequence: bulletin.sequence, kept: seen.kept, other: hash })
            }
        }
    }

    /// Numbers between the lowest and the highest seen that haven't come.
    pub fn missing(&self) -> Vec<RangeInclusive<u64>> {
        let gaps = self.seen.keys().zip(self.seen.keys().skip(1));
        gaps.map(|(low, high)| low.saturating_add(1)..=high.saturating_sub(1)).filter(|gap| !gap.is_empty()).collect()
    }

    fn admissible(&self, bulletin: &Bulletin) -> Result<(), Refusal> {
        if bulletin.feed_id != self.feed_id {
            return Err(Refusal::OtherFeed { expected: self.feed_id, found: bulletin.feed_id });
        }
        Ok(bulletin.check(self.publisher)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        chain::{Key, signature::SignatureError},
        feed::bulletin::Text,
    };

    const FEED: B256 = B256::repeat_byte(0xfe);

    fn key(byte: u8) -> Key {
        Key::from_bytes(B256::repeat_byte(byte)).expect("key")
    }

    fn bulletin(signer: u8, feed_id: B256, sequence: u64, timestamp: u64, text: &str) -> Bulletin {
        let text = Text::new(text.as_bytes()).expect("text");
        Bulletin::sign(&key(signer), feed_id, sequence, timestamp, text).expect("bulletin")
    }

    /// The publisher's.
    fn own(sequence: u64, text: &str) -> Bulletin {
        bulletin(1, FEED, sequence, 0, text)
    }

    /// Feeds an inbox and compares its verdicts, one word each: new, new+FIRST-LAST of a gap, known, contradicts
    /// KEPT/OTHER by their places in the list, feed, forged, badsig.
    fn check(inbox: &mut Inbox, bulletins: &[Bulletin], expected: &str) {
        let place = |hash: B256| {
            let found = bulletins.iter().position(|b| b.hash() == hash);
            found.map_or_else(|| "?".to_owned(), |place| place.to_string())
        };
        let said: Vec<String> = bulletins
            .iter()
            .map(|bulletin| match inbox.judge(bulletin) {
                Verdict::New { missing: None } => "new".into(),
                Verdict::New { missing: Some(gap) } => format!("new+{}-{}", gap.start(), gap.end()),
                Verdict::Known => "known".into(),
                Verdict::Contradicts(found) => {
                    assert_eq!(found.sequence, bulletin.sequence);
                    let text = found.to_string();
                    assert!(text.contains(&found.kept.to_string()) && text.contains(&found.other.to_string()));
                    format!("contradicts {}/{}", place(found.kept), place(found.other))
                }
                Verdict::Refused(Refusal::OtherFeed { .. }) => "feed".into(),
                Verdict::Refused(Refusal::Forged(BulletinError::OtherPublisher { .. })) => "forged".into(),
                Verdict::Refused(Refusal::Forged(BulletinError::Signature(_))) => "badsig".into(),
                Verdict::Refused(other) => panic!("{other}"),
            })
            .collect();
        assert_eq!(said.join(", "), expected);
    }

    fn inbox() -> Inbox {
        Inbox::new(key(1).address(), FEED)
    }

    #[test]
    fn bulletins_count_once_and_gaps_are_named() {
        let cases: [(&[u64], &str, &str); 8] = [
            (&[], "", "[]"),
            (&[1, 2, 3], "new, new, new", "[]"),
            (&[1, 1, 2, 1, 2], "new, known, new, known, known", "[]"),
            (&[7, 9, 20], "new, new+8-8, new+10-19", "[8..=8, 10..=19]"),
            (&[1, 5, 3, 2, 4, 6], "new, new+2-4, new, new, new, new", "[]"),
            (&[5, 1, 3], "new, new, new", "[2..=2, 4..=4]"),
            (&[0, u64::MAX, u64::MAX], "new, new+1-18446744073709551614, known", "[1..=18446744073709551614]"),
            (&[u64::MAX, 0], "new, new", "[1..=18446744073709551614]"),
        ];
        for (sequences, expected, missing) in cases {
            let mut inbox = inbox();
            let bulletins: Vec<_> = sequences.iter().map(|&sequence| own(sequence, "x")).collect();
            check(&mut inbox, &bulletins, expected);
            assert_eq!(format!("{:?}", inbox.missing()), missing, "{sequences:?}");
        }
    }

    #[test]
    fn nobody_else_and_no_other_feed_counts() {
        let broken = |v| {
            let mut bulletin = own(3, "z");
            bulletin.signature.0[64] = v;
            bulletin
        };
        let mut altered = own(2, "2-1");
        altered.text = Text::new(b"1-2").expect("text");
        let list = [
            bulletin(1, B256::ZERO, 1, 0, "x"),
            bulletin(2, FEED, 1, 0, "x"),
            altered.clone(),
            broken(0),
            broken(9),
            // Once each.
            bulletin(1, B256::ZERO, 1, 0, "x"),
            altered,
            broken(9),
            // None of that took a number, or made a gap.
            own(1, "x"),
            own(2, "2-1"),
        ];
        check(&mut inbox(), &list, "feed, forged, forged, badsig, badsig, known, known, known, new, new");
        let refused = inbox().judge(&broken(0));
        assert_eq!(refused, Verdict::Refused(BulletinError::Signature(SignatureError::Parity(0)).into()));
    }

    #[test]
    fn the_first_of_two_statements_counts_and_the_other_is_reported_once() {
        let list = [
            own(1, "home"),
            own(1, "away"),
            own(1, "away"),
            own(1, "home"),
            bulletin(1, FEED, 1, 9, "home"),
            own(2, "draw"),
        ];
        check(&mut inbox(), &list, "new, contradicts 0/1, known, known, contradicts 0/4, new");
    }

    #[test]
    fn one_number_s_contradictions_take_no_more_than_their_room() {
        let mut inbox = inbox();
        let reported = (0..100)
            .filter(|n| matches!(inbox.judge(&own(1, &format!("result {n}"))), Verdict::Contradicts(_)))
            .count();
        assert_eq!(reported, CONTRADICTIONS);
    }

    #[test]
    fn what_counted_before_a_restart_still_does() {
        let known = [own(1, "home"), own(4, "draw")].map(|b| (b.sequence, b.hash()));
        let mut inbox = Inbox::with_known(key(1).address(), FEED, known);
        assert_eq!(inbox.missing(), [2..=3]);
        let list = [own(1, "home"), own(4, "draw"), own(2, "x"), own(6, "x")];
        check(&mut inbox, &list, "known, known, new, new+5-5");
        let Verdict::Contradicts(found) = inbox.judge(&own(4, "home")) else { panic!("it contradicts") };
        assert_eq!((found.kept, found.other), (own(4, "draw").hash(), own(4, "home").hash()));
    }
}
