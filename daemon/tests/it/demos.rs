//! The demos as people run them, with the binary, real models and a real local chain; what they print is what has happened.

use std::path::Path;

use serde_json::Value;

use crate::process::{json, zugzwang};

fn shown(arguments: &[&str]) -> Value {
    let dir = tempfile::tempdir().expect("folder");
    let config = dir.path().join("none.toml");
    std::fs::write(&config, "").expect("write");
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache").display().to_string();
    json(&config, &[arguments, &["--cache", &cache]].concat())
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} in {value}"))
}

fn wei(value: &Value) -> u128 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("an amount: {value}"))
}

#[test]
fn a_folder_that_an_earlier_demo_has_used_is_refused() {
    let dir = tempfile::tempdir().expect("folder");
    let config = dir.path().join("none.toml");
    std::fs::write(&config, "").expect("write");
    std::fs::write(dir.path().join("zugzwang.db"), "of an earlier demo").expect("write");
    let used = dir.path().display().to_string();
    for demo in ["demo", "demo-market", "demo-guard", "demo-web"] {
        let output = zugzwang(&config, &[demo, "--dir", &used]).output().expect("the binary");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains("earlier demo") && said.contains("--dir"), "{demo}: {said}");
    }
    assert_eq!(std::fs::read(dir.path().join("zugzwang.db")).expect("read"), b"of an earlier demo");
}

#[test]
fn a_game_is_played() {
    let game = shown(&["demo", "--model", "models/chess-s", "--moves", "2"]);
    assert_eq!(game["npc_moves"].as_array().map(Vec::len), Some(2), "{game}");
    assert!(game["npc_moves"][1]["gas"].as_u64().is_some_and(|gas| gas < 650_000), "{game}");
}

#[test]
fn a_market_pays_its_winners() {
    for (arguments, class, winners) in [
        (&["--text", "Full time: Spain 0-2 Georgia. Friendly match in Badajoz.", "--min-margin", "60"][..], "away", 2),
        (&["--seed", "5"][..], "", 0),
    ] {
        let market = shown(&[&["demo-market"], arguments].concat());
        if !class.is_empty() {
            assert_eq!(
                (text(&market, "class"), market["paid"].as_array().map(Vec::len)),
                (class, Some(winners)),
                "{market}"
            );
        }
        // All that was bet, or less by rounding: a wei for each winner.
        let paid: u128 = market["paid"].as_array().expect("a list").iter().map(|entry| wei(&entry[1])).sum();
        assert!((7_500_000_000_000_000_000 - 5..=7_500_000_000_000_000_000).contains(&paid), "{market}");
    }
}

#[test]
fn a_guard_holds_a_fraud_and_honest_money_is_safe() {
    for arguments in [&["demo-guard", "--seed", "1"][..], &["demo-guard", "--seed", "2", "--private"]] {
        let guard = shown(arguments);
        let judged = guard["judged"].as_array().expect("judgements");
        let outcome = |i: usize| (judged[i]["fraud"].as_bool(), text(&judged[i], "outcome"));
        assert_eq!(outcome(1), (Some(true), "held"), "{guard}");
        assert_eq!(outcome(0).0, Some(false), "{guard}");
        for savings in guard["honest"].as_array().expect("savings") {
            let (put_in, left) = (wei(&savings[0]), wei(&savings[1]));
            // Shares are rounded against who takes out, by a few wei.
            assert!(left + 1000 >= put_in, "{guard}");
        }
    }
}

#[test]
fn guard_jobs_go_first() {
    let found = shown(&["bench-guard", "--incidents", "6", "--queue", "5", "--other", "models/weather"]);
    let number = |key: &str| found[key].as_u64().unwrap_or_else(|| panic!("{key} in {found}"));
    assert_eq!((number("incidents"), number("queue")), (6, 5), "{found}");
    // Had they waited for the queue, five others would have been answered for each.
    assert!(number("answered") < 5 * 6, "{found}");
}
