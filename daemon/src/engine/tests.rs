//! Scripts of events and the states that they leave. `check` is the only place that calls the engine.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::*;
use crate::{
    chain::types::{Address, B256, U256},
    store::JobKey,
};

fn block(name: &str) -> BlockRef {
    let (number, fork) = name.split_once('\'').map_or((name, 0), |(n, _)| (n, 1));
    let number: u64 = number.parse().expect("block number");
    BlockRef { number, hash: B256::repeat_byte((number as u8) * 2 + fork) }
}

fn event(words: &[&str]) -> Event {
    let round = || words[1].parse().expect("round");
    match words[0] {
        "asked" => Event::Asked { round: round(), block: block(words[2]) },
        "other" => Event::AnsweredByOther { round: round() },
        "over" => Event::Over { forfeited: false, how: "mate".into() },
        "timeout" => Event::Over { forfeited: true, how: "time ran out".into() },
        "undone" => Event::Undone { above: round() },
        "restarted" => Event::Restarted,
        "proving" => Event::ProofStarted { round: round() },
        "proved" => Event::Proved { round: round(), asked: block(words[2]) },
        "unproved" => Event::ProofFailed { round: round(), why: "no memory".into(), attempts: 2 },
        "nothing" => Event::NothingToAnswer { round: round(), why: "no legal move".into() },
        "reopened" => Event::Reopened,
        "declined" => Event::Declined { round: round(), why: "margin 3 of 40".into() },
        "refused" => Event::Refused { round: round(), why: "WrongProof".into(), still_asked: true },
        "late" => Event::Refused { round: round(), why: "GameIsOver".into(), still_asked: false },
        "stored" => Event::Stored { round: round() },
        "mined" => Event::Mined { round: round() },
        "unmined" => Event::Unmined { round: round() },
        "deep" => Event::Deep { round: round() },
        "lost" => Event::NonceLost { round: round() },
        other => panic!("no such event: {other}"),
    }
}

/// Runs the events, one per line, and prints after each what changed.
fn check(script: &str, expected: Expect) {
    let mut jobs: Vec<Job> = Vec::new();
    let mut shown = String::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split(' ').collect();
        write!(shown, "{line}:").expect("string");
        for effect in step(&jobs, &event(&words)) {
            match effect {
                Effect::Ask { round, block } => {
                    write!(shown, " ask {round}").expect("string");
                    if let Some(job) = jobs.iter_mut().find(|job| job.key.round == round) {
                        (job.state, job.block, job.attempts) = (State::Seen, block, 0);
                        continue;
                    }
                    let key = JobKey { chain_id: 1, contract: Address::ZERO, subject: U256::from(1), round };
                    let id = jobs.len() as i64;
                    jobs.push(Job {
                        id,
                        key,
                        block,
                        state: State::Seen,
                        note: String::new(),
                        attempts: 0,
                        proving_ms: None,
                        created_at: 0,
                    });
                }
                Effect::Set { job, state, note } => {
                    let job = &mut jobs[job as usize];
                    job.attempts += u32::from(state == State::Proving);
                    write!(shown, " {}→{state}", job.key.round).expect("string");
                    if !note.is_empty() {
                        write!(shown, " ({note})").expect("string");
                    }
                    job.state = state;
                }
                Effect::Cancel { job } => write!(shown, " cancel {}", jobs[job as usize].key.round).expect("string"),
                Effect::Report { job, what } => {
                    write!(shown, " report {} {what}", jobs[job as usize].key.round).expect("string")
                }
            }
        }
        shown.push('\n');
    }
    expected.assert_eq(&shown);
}

