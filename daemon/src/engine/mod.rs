//! Decides what happens to jobs. Pure: no clock, no disk, no network, and it cannot fail. It knows no app: a job is a round
//! of a subject (a ply of a game, a request, a market, a round of an incident) of some contract.
//!
//! Every cause of work is an [`Event`]; [`step`] turns it into [`Effect`]s, which the service
//! applies in the same database transaction that stores the event. What is to be done next is not
//! remembered but read off the states by [`next_work`], so that a restart needs no special case.
//!
//! ```text
//! seen ──► proving ──► proved ──► submitted ──► included ──► final
//!   ▲         │           ▲           │  ▲          │
//!   └─────────┘           └───────────┘  └──────────┘
//!  failed proof          nonce lost      block undone          any open state ──► moot, forfeited, failed
//! ```

use std::collections::BTreeSet;

use crate::store::{BlockRef, Job, State};

/// Everything that can happen to the jobs of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The chain asks.
    Asked {
        /// Which round.
        round: u64,
        /// The block that says so.
        block: BlockRef,
    },
    /// The answer of this round is on the chain, in a transaction that isn't ours.
    AnsweredByOther {
        /// Which round.
        round: u64,
    },
    /// Nothing more will be asked about the subject.
    Over {
        /// Whether it ended because our time ran out.
        forfeited: bool,
        /// How, in words.
        how: String,
    },
    /// Blocks above this height are gone.
    Undone {
        /// The common ancestor's height.
        above: u64,
    },
    /// The process has just started.
    Restarted,
    /// A proof is being made.
    ProofStarted {
        /// Which round.
        round: u64,
    },
    /// A proof is there.
    Proved {
        /// Which round.
        round: u64,
        /// The block whose question it answers.
        asked: BlockRef,
    },
    /// The store has no proof any more.
    ProofLost {
        /// Which round.
        round: u64,
    },
    /// No proof came of it.
    ProofFailed {
        /// Which round.
        round: u64,
        /// Why.
        why: String,
        /// How many tries there may be.
        attempts: u32,
    },
    /// What is read from the chain asks nothing of us.
    NothingToAnswer {
        /// Which round.
        round: u64,
        /// Why.
        why: String,
    },
    /// The answer is proven, and it is one that the contract is right not to take.
    Declined {
        /// Which round.
        round: u64,
        /// Why.
        why: String,
    },
    /// The contract refuses the answer, in simulation or in a block.
    Refused {
        /// Which round.
        round: u64,
        /// The contract's error in words.
        why: String,
        /// Whether the chain still waits for this round's answer.
        still_asked: bool,
    },
    /// The signed transaction is stored.
    Stored {
        /// Which round.
        round: u64,
    },
    /// What ended it was undone.
    Reopened,
    /// Our transaction is in a block and succeeded.
    Mined {
        /// Which round.
        round: u64,
    },
    /// Our transaction fell out of its block.
    Unmined {
        /// Which round.
        round: u64,
    },
    /// Our transaction's block is deep enough.
    Deep {
        /// Which round.
        round: u64,
    },
    /// Another transaction used our nonce.
    NonceLost {
        /// Which round.
        round: u64,
    },
    /// The operator wants what ended without our answer to be worked on again.
    Retried {
        /// Which round.
        round: u64,
    },
    /// The operator gives it up.
    Dropped {
        /// Which round.
        round: u64,
        /// Why.
        why: String,
    },
}

/// What the service has to do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Store the question, or ask it again.
    Ask {
        /// Which round.
        round: u64,
        /// The block that asks.
        block: BlockRef,
    },
    /// Move a job to a state.
    Set {
        /// The job.
        job: i64,
        /// The new state.
        state: State,
        /// Why.
        note: String,
    },
    /// Stop a proof, or forget its result.
    Cancel {
        /// The job.
        job: i64,
    },
    /// Tell the operator.
    Report {
        /// The job.
        job: i64,
        /// What happened.
        what: String,
    },
}

/// Something to start now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Make a proof for this job.
    Prove(i64),
    /// Send this job's answer.
    Submit(i64),
}

