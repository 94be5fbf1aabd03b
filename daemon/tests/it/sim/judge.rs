//! What must hold at the end, read from the chain's whole history and the stores as they lie on the disk.

use std::collections::{BTreeMap, BTreeSet};

use zugzwang::{
    chain::types::{B256, U256},
    store::{Errand, Job, State, Store, TxState},
};

use super::{
    app::Ailment,
    chain::Item,
    desk::{self, CHAIN, Round, Said, Subject},
    life::{Standing, signer},
    world::World,
};

/// Seconds after which a subject that was left must have been closed.
const CLOSED_WITHIN: u64 = 600;

impl World {
    /// Whether every daemon has come to rest.
    pub(super) async fn is_settled(&self) -> bool {
        self.unsettled().await.is_empty()
    }

    /// What isn't at rest yet; nothing if all is.
    pub(super) async fn unsettled(&self) -> String {
        let mut left = Vec::new();
        for daemon in &self.daemons {
            let index = daemon.index;
            match &daemon.standing {
                Standing::Stopped(_) => continue,
                Standing::Down => left.push(format!("daemon {index} is down")),
                Standing::Running if !self.is_at_rest(index) => left.push(format!("daemon {index} is at work")),
                Standing::Running => {
                    let Some(store) = daemon.store() else { continue };
                    for job in store.open_jobs(CHAIN).await.expect("jobs") {
                        left.push(format!("daemon {index}: {}", named(&job)));
                    }
                    for tx in store.live_transactions(CHAIN, signer()).await.expect("transactions") {
                        left.push(format!("daemon {index}: transaction {} is {:?}", tx.nonce, tx.state));
                    }
                    let cursor = store.cursor(CHAIN).await.expect("cursor");
                    let wanted = self.chain.head().number.saturating_sub(self.plan.confirmations);
                    let wanted = self.chain.below(self.chain.head, wanted).map(|block| block.hash);
                    if cursor.map(|cursor| cursor.hash) != wanted {
                        left.push(format!("daemon {index}: its cursor is at {cursor:?}"));
                    }
                }
            }
        }
        let stopped = self.daemons.iter().all(|daemon| matches!(daemon.standing, Standing::Stopped(_)));
        if !stopped {
            let now = self.chain.head().time;
            left.extend(
                self.desk()
                    .subjects
                    .iter()
                    .filter(|(_, subject)| is_left(subject, now))
                    .map(|(id, _)| format!("nobody closes subject {id}")),
            );
        }
        left.join("; ")
    }

    /// Everything that doesn't hold.
    pub(super) async fn judge(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        self.judge_answers(&mut wrong);
        let mut known: BTreeSet<B256> = self.stolen.iter().copied().collect();
        let sent: Vec<B256> = self.sent().map(|(hash, _)| hash).collect();
        for daemon in &self.daemons {
            let store = daemon.open().await;
            let found = match &daemon.standing {
                Standing::Stopped(why) if self.counts.contains_key("too deep") => {
                    assert!(why.contains("chain.max_reorg"), "it says what to do: {why}");
                    Vec::new()
                }
                Standing::Stopped(why) => vec![format!("it stopped without a cause: {why}")],
                _ => self.judge_store(&store).await,
            };
            wrong.extend(found.into_iter().map(|what| format!("daemon {}: {what}", daemon.index)));
            let mut write = store.write().await.expect("the store can be written");
            for hash in &sent {
                if write.is_ours(*hash).await.expect("query") {
                    known.insert(*hash);
                }
            }
            drop(write);
            store.close().await;
        }
        for hash in sent.iter().filter(|hash| !known.contains(*hash)) {
            wrong.push(format!("transaction {hash} is on the chain, and in no store"));
        }
        if !self.daemons.iter().any(|daemon| matches!(daemon.standing, Standing::Stopped(_))) {
            for ((_, nonce), tx) in self.chain.pool.iter().filter(|((from, _), _)| *from == signer()) {
                wrong.push(format!("transaction {} with nonce {nonce} still waits", tx.hash));
            }
        }
        wrong
    }

    /// Signed transactions of the daemons' key on the chain, and which questions they answered.
    fn sent(&self) -> impl Iterator<Item = (B256, Vec<(U256, u64)>)> {
        self.chain.line(self.chain.head).flat_map(|block| &block.txs).filter_map(|tx| match &tx.item {
            Item::Signed(signed) if signed.from == signer() => {
                let answers = tx.events.iter().filter_map(|event| match desk::read(&event.topics, &event.data)? {
                    (subject, Said::Answered { round }) => Some((subject, round)),
                    _ => None,
                });
                Some((signed.hash, answers.collect()))
            }
            _ => None,
        })
    }