#[test]
fn a_move_is_answered() {
    check(
        "asked 1 5\nasked 1 5\nproving 1\nproved 1 5\nstored 1\nmined 1\nasked 3 7\ndeep 1",
        expect![[r#"
        asked 1 5: ask 1
        asked 1 5:
        proving 1: 1→proving
        proved 1 5: 1→proved
        stored 1: 1→submitted
        mined 1: 1→included
        asked 3 7: ask 3
        deep 1: 1→final
    "#]],
    );
}

#[test]
fn a_kill_while_proving_starts_again() {
    check(
        "asked 1 5\nproving 1\nrestarted\nproving 1\nproved 1 5\nrestarted",
        expect![[r#"
        asked 1 5: ask 1
        proving 1: 1→proving
        restarted: 1→seen (the daemon was restarted while proving)
        proving 1: 1→proving
        proved 1 5: 1→proved
        restarted:
    "#]],
    );
}

#[test]
fn a_failing_proof_is_tried_again_then_reported() {
    check(
        "asked 1 5\nproving 1\nunproved 1\nproving 1\nunproved 1\nproving 1",
        expect![[r#"
        asked 1 5: ask 1
        proving 1: 1→proving
        unproved 1: 1→seen (no memory)
        proving 1: 1→proving
        unproved 1: 1→failed (no memory) report 1 no memory
        proving 1:
    "#]],
    );
}

#[test]
fn over_before_and_after_submission() {
    check(
        "asked 1 5\nproving 1\nover\nproved 1 5",
        expect![[r#"
        asked 1 5: ask 1
        proving 1: 1→proving
        over: cancel 1 1→moot (mate)
        proved 1 5:
    "#]],
    );
    check(
        "asked 1 5\nproving 1\ntimeout",
        expect![[r#"
        asked 1 5: ask 1
        proving 1: 1→proving
        timeout: cancel 1 1→forfeited (time ran out)
    "#]],
    );
    check(
        "asked 1 5\nproving 1\nproved 1 5\nstored 1\nover\nmined 1\ndeep 1",
        expect![[r#"
        asked 1 5: ask 1
        proving 1: 1→proving
        proved 1 5: 1→proved
        stored 1: 1→submitted
        over:
        mined 1: 1→included
        deep 1: 1→final
    "#]],
    );
    check(
        "asked 1 5\nproving 1\nproved 1 5\nstored 1\nover\nlate 1",
        expect![[r#"
        asked 1 5: ask 1
        proving 1: 1→proving
        proved 1 5: 1→proved
        stored 1: 1→submitted
        over:
        late 1: 1→moot (GameIsOver)
    "#]],
    );
}

#[test]
fn a_reorganisation_asks_again() {
    check(
        "asked 1 5\nproving 1\nundone 4\nasked 1 5'\nproved 1 5\nproving 1\nproved 1 5'",
        expect![[r#"
        asked 1 5: ask 1
        proving 1: 1→proving
        undone 4: cancel 1 1→moot (its block was undone)
        asked 1 5': ask 1
        proved 1 5:
        proving 1: 1→proving
        proved 1 5': 1→proved
    "#]],
    );
    check(
        "asked 1 5\nproving 1\nproved 1 5\nstored 1\nundone 4\nasked 1 5'\nmined 1\nundone 6",
        expect![[r#"
        asked 1 5: ask 1
        proving 1: 1→proving
        proved 1 5: 1→proved
        stored 1: 1→submitted
        undone 4: 1→moot (its block was undone)
        asked 1 5': ask 1
        mined 1: 1→included
        undone 6:
    "#]],
    );
    check(
        "asked 1 5\nproving 1\nproved 1 5\nstored 1\nmined 1\nunmined 1\nmined 1\ndeep 1\nasked 1 5",
        expect![[r#"
        asked 1 5: ask 1
        proving 1: 1→proving
        proved 1 5: 1→proved
        stored 1: 1→submitted
        mined 1: 1→included
        unmined 1: 1→submitted (its block was undone; sent again)
        mined 1: 1→included
        deep 1: 1→final
        asked 1 5:
    "#]],
    );
}

#[test]
fn somebody_else_answers() {
    check(
        "asked 1 5\nother 1",
        expect![[r#"
        asked 1 5: ask 1
        other 1: 1→moot (answered by another transaction)
    "#]],
    );
    check(
        "asked 1 5\nproving 1\nasked 3 9",
        expect![[r#"
        asked 1 5: ask 1
        proving 1: 1→proving
        asked 3 9: cancel 1 1→moot (it went on without this round) ask 3
    "#]],
    );
}

#[test]
fn the_arena_refuses() {
    check(
        "asked 1 5\nproving 1\nproved 1 5\nrefused 1",
        expect![[r#"
        asked 1 5: ask 1
        proving 1: 1→proving
        proved 1 5: 1→proved
        refused 1: 1→failed (WrongProof) report 1 WrongProof
    "#]],
    );
    check(
        "asked 1 5\nproving 1\nproved 1 5\nlate 1\nasked 3 9",
        expect![[r#"
        asked 1 5: ask 1
        proving 1: 1→proving
        proved 1 5: 1→proved
        late 1: 1→moot (GameIsOver)
        asked 3 9: ask 3
    "#]],
    );
    check(
        "asked 1 5\nproving 1\nnothing 1",
        expect![[r#"
        asked 1 5: ask 1
        proving 1: 1→proving
        nothing 1: cancel 1 1→moot (no legal move)
    "#]],
    );
}

#[test]
fn an_answer_that_decides_nothing_is_given_up_and_told() {
    check(
        "asked 0 5\nproving 0\nproved 0 5\ndeclined 0\nrestarted",
        expect![[r#"
        asked 0 5: ask 0
        proving 0: 0→proving
        proved 0 5: 0→proved
        declined 0: 0→forfeited (margin 3 of 40) report 0 margin 3 of 40
        restarted:
    "#]],
    );
}

#[test]
fn what_was_ended_by_a_block_that_is_gone_is_open_again() {
    check(
        "asked 0 5\nother 0\nreopened\nproving 0\nreopened",
        expect![[r#"
        asked 0 5: ask 0
        other 0: 0→moot (answered by another transaction)
        reopened: 0→seen (the block that ended it was undone)
        proving 0: 0→proving
        reopened:
    "#]],
    );
}

#[test]
fn an_answer_whose_nonce_a_withdrawal_used_in_another_block_is_sent_again() {
    check(
        "asked 1 5\nproving 1\nproved 1 5\nstored 1\nmined 1\nlost 1\nstored 1\nmined 1",
        expect![[r#"
        asked 1 5: ask 1
        proving 1: 1→proving
        proved 1 5: 1→proved
        stored 1: 1→submitted
        mined 1: 1→included
        lost 1: 1→proved (another transaction used its nonce)
        stored 1: 1→submitted
        mined 1: 1→included
    "#]],
    );
}

#[test]
fn a_lost_nonce_sends_again() {
    check(
        "asked 1 5\nproving 1\nproved 1 5\nstored 1\nlost 1\nstored 1\nmined 1",
        expect![[r#"
        asked 1 5: ask 1
        proving 1: 1→proving
        proved 1 5: 1→proved
        stored 1: 1→submitted
        lost 1: 1→proved (another transaction used its nonce)
        stored 1: 1→submitted
        mined 1: 1→included
    "#]],
    );
}

#[test]
fn work_is_read_off_the_states() {
    let job = |id: i64, state| Job {
        id,
        key: JobKey { chain_id: 1, contract: Address::ZERO, subject: U256::from(id), round: 1 },
        block: block("5"),
        state,
        note: String::new(),
        attempts: 0,
        proving_ms: None,
        created_at: 0,
    };
    let open = [
        job(1, State::Seen),
        job(2, State::Proved),
        job(3, State::Seen),
        job(4, State::Submitted),
        job(5, State::Proved),
    ];
    let plain = |busy: &[i64]| next_work(&open, &busy.iter().copied().collect(), |_| Priority::Normal);
    assert_eq!(plain(&[5]), [Work::Submit(2), Work::Prove(1), Work::Prove(3)]);
    assert_eq!(plain(&[1]), [Work::Submit(2), Work::Submit(5), Work::Prove(3)]);
    let urgent = |job: &Job| if job.id >= 3 { Priority::Urgent } else { Priority::Normal };
    let work = next_work(&open, &BTreeSet::new(), urgent);
    assert_eq!(work, [Work::Submit(5), Work::Submit(2), Work::Prove(3), Work::Prove(1)]);
}
