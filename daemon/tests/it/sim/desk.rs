//! The contract of the simulated chain: a desk at which users ask, round after round, and anybody answers with a proof. It has
//! what the real contracts have: one open question per subject, deadlines, answers bound to question and submitter, ends that
//! come in between, and subjects that anybody may close once they have been left.

use std::collections::BTreeMap;

use zugzwang::chain::types::{Address, B256, Bytes, U256, keccak256};

/// Where it stands.
pub(super) const DESK: Address = Address::repeat_byte(0xde);
/// The simulated chain's id.
pub(super) const CHAIN: u64 = 4242;

/// Why the desk reverts. The revert data is the first four bytes of the name's hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    NoSuchRound,
    AlreadyAnswered,
    Late,
    WrongProof,
    IsOver,
    TooEarly,
    Malformed,
}

impl Refusal {
    const ALL: [Self; 7] = [
        Self::NoSuchRound,
        Self::AlreadyAnswered,
        Self::Late,
        Self::WrongProof,
        Self::IsOver,
        Self::TooEarly,
        Self::Malformed,
    ];

    pub(super) fn data(self) -> Bytes {
        Bytes::copy_from_slice(&selector(&format!("{self:?}()")))
    }
}

/// The desk's refusals in words.
pub(super) fn words(data: &Bytes) -> Option<String> {
    Refusal::ALL.iter().find(|refusal| refusal.data() == *data).map(|refusal| format!("{refusal:?}"))
}

/// A question of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Round {
    pub(super) input: [u8; 32],
    /// Unix seconds; later blocks take no answer.
    pub(super) deadline: u64,
    /// The transaction that answered.
    pub(super) answer: Option<B256>,
}

/// What is asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) rounds: Vec<Round>,
    /// Whether it is over, and whether because time ran out.
    pub(super) over: Option<bool>,
    /// Unix seconds from which anybody may close it, if nothing is asked.
    pub(super) expiry: u64,
    /// Whether the contract takes a second answer to the same question: then only the daemon's own care keeps it to one.
    pub(super) careless: bool,
}

/// An event as a log: topics and data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) topics: Vec<B256>,
    pub(super) data: Bytes,
}

/// What an event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Asked { round: u64 },
    Answered { round: u64 },
    Over { forfeited: bool },
}

/// What a user does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Asks the next round. The input depends on the block if `of_block` is set.
    Ask { subject: u64, salt: [u8; 32], seconds: u64, of_block: bool, careless: bool },
    /// Ends the subject.
    End { subject: u64 },
    /// Takes the money back after the deadline.
    Refund { subject: u64 },
    /// Another submitter's answer.
    Answer { subject: u64, submitter: Address },
}

/// The contract's storage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Desk {
    pub(super) subjects: BTreeMap<u64, Subject>,
}

/// The block that a call runs in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) time: u64,
    pub(super) parent: B256,
    pub(super) tx: B256,
}

pub(super) fn selector(signature: &str) -> [u8; 4] {
    let hash = keccak256(signature);
    [hash[0], hash[1], hash[2], hash[3]]
}

/// What binds a proof to a question and to who gives it.
pub(super) fn request(subject: u64, round: u64, submitter: Address) -> [u8; 32] {
    let mut bound = Vec::new();
    bound.extend(CHAIN.to_be_bytes());
    bound.extend(DESK.as_slice());
    bound.extend(subject.to_be_bytes());
    bound.extend(round.to_be_bytes());
    bound.extend(submitter.as_slice());
    keccak256(bound).0
}

/// The committed function.
pub(super) fn output(input: &[u8; 32]) -> [u8; 32] {
    keccak256([b"network".as_slice(), input].concat()).0
}

/// The only proof that the desk takes.
pub(super) fn proof(request: &[u8; 32], input: &[u8; 32], output: &[u8; 32]) -> [u8; 32] {
    keccak256([b"proof".as_slice(), request, input, output].concat()).0
}

fn call(signature: &str, words: &[[u8; 32]]) -> Bytes {
    [selector(signature).as_slice(), words.as_flattened()].concat().into()
}

