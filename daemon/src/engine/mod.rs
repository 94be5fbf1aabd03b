//! Decides what happens to jobs. Pure: no clock, no disk, no network, and it cannot fail.
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

pub mod clock;

use std::collections::BTreeSet;

use crate::store::{BlockRef, Job, State};

/// Everything that can happen to the jobs of one game.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The chain says that it is the NPC's move.
    Turn {
        /// Half-moves played.
        ply: u64,
        /// The block that says so.
        block: BlockRef,
    },
    /// The NPC's move at this ply is on the chain, in a transaction that isn't ours.
    AnsweredByOther {
        /// Half-moves played before it.
        ply: u64,
    },
    /// The game has ended.
    Over {
        /// Whether it ended because the NPC's time ran out.
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
        /// Of which ply.
        ply: u64,
    },
    /// A proof is there.
    Proved {
        /// Of which ply.
        ply: u64,
        /// The block whose question it answers.
        asked: BlockRef,
    },
    /// No proof came of it.
    ProofFailed {
        /// Of which ply.
        ply: u64,
        /// Why.
        why: String,
        /// How many tries there may be.
        attempts: u32,
    },
    /// The board as read from the chain asks nothing of the NPC.
    NothingToPlay {
        /// At which ply.
        ply: u64,
        /// Why.
        why: String,
    },
    /// The arena refuses the answer, in simulation or in a block.
    Refused {
        /// At which ply.
        ply: u64,
        /// The contract's error in words.
        why: String,
        /// Whether the chain still waits for this ply.
        still_asked: bool,
    },
    /// The signed transaction is stored.
    Stored {
        /// Of which ply.
        ply: u64,
    },
    /// Our transaction is in a block and succeeded.
    Mined {
        /// Of which ply.
        ply: u64,
    },
    /// Our transaction fell out of its block.
    Unmined {
        /// Of which ply.
        ply: u64,
    },
    /// Our transaction's block is deep enough.
    Deep {
        /// Of which ply.
        ply: u64,
    },
    /// Another transaction used our nonce.
    NonceLost {
        /// Of which ply.
        ply: u64,
    },
}

/// What the service has to do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Store the question, or ask it again.
    Ask {
        /// At which ply.
        ply: u64,
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

/// Decides what an event means for the jobs of its game.
pub fn step(jobs: &[Job], event: &Event) -> Vec<Effect> {
    let mut effects = Vec::new();
    match event {
        Event::Turn { ply, block } => turn(jobs, *ply, *block, &mut effects),
        Event::AnsweredByOther { ply } => {
            for job in at(jobs, *ply).filter(|job| job.state.is_open()) {
                end(job, State::Moot, "answered by another transaction", &mut effects);
            }
        }
        Event::Over { forfeited, how } => {
            // A submitted answer may be the very move that ended the game: its receipt decides.
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
        Event::ProofStarted { ply } => {
            for job in at(jobs, *ply).filter(|job| job.state == State::Seen) {
                set(job, State::Proving, "", &mut effects);
            }
        }
        Event::Proved { ply, asked } => {
            for job in at(jobs, *ply).filter(|job| job.state == State::Proving && job.block == *asked) {
                set(job, State::Proved, "", &mut effects);
            }
        }
        Event::ProofFailed { ply, why, attempts } => {
            for job in at(jobs, *ply).filter(|job| job.state == State::Proving) {
                if job.attempts < *attempts {
                    set(job, State::Seen, why, &mut effects);
                } else {
                    fail(job, why, &mut effects);
                }
            }
        }
        Event::NothingToPlay { ply, why } => {
            for job in at(jobs, *ply).filter(|job| is_before_submission(job.state)) {
                end(job, State::Moot, why, &mut effects);
            }
        }
        Event::Refused { ply, why, still_asked } => {
            for job in at(jobs, *ply).filter(|job| matches!(job.state, State::Proved | State::Submitted)) {
                if *still_asked {
                    fail(job, why, &mut effects);
                } else {
                    end(job, State::Moot, why, &mut effects);
                }
            }
        }
        Event::Stored { ply } => {
            for job in at(jobs, *ply).filter(|job| job.state == State::Proved) {
                set(job, State::Submitted, "", &mut effects);
            }
        }
        Event::Mined { ply } => {
            for job in at(jobs, *ply).filter(|job| !matches!(job.state, State::Included | State::Final)) {
                if job.state == State::Proving {
                    effects.push(Effect::Cancel { job: job.id });
                }
                set(job, State::Included, "", &mut effects);
            }
        }
        Event::Unmined { ply } => {
            for job in at(jobs, *ply).filter(|job| job.state == State::Included) {
                set(job, State::Submitted, "its block was undone; sent again", &mut effects);
            }
        }
        Event::Deep { ply } => {
            for job in at(jobs, *ply).filter(|job| job.state == State::Included) {
                set(job, State::Final, "", &mut effects);
            }
        }
        Event::NonceLost { ply } => {
            for job in at(jobs, *ply).filter(|job| job.state == State::Submitted) {
                set(job, State::Proved, "another transaction used its nonce", &mut effects);
            }
        }
    }
    effects
}

/// What to start, given the open jobs, those that are already being worked on, and free slots.
pub fn next_work(open: &[Job], busy: &BTreeSet<i64>, free_slots: usize) -> Vec<Work> {
    let idle = |state| open.iter().filter(move |job| job.state == state && !busy.contains(&job.id));
    let submit = idle(State::Proved).map(|job| Work::Submit(job.id));
    let prove = idle(State::Seen).take(free_slots).map(|job| Work::Prove(job.id));
    submit.chain(prove).collect()
}

fn turn(jobs: &[Job], ply: u64, block: BlockRef, effects: &mut Vec<Effect>) {
    for job in jobs.iter().filter(|job| job.key.ply < ply && is_before_submission(job.state)) {
        end(job, State::Moot, "the game went on without it", effects);
    }
    match at(jobs, ply).next() {
        None => effects.push(Effect::Ask { ply, block }),
        Some(job) if job.block == block && job.state != State::Moot => {}
        Some(job) if matches!(job.state, State::Included | State::Final) => {}
        Some(job) => {
            if job.state == State::Proving {
                effects.push(Effect::Cancel { job: job.id });
            }
            effects.push(Effect::Ask { ply, block });
        }
    }
}

fn at(jobs: &[Job], ply: u64) -> impl Iterator<Item = &Job> {
    jobs.iter().filter(move |job| job.key.ply == ply)
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
