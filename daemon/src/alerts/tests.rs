//! Which messages are sent, as a script of what happens.

use expect_test::{Expect, expect};

use super::*;
use crate::{config::Config, service::Subject};

fn alerts(more: &str) -> Alerts {
    let text =
        format!("[chess]\narena = \"0x00000000000000000000000000000000000000aa\"\n[alerts]\nlasting_s = 100\n{more}");
    let raw = crate::config::RawConfig::from_layers(Some(("test", &text)), Default::default()).expect("layers");
    let config = Config::from_raw(raw).expect("config");
    Alerts::new("chain 1".into(), config.alerts)
}

const SUBJECT: Subject = Subject { app: "chess", contract: Address::ZERO, id: U256::from_limbs([7, 0, 0, 0]) };

/// What happens at a second.
enum Step {
    Failed(&'static str),
    Asked,
    Trouble(u16, &'static str),
    Late,
    Proved,
    Stuck(Option<&'static str>),
    Balance(u64),
    Ended(u16, &'static str),
    Tick,
}

fn check(alerts: &mut Alerts, steps: &[(u64, Step)], expected: Expect) {
    let mut told = String::new();
    for (second, step) in steps {
        let now = Duration::from_secs(*second);
        let (subject, round) = (SUBJECT, 3);
        let messages = match step {
            Step::Failed(why) => {
                alerts.notice(now, &Notice::Ended { subject, round, state: State::Failed, why: (*why).into() })
            }
            Step::Asked => alerts.notice(now, &Notice::Asked { subject, round }),
            Step::Trouble(code, what) => {
                alerts.notice(now, &Notice::Trouble { code: Code::new(*code), what: (*what).into() })
            }
            Step::Late => {
                let why = "not done within 60 s".into();
                alerts.notice(now, &Notice::ProofFailed { subject, round, code: Code::LATE_PROOF, why })
            }
            Step::Proved => {
                alerts.notice(now, &Notice::Proved { subject, round, model: [0; 32], ms: 9, outputs: vec![] })
            }
            Step::Stuck(what) => alerts.tick(now, &Report { stuck: what.map(str::to_owned), ..Report::default() }),
            Step::Balance(milli) => {
                alerts.balance(now, Address::ZERO, U256::from(*milli) * U256::from(1_000_000_000_000_000u64))
            }
            Step::Ended(code, what) => alerts.ended(now, Code::new(*code), what),
            Step::Tick => alerts.tick(now, &Report::default()),
        };
        for message in messages {
            told.push_str(&format!("{second} {} {}\n", message.kind.name(), message.text));
        }
    }
    expected.assert_eq(&told);
}

#[test]
fn what_holds_is_told_once_and_once_more_when_it_is_over() {
    check(
        &mut alerts(""),
        &[
            (0, Step::Failed("reverts: <!channel> & more")),
            (1, Step::Failed("reverts")),
            (2, Step::Tick),
            (3, Step::Asked),
            (4, Step::Asked),
            (5, Step::Stuck(Some("no turn for 61 s"))),
            (6, Step::Stuck(Some("no turn for 62 s"))),
            (7, Step::Tick),
            (8, Step::Balance(9)),
            (9, Step::Balance(8)),
            (10, Step::Balance(10)),
            (11, Step::Late),
            (12, Step::Late),
            (13, Step::Proved),
        ],
        expect![[r#"
            0 needs_person :rotating_light: chain 1: chess 7 round 3 needs a person: reverts: &lt;!channel&gt; &amp; more
            3 resolved :white_check_mark: chain 1: over: chess 7 round 3: reverts
            5 stuck :rotating_light: chain 1: the daemon is stuck: no turn for 61 s
            7 resolved :white_check_mark: chain 1: over: no turn for 62 s
            8 low_balance :warning: chain 1: 0x0000000000000000000000000000000000000000 is running out of ether: 0.009000 ether are left; send it some
            10 resolved :white_check_mark: chain 1: over: 0x0000000000000000000000000000000000000000: 0.008000 ether are left; send it some
            11 late_proof :hourglass: chain 1: a proof is over its budget: chess 7 round 3: not done within 60 s
            13 resolved :white_check_mark: chain 1: over: chess: chess 7 round 3: not done within 60 s
        "#]],
    );
}

#[test]
fn trouble_is_told_when_it_lasts() {
    check(
        &mut alerts(""),
        &[
            (0, Step::Trouble(202, "no answer")),
            (50, Step::Trouble(202, "no answer")),
            (51, Step::Trouble(209, "fees")),
            (90, Step::Trouble(202, "no answer")),
            (99, Step::Tick),
            (120, Step::Trouble(202, "still no answer")),
            (121, Step::Tick),
            (122, Step::Tick),
            // One that passed is never told.
            (152, Step::Trouble(209, "fees")),
            (153, Step::Tick),
            (220, Step::Tick),
            (221, Step::Tick),
            (222, Step::Tick),
        ],
        expect![[r#"
            121 trouble :warning: chain 1: trouble lasts: still no answer (ZZ-202)
            220 resolved :white_check_mark: chain 1: over: still no answer
        "#]],
    );
}

#[test]
fn what_still_holds_is_told_again_after_a_while() {
    check(
        &mut alerts("repeat_s = 50\n"),
        &[
            (0, Step::Stuck(Some("for 60 s"))),
            (49, Step::Stuck(Some("for 109 s"))),
            (50, Step::Stuck(Some("for 110 s"))),
            (51, Step::Stuck(Some("for 111 s"))),
            (110, Step::Tick),
        ],
        expect![[r#"
            0 stuck :rotating_light: chain 1: the daemon is stuck: for 60 s
            50 stuck :rotating_light: chain 1: the daemon is stuck: for 110 s
            110 resolved :white_check_mark: chain 1: over: for 111 s
        "#]],
    );
}

#[test]
fn an_end_by_a_deep_reorganisation_has_words_of_its_own() {
    check(
        &mut alerts("[alerts.templates]\ndeep_reorg = \"{code} on {chain}: {what}\"\n"),
        &[(0, Step::Ended(208, "below block 5")), (1, Step::Ended(303, "the disk is full"))],
        expect![[r#"
            0 deep_reorg ZZ-208 on chain 1: below block 5
            1 stopped :rotating_light: chain 1: stopped by an error: the disk is full (ZZ-303)
        "#]],
    );
}

#[test]
fn a_flood_of_failures_is_bounded() {
    let mut alerts = alerts("");
    let mut told = 0;
    for round in 0..2000 {
        let failed = Notice::Ended { subject: SUBJECT, round, state: State::Failed, why: "x".into() };
        told += alerts.notice(Duration::ZERO, &failed).len();
    }
    assert_eq!((told, alerts.open().len()), (MOST_OPEN, MOST_OPEN));
}

#[test]
fn ether_is_written_to_six_places() {
    for (wei, text) in
        [(0, "0.000000"), (1_234_567_890_000_000_000u64, "1.234567"), (10_000_000_000_000_000, "0.010000")]
    {
        assert_eq!(ether(U256::from(wei)), text);
    }
}