pub(super) fn word(value: u64) -> [u8; 32] {
    U256::from(value).to_be_bytes()
}

fn number(word: &[u8; 32]) -> u64 {
    U256::from_be_bytes(*word).saturating_to()
}

const ANSWER: &str = "answer(uint256,uint256,bytes32,bytes32)";
const CLOSE: &str = "close(uint256)";
const QUESTION: &str = "question(uint256,uint256)";
const EVENTS: [&str; 3] = ["Asked(uint256,uint256)", "Answered(uint256,uint256)", "Over(uint256,uint256)"];

/// The calls that a daemon makes, with their selectors.
pub(super) fn calls() -> [([u8; 4], &'static str); 2] {
    [ANSWER, CLOSE].map(|signature| (selector(signature), signature))
}

/// Calldata of an answer.
pub(super) fn answer(subject: u64, round: u64, output: [u8; 32], proof: [u8; 32]) -> Bytes {
    call(ANSWER, &[word(subject), word(round), output, proof])
}

/// Calldata that closes a subject.
pub(super) fn close(subject: u64) -> Bytes {
    call(CLOSE, &[word(subject)])
}

/// Calldata of the view of a question.
pub(super) fn question(subject: u64, round: u64) -> Bytes {
    call(QUESTION, &[word(subject), word(round)])
}

/// What the view of a question gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct View {
    /// Rounds that were asked.
    pub(super) rounds: u64,
    pub(super) answered: bool,
    /// 0, or 1 for over, or 2 for over because time ran out.
    pub(super) over: u64,
    pub(super) deadline: u64,
    pub(super) expiry: u64,
    pub(super) now: u64,
    pub(super) input: [u8; 32],
}

impl View {
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (words, rest) = bytes.as_chunks::<32>();
        let [rounds, answered, over, deadline, expiry, now, input] = words else { return None };
        let [rounds, answered, over, deadline, expiry, now] =
            [rounds, answered, over, deadline, expiry, now].map(number);
        rest.is_empty().then_some(Self { rounds, answered: answered != 0, over, deadline, expiry, now, input: *input })
    }

    /// Whether this round is waited for.
    pub(super) fn asks(&self, round: u64) -> bool {
        self.rounds == round + 1 && !self.answered && self.over == 0 && self.now <= self.deadline
    }
}

fn event(which: usize, subject: u64, second: u64) -> Event {
    Event { topics: vec![keccak256(EVENTS[which]), B256::from(word(subject))], data: word(second).to_vec().into() }
}

/// Reads a log of the desk.
pub(super) fn read(topics: &[B256], data: &[u8]) -> Option<(U256, Said)> {
    let [which, subject] = topics else { return None };
    let second = number(data.try_into().ok()?);
    let said = match EVENTS.iter().position(|name| keccak256(name) == *which)? {
        0 => Said::Asked { round: second },
        1 => Said::Answered { round: second },
        _ => Said::Over { forfeited: second == 2 },
    };
    Some((U256::from_be_bytes(subject.0), said))
}

impl Desk {
    /// A user's deed; `None` if the contract refuses it.
    pub(super) fn does(&mut self, deed: &Deed, frame: Frame) -> Option<Vec<Event>> {
        match deed {
            Deed::Ask { subject, salt, seconds, of_block, careless } => {
                let entry = self.subjects.entry(*subject).or_default();
                let waits = entry.rounds.last().is_some_and(|r| r.answer.is_none() && frame.time <= r.deadline);
                if waits || entry.over.is_some() {
                    return None;
                }
                if entry.rounds.is_empty() {
                    entry.careless = *careless;
                }
                let input = if *of_block { keccak256([&salt[..], &frame.parent[..]].concat()).0 } else { *salt };
                let deadline = frame.time + seconds;
                entry.rounds.push(Round { input, deadline, answer: None });
                entry.expiry = deadline + 3600;
                Some(vec![event(0, *subject, entry.rounds.len() as u64 - 1)])
            }
            Deed::End { subject } => {
                let entry = self.subjects.get_mut(subject).filter(|entry| entry.over.is_none())?;
                entry.over = Some(false);
                Some(vec![event(2, *subject, 1)])
            }
            Deed::Refund { subject } => {
                let entry = self.subjects.get_mut(subject).filter(|entry| entry.over.is_none())?;
                let last = entry.rounds.last()?;
                if last.answer.is_some() || frame.time <= last.deadline {
                    return None;
                }
                entry.over = Some(true);
                Some(vec![event(2, *subject, 2)])
            }
            Deed::Answer { subject, submitter } => {
                let round = self.subjects.get(subject)?.rounds.len().checked_sub(1)?;
                let input = self.subjects.get(subject)?.rounds[round].input;
                let made = output(&input);
                let proof = proof(&request(*subject, round as u64, *submitter), &input, &made);
                self.call(*submitter, &answer(*subject, round as u64, made, proof), frame).ok()
            }
        }
    }

