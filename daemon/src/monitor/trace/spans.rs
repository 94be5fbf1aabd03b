//! Which spans a daemon's notices make.
//!
//! ```text
//! answer   asked ─────────────────────────────────► in a block (or ended)
//!   prove    first phase ─────► proof stored            phases as events
//!   submit                         signed ──► in a block
//! ```

use std::collections::BTreeMap;

use crate::{
    chain::types::{Address, B256, U256, keccak256},
    service::{Notice, Subject},
    store::State,
};

/// Questions that are followed at a time: one that never ends must not be remembered for ever.
const MOST: usize = 10_000;

/// A span that has ended. Times in Unix ms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) trace: [u8; 16],
    pub(super) id: [u8; 8],
    /// The span that it is part of; `None` for a trace's own.
    pub(super) parent: Option<[u8; 8]>,
    pub(super) name: &'static str,
    pub(super) from_ms: i64,
    pub(super) to_ms: i64,
    /// What happened in it, and when.
    pub(super) events: Vec<(&'static str, i64)>,
    pub(super) attributes: Vec<(&'static str, String)>,
    /// Why it went wrong, if it did.
    pub(super) error: Option<String>,
}

type Question = (Address, U256, u64);

#[derive(Debug, Default)]
struct Open {
    asked_ms: Option<i64>,
    phases: Vec<(&'static str, i64)>,
    signed: Option<(B256, i64)>,
}

/// The questions of one chain that are under way.
#[derive(Debug)]
pub(super) struct Spans {
    chain_id: u64,
    open: BTreeMap<Question, Open>,
}

impl Spans {
    pub(super) fn new(chain_id: u64) -> Self {
        Self { chain_id, open: BTreeMap::new() }
    }

    /// The spans that end with a notice.
    pub(super) fn hear(&mut self, notice: &Notice, now_ms: i64) -> Vec<Span> {
        match notice {
            Notice::Asked { subject, round } => {
                // Asked again: what was done for the question as it was is no part of this one.
                *self.at(subject, *round) = Open { asked_ms: Some(now_ms), ..Open::default() };
                vec![]
            }
            Notice::Proving { subject, round, phase } => {
                self.at(subject, *round).phases.push((phase, now_ms));
                vec![]
            }
            Notice::Proved { subject, round, ms, .. } => {
                let from = now_ms.saturating_sub(i64::try_from(*ms).unwrap_or(i64::MAX));
                let phases = std::mem::take(&mut self.at(subject, *round).phases);
                vec![self.part(subject, *round, "prove", from, now_ms, phases, None)]
            }
            Notice::ProofFailed { subject, round, why, .. } => {
                let phases = std::mem::take(&mut self.at(subject, *round).phases);
                let from = phases.first().map_or(now_ms, |(_, at)| *at);
                vec![self.part(subject, *round, "prove", from, now_ms, phases, Some(why.clone()))]
            }
            Notice::Signed { subject, round, hash } => {
                self.at(subject, *round).signed = Some((*hash, now_ms));
                vec![]
            }
            Notice::Mined { subject, round, hash, gas, block } => {
                let open = self.open.remove(&question(subject, *round)).unwrap_or_default();
                let from = open.signed.map_or(now_ms, |(_, at)| at);
                let mut submit = self.part(subject, *round, "submit", from, now_ms, vec![], None);
                submit.attributes.extend([("transaction", hash.to_string()), ("gas", gas.to_string())]);
                submit.attributes.push(("block", block.to_string()));
                vec![submit, self.whole(subject, *round, open.asked_ms.unwrap_or(from), now_ms, "answered", None)]
            }
            Notice::Ended { subject, round, state, why } => {
                let open = self.open.remove(&question(subject, *round)).unwrap_or_default();
                let error = matches!(state, State::Failed | State::Forfeited).then(|| why.clone());
                vec![self.whole(subject, *round, open.asked_ms.unwrap_or(now_ms), now_ms, &state.to_string(), error)]
            }
            Notice::Ready { .. }
            | Notice::Turn { .. }
            | Notice::Undone { .. }
            | Notice::Claimed { .. }
            | Notice::Settled { .. }
            | Notice::Trouble { .. } => vec![],
        }
    }

    fn at(&mut self, subject: &Subject, round: u64) -> &mut Open {
        let question = question(subject, round);
        if self.open.len() >= MOST && !self.open.contains_key(&question) {
            let oldest = self.open.iter().min_by_key(|(_, open)| open.asked_ms).map(|(question, _)| *question);
            oldest.map(|question| self.open.remove(&question));
        }
        self.open.entry(question).or_default()
    }

    fn ids(&self, subject: &Subject, round: u64) -> ([u8; 16], [u8; 8]) {
        let hash =
            keccak256(format!("answer {} {} {} {round}", self.chain_id, subject.contract, subject.id).as_bytes()).0;
        let (mut trace, mut id) = ([0; 16], [0; 8]);
        trace.copy_from_slice(&hash[..16]);
        id.copy_from_slice(&hash[16..24]);
        (trace, id)
    }

    fn attributes(&self, subject: &Subject, round: u64) -> Vec<(&'static str, String)> {
        vec![
            ("chain", self.chain_id.to_string()),
            ("app", subject.app.to_owned()),
            ("subject", subject.id.to_string()),
            ("round", round.to_string()),
        ]
    }

    fn whole(&self, subject: &Subject, round: u64, from: i64, to: i64, end: &str, error: Option<String>) -> Span {
        let (trace, id) = self.ids(subject, round);
        let mut attributes = self.attributes(subject, round);
        attributes.push(("end", end.to_owned()));
        Span { trace, id, parent: None, name: "answer", from_ms: from, to_ms: to, events: vec![], attributes, error }
    }

    #[expect(clippy::too_many_arguments, reason = "a span has that many parts")]
    fn part(
        &self,
        subject: &Subject,
        round: u64,
        name: &'static str,
        from_ms: i64,
        to_ms: i64,
        events: Vec<(&'static str, i64)>,
        error: Option<String>,
    ) -> Span {
        let (trace, whole) = self.ids(subject, round);
        let hash = keccak256([&whole[..], name.as_bytes(), &from_ms.to_be_bytes()].concat()).0;
        let mut id = [0; 8];
        id.copy_from_slice(&hash[..8]);
        let attributes = self.attributes(subject, round);
        Span { trace, id, parent: Some(whole), name, from_ms, to_ms, events, attributes, error }
    }
}

fn question(subject: &Subject, round: u64) -> Question {
    (subject.contract, subject.id, round)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;

    const SUBJECT: Subject = Subject { app: "chess", contract: Address::ZERO, id: U256::ONE };

    fn hear(spans: &mut Spans, notices: &[(i64, Notice)]) -> Vec<Span> {
        notices.iter().flat_map(|(at, notice)| spans.hear(notice, *at)).collect()
    }

    fn named(round: u64) -> [Notice; 5] {
        let (subject, hash) = (SUBJECT, B256::repeat_byte(9));
        [
            Notice::Asked { subject, round },
            Notice::Proving { subject, round, phase: "inferring" },
            Notice::Proved { subject, round, model: [0; 32], ms: 700, outputs: vec![] },
            Notice::Signed { subject, round, hash },
            Notice::Mined { subject, round, hash, gas: 600_000, block: 12 },
        ]
    }

    #[test]
    fn an_answer_is_a_span_with_its_proof_and_its_transaction_in_it() {
        let mut spans = Spans::new(1);
        let [asked, proving, proved, signed, mined] = named(7);
        let all = hear(&mut spans, &[(1000, asked), (1100, proving), (1900, proved), (1950, signed), (3000, mined)]);
        let told: Vec<_> = all.iter().map(|span| (span.name, span.from_ms, span.to_ms, span.error.is_some())).collect();
        assert_eq!(told, [("prove", 1200, 1900, false), ("submit", 1950, 3000, false), ("answer", 1000, 3000, false)]);
        assert_eq!(all[0].events, [("inferring", 1100)]);
        assert!(all[1].attributes.contains(&("gas", "600000".into())));
        let whole = &all[2];
        assert!(whole.parent.is_none() && whole.attributes.contains(&("end", "answered".into())));
        assert!(all[..2].iter().all(|span| span.parent == Some(whole.id) && span.trace == whole.trace));
        assert!(spans.open.is_empty(), "what has ended is forgotten");
    }

    #[test]
    fn a_restart_goes_on_with_the_same_trace() {
        let [asked, .., mined] = named(7);
        let first = Spans::new(1).hear(&mined, 10);
        let mut second = Spans::new(1);
        second.hear(&asked, 5);
        assert_eq!(second.hear(&mined, 10)[1].id, first[1].id);
        assert_ne!(Spans::new(2).hear(&mined, 10)[1].trace, first[1].trace, "another chain's");
    }

    #[test]
    fn what_goes_wrong_is_marked_and_what_only_lost_its_point_is_not() {
        let ended = |state| Notice::Ended { subject: SUBJECT, round: 1, state, why: "why".into() };
        for (state, wrong) in [(State::Failed, true), (State::Forfeited, true), (State::Moot, false)] {
            assert_eq!(Spans::new(1).hear(&ended(state), 5)[0].error.is_some(), wrong, "{state}");
        }
        let failed = Notice::ProofFailed { subject: SUBJECT, round: 1, code: Code::BUG, why: "no memory".into() };
        assert_eq!(Spans::new(1).hear(&failed, 5)[0].error.as_deref(), Some("no memory"));
    }

    #[test]
    fn questions_without_end_do_not_pile_up() {
        let mut spans = Spans::new(1);
        for round in 0..MOST as u64 + 5 {
            spans.hear(&Notice::Asked { subject: SUBJECT, round }, round as i64);
        }
        assert_eq!(spans.open.len(), MOST);
        assert!(!spans.open.contains_key(&question(&SUBJECT, 0)), "the oldest goes first");
    }
}