/// Decides what an event means for the jobs of its subject.
pub fn step(jobs: &[Job], event: &Event) -> Vec<Effect> {
    let mut effects = Vec::new();
    match event {
        Event::Asked { round, block } => asked(jobs, *round, *block, &mut effects),
        Event::AnsweredByOther { round } => {
            for job in at(jobs, *round).filter(|job| job.state.is_open()) {
                end(job, State::Moot, "answered by another transaction", &mut effects);
            }
        }
        Event::Over { forfeited, how } => {
            // A submitted answer may be the very one that ended it: its receipt decides.
            let state = if *forfeited { State::Forfeited } else { State::Moot };
            for job in jobs.iter().filter(|job| is_before_submission(job.state)) {
                end(job, state, how, &mut effects);
            }
        }
        Event::Undone { above } => {
            for job in jobs.iter().filter(|job| job.block.number > *above && job.state != State::Moot) {
                end(job, State::Moot, "its block was undone", &mut effects);
            }
        }
        Event::Restarted => {
            for job in jobs.iter().filter(|job| job.state == State::Proving) {
                set(job, State::Seen, "the daemon was restarted while proving", &mut effects);
            }
        }
        Event::ProofStarted { round } => {
            for job in at(jobs, *round).filter(|job| job.state == State::Seen) {
                set(job, State::Proving, "", &mut effects);
            }
        }
        Event::Proved { round, asked } => {
            for job in at(jobs, *round).filter(|job| job.state == State::Proving && job.block == *asked) {
                set(job, State::Proved, "", &mut effects);
            }
        }
        Event::ProofLost { round } => {
            for job in at(jobs, *round).filter(|job| job.state == State::Proved) {
                set(job, State::Seen, "its proof is gone; made again", &mut effects);
            }
        }
        Event::ProofFailed { round, why, attempts } => {
            for job in at(jobs, *round).filter(|job| job.state == State::Proving) {
                if job.attempts < *attempts {
                    set(job, State::Seen, why, &mut effects);
                } else {
                    fail(job, why, &mut effects);
                }
            }
        }
        Event::NothingToAnswer { round, why } => {
            for job in at(jobs, *round).filter(|job| is_before_submission(job.state)) {
                end(job, State::Moot, why, &mut effects);
            }
        }
        Event::Declined { round, why } => {
            for job in at(jobs, *round).filter(|job| job.state == State::Proved) {
                set(job, State::Forfeited, why, &mut effects);
                effects.push(Effect::Report { job: job.id, what: why.clone() });
            }
        }
        Event::Refused { round, why, still_asked } => {
            for job in at(jobs, *round).filter(|job| matches!(job.state, State::Proved | State::Submitted)) {
                if *still_asked {
                    fail(job, why, &mut effects);
                } else {
                    end(job, State::Moot, why, &mut effects);
                }
            }
        }
        Event::Reopened => {
            for job in jobs.iter().filter(|job| matches!(job.state, State::Moot | State::Forfeited)) {
                set(job, State::Seen, "the block that ended it was undone", &mut effects);
            }
        }
        Event::Stored { round } => {
            for job in at(jobs, *round).filter(|job| job.state == State::Proved) {
                set(job, State::Submitted, "", &mut effects);
            }
        }
        Event::Mined { round } => {
            for job in at(jobs, *round).filter(|job| !matches!(job.state, State::Included | State::Final)) {
                if job.state == State::Proving {
                    effects.push(Effect::Cancel { job: job.id });
                }
                set(job, State::Included, "", &mut effects);
            }
        }
        Event::Unmined { round } => {
            // A final one, too: a reorganisation may reach deeper than what counts as final.
            for job in at(jobs, *round).filter(|job| matches!(job.state, State::Included | State::Final)) {
                set(job, State::Submitted, "its block was undone; sent again", &mut effects);
            }
        }
        Event::Deep { round } => {
            for job in at(jobs, *round).filter(|job| job.state == State::Included) {
                set(job, State::Final, "", &mut effects);
            }
        }
        Event::NonceLost { round } => {
            // An included one, too: in another order of blocks the payment that was to withdraw it came first.
            for job in at(jobs, *round).filter(|job| matches!(job.state, State::Submitted | State::Included)) {
                set(job, State::Proved, "another transaction used its nonce", &mut effects);
            }
        }
        Event::Retried { round } => {
            // Asked as it was, with its tries counted anew: whether the chain still wants it is read before anything is proven.
            let ended = |job: &&Job| matches!(job.state, State::Failed | State::Forfeited | State::Moot);
            for job in at(jobs, *round).filter(ended) {
                effects.push(Effect::Ask { round: *round, block: job.block });
            }
        }
        Event::Dropped { round, why } => {
            for job in at(jobs, *round).filter(|job| job.state.is_open() && job.state != State::Included) {
                end(job, State::Forfeited, why, &mut effects);
            }
        }
    }
    effects
}

/// What goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// First, and with a slot of its own that nothing else takes: money may be on its way out.
    Urgent,
    /// In the order in which it was asked.
    Normal,
}

/// What to start, given the open jobs and those that are already being worked on or wait: answers before proofs, urgent jobs
/// before others, and then in the order in which they were asked. Whoever starts proofs leaves those that there is no slot for.
pub fn next_work(open: &[Job], busy: &BTreeSet<i64>, priority: impl Fn(&Job) -> Priority) -> Vec<Work> {
    let mut idle: Vec<&Job> = open.iter().filter(|job| !busy.contains(&job.id)).collect();
    idle.sort_by_key(|job| priority(job));
    let submit = idle.iter().filter(|job| job.state == State::Proved).map(|job| Work::Submit(job.id));
    let prove = idle.iter().filter(|job| job.state == State::Seen).map(|job| Work::Prove(job.id));
    submit.chain(prove).collect()
}

fn asked(jobs: &[Job], round: u64, block: BlockRef, effects: &mut Vec<Effect>) {
    for job in jobs.iter().filter(|job| job.key.round < round && is_before_submission(job.state)) {
        end(job, State::Moot, "it went on without this round", effects);
    }
    match at(jobs, round).next() {
        None => effects.push(Effect::Ask { round, block }),
        Some(job) if job.block == block && job.state != State::Moot => {}
        Some(job) if matches!(job.state, State::Included | State::Final) => {}
        Some(job) => {
            if job.state == State::Proving {
                effects.push(Effect::Cancel { job: job.id });
            }
            effects.push(Effect::Ask { round, block });
        }
    }
}

fn at(jobs: &[Job], round: u64) -> impl Iterator<Item = &Job> {
    jobs.iter().filter(move |job| job.key.round == round)
}

fn is_before_submission(state: State) -> bool {
    matches!(state, State::Seen | State::Proving | State::Proved)
}

fn set(job: &Job, state: State, note: &str, effects: &mut Vec<Effect>) {
    effects.push(Effect::Set { job: job.id, state, note: note.to_owned() });
}

fn end(job: &Job, state: State, note: &str, effects: &mut Vec<Effect>) {
    if job.state == State::Proving {
        effects.push(Effect::Cancel { job: job.id });
    }
    set(job, state, note, effects);
}

fn fail(job: &Job, why: &str, effects: &mut Vec<Effect>) {
    set(job, State::Failed, why, effects);
    effects.push(Effect::Report { job: job.id, what: why.to_owned() });
}

#[cfg(test)]
mod tests;