    /// A transaction's call.
    pub(super) fn call(&mut self, from: Address, data: &[u8], frame: Frame) -> Result<Vec<Event>, Refusal> {
        let (name, words) = data.split_first_chunk::<4>().ok_or(Refusal::Malformed)?;
        let (words, _) = words.as_chunks::<32>();
        match words {
            [subject, round, output, proof] if *name == selector(ANSWER) => {
                self.answered(from, number(subject), number(round), output, proof, frame)
            }
            [subject] if *name == selector(CLOSE) => {
                let entry = self.subjects.get_mut(&number(subject)).ok_or(Refusal::NoSuchRound)?;
                if entry.over.is_some() {
                    return Err(Refusal::IsOver);
                }
                let waits = entry.rounds.last().is_some_and(|r| r.answer.is_none() && frame.time <= r.deadline);
                if waits || frame.time < entry.expiry {
                    return Err(Refusal::TooEarly);
                }
                entry.over = Some(false);
                Ok(vec![event(2, number(subject), 1)])
            }
            _ => Err(Refusal::Malformed),
        }
    }

    fn answered(
        &mut self,
        from: Address,
        subject: u64,
        round: u64,
        made: &[u8; 32],
        shown: &[u8; 32],
        frame: Frame,
    ) -> Result<Vec<Event>, Refusal> {
        let entry = self.subjects.get_mut(&subject).ok_or(Refusal::NoSuchRound)?;
        if entry.over.is_some() {
            return Err(Refusal::IsOver);
        }
        let (careless, rounds) = (entry.careless, entry.rounds.len() as u64);
        let asked = usize::try_from(round).ok().and_then(|round| entry.rounds.get_mut(round));
        let asked = asked.ok_or(Refusal::NoSuchRound)?;
        if !careless && (asked.answer.is_some() || round + 1 != rounds) {
            return Err(Refusal::AlreadyAnswered);
        }
        if frame.time > asked.deadline {
            return Err(Refusal::Late);
        }
        if *made != output(&asked.input) || *shown != proof(&request(subject, round, from), &asked.input, made) {
            return Err(Refusal::WrongProof);
        }
        asked.answer = Some(frame.tx);
        Ok(vec![event(1, subject, round)])
    }

    /// A view's answer.
    pub(super) fn view(&self, data: &[u8], now: u64) -> Result<Bytes, Refusal> {
        let (name, words) = data.split_first_chunk::<4>().ok_or(Refusal::Malformed)?;
        let (words, _) = words.as_chunks::<32>();
        let [subject, round] = words else { return Err(Refusal::Malformed) };
        if *name != selector(QUESTION) {
            return Err(Refusal::Malformed);
        }
        let none = Subject::default();
        let entry = self.subjects.get(&number(subject)).unwrap_or(&none);
        let asked = entry.rounds.get(usize::try_from(number(round)).unwrap_or(usize::MAX));
        let over = entry.over.map_or(0, |forfeited| 1 + u64::from(forfeited));
        let view = [
            word(entry.rounds.len() as u64),
            word(u64::from(asked.is_some_and(|asked| asked.answer.is_some()))),
            word(over),
            word(asked.map_or(0, |asked| asked.deadline)),
            word(entry.expiry),
            word(now),
            asked.map_or([0; 32], |asked| asked.input),
        ];
        Ok(view.as_flattened().to_vec().into())
    }
}