    fn judge_answers(&self, wrong: &mut Vec<String>) {
        let mut answers: BTreeMap<(U256, u64), Vec<B256>> = BTreeMap::new();
        for (hash, answered) in self.sent() {
            for question in answered {
                answers.entry(question).or_default().push(hash);
            }
        }
        for ((subject, round), hashes) in answers.iter().filter(|(_, hashes)| hashes.len() > 1) {
            wrong.push(format!("subject {subject} round {round} is answered {} times: {hashes:?}", hashes.len()));
        }
    }

    async fn judge_store(&self, store: &Store) -> Vec<String> {
        let mut wrong = Vec::new();
        // Below `chain.finality` nothing is promised but that it comes to rest: what was final has gone.
        let is_promised = !self.counts.contains_key("too deep");
        let jobs = store.jobs().await.expect("jobs");
        let cursor = store.cursor(CHAIN).await.expect("cursor").map_or(0, |cursor| cursor.number);
        let none = BTreeMap::new();
        let asked = self.chain.below(self.chain.head, cursor).map_or(&none, |block| &block.state.desk.subjects);
        for (subject, round) in asked.iter().flat_map(|(id, subject)| (0..subject.rounds.len()).map(move |r| (*id, r)))
        {
            let is_it = |job: &&Job| job.key.subject == U256::from(subject) && job.key.round == round as u64;
            let Some(job) = jobs.iter().find(is_it) else {
                wrong.push(format!("subject {subject} round {round} was asked, and has no job"));
                continue;
            };
            let now = &self.desk().subjects[&subject];
            let own = hashes(store, job).await;
            if let Err(why) = fits(job, now, &now.rounds[round], round, &own, self.chain.head().time)
                && is_promised
            {
                wrong.push(format!(
                    "{}: {why}; the chain says {:?}, over {:?}",
                    named(job),
                    now.rounds[round],
                    now.over
                ));
            }
        }
        for job in &jobs {
            if job.state.is_open() {
                wrong.push(format!("{} is still open", named(job)));
            }
            for tx in store.transactions_of(Errand::Job(job.id)).await.expect("transactions") {
                let on_chain = tx.attempts.iter().find(|a| self.chain.find(a.hash, self.chain.head).is_some());
                match (tx.state, on_chain) {
                    (TxState::Final, Some(_)) | (TxState::Dropped, None) => {}
                    (TxState::Final | TxState::Dropped, _) if !is_promised => {}
                    (state, on_chain) => wrong.push(format!(
                        "{}: its transaction with nonce {} is {state:?}, and {} on the chain",
                        named(job),
                        tx.nonce,
                        on_chain.map_or("not".into(), |a| a.hash.to_string())
                    )),
                }
            }
        }
        wrong
    }
}

async fn hashes(store: &Store, job: &Job) -> Vec<B256> {
    let txs = store.transactions_of(Errand::Job(job.id)).await.expect("transactions");
    txs.iter().flat_map(|tx| &tx.attempts).map(|attempt| attempt.hash).collect()
}

/// Whether a job ended as the chain says that it must.
fn fits(job: &Job, subject: &Subject, asked: &Round, round: usize, own: &[B256], now: u64) -> Result<(), &'static str> {
    let by_us = asked.answer.is_some_and(|hash| own.contains(&hash));
    let by_others = asked.answer.is_some() && !by_us;
    let lapsed = by_others || subject.over.is_some() || now > asked.deadline || round + 1 < subject.rounds.len();
    match job.state {
        State::Final if by_us => Ok(()),
        State::Final => Err("it is final, and not answered by us"),
        State::Moot | State::Forfeited if by_us => Err("it is answered by us, and not final"),
        State::Moot | State::Forfeited if lapsed => Ok(()),
        State::Moot | State::Forfeited => Err("it is waited for, and was given up"),
        State::Failed if Ailment::of(&asked.input) == Ailment::Always => Ok(()),
        // A proof that a crash interrupted counts as one: it may be what the daemon crashed of.
        State::Failed if Ailment::of(&asked.input) != Ailment::None && job.attempts >= 3 => Ok(()),
        State::Failed if lapsed => Ok(()),
        State::Failed => Err("it was reported without a cause"),
        _ => Err("it has not ended"),
    }
}

/// Whether nobody has closed a subject that anybody may close.
fn is_left(subject: &Subject, now: u64) -> bool {
    let waits = subject.rounds.last().is_some_and(|round| round.answer.is_none() && now <= round.deadline);
    subject.over.is_none() && !waits && now > subject.expiry + CLOSED_WITHIN
}

fn named(job: &Job) -> String {
    format!("subject {} round {} is {} ({})", job.key.subject, job.key.round, job.state, job.note)
}
