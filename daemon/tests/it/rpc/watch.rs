//! Following a real chain over an endpoint that limits, fails, lags and lies.

use std::time::Duration;

use serde_json::{Value, json};
use zugzwang::chain::{ChainError, Client, watcher::WatchError};

use super::{
    chain::{Chain, Follower, config},
    proxy::{Fault, KEY, Proxy},
};

/// The number of blocks that a request for logs spans.
fn span(request: &Value) -> u64 {
    let number = |key: &str| {
        let text = request["params"][0][key].as_str()?;
        u64::from_str_radix(text.trim_start_matches("0x"), 16).ok()
    };
    number("toBlock").zip(number("fromBlock")).map_or(0, |(last, first)| last - first + 1)
}

fn is(request: &Value, method: &str) -> bool {
    request["method"] == method
}

#[tokio::test(flavor = "multi_thread")]
async fn openzeppelin_monitor_432_a_long_gap_is_read_once_though_ranges_are_limited() {
    let chain = Chain::new().await;
    for _ in 0..3 {
        chain.mine(150).await;
        chain.log(2).await;
    }
    let refusals: [(u64, i64, &'static str); 4] = [
        (100, -32005, "query returned more than 10000 results"),
        (37, -32602, "block range too large"),
        (250, -32000, "exceed maximum block range: 250"),
        (1, -32005, "limit exceeded"),
    ];
    for (limit, code, words) in refusals {
        let proxy = Proxy::before(&chain.anvil.url).await;
        proxy.does(move |request| if span(request) > limit { Fault::Error(code, words) } else { Fault::None });
        let mut config = config(&[&proxy.url]);
        // The provider that answers for one block at a time is not made to for all of them.
        config.start_block = if limit == 1 { chain.head().await - 60 } else { 0 };
        let from = config.start_block;
        let mut follower = Follower::new(&chain, config).await;
        follower.catch_up(2000).await;
        let expected: Vec<_> = chain.logs().await.into_iter().filter(|(number, _)| *number >= from).collect();
        assert_eq!(follower.logs, expected, "{words}");
        assert_eq!(follower.cursor().await.expect("cursor").number, chain.head().await);
        let least = (chain.head().await - from).div_ceil(limit) as usize;
        let asked = proxy.seen("eth_getLogs");
        assert!(asked <= 3 * least + 60, "{words}: {asked} queries, {least} would do");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn openzeppelin_monitor_464_no_block_is_missed_while_the_node_fails_now_and_then() {
    let chain = Chain::new().await;
    let proxy = Proxy::before(&chain.anvil.url).await;
    let mut requests = 0u64;
    proxy.does(move |_| {
        requests += 1;
        match (requests % 3, requests % 4) {
            (0, 0) => Fault::Status(500, "oops"),
            (0, 1) => Fault::Error(-32603, "internal error"),
            (0, 2) => Fault::Status(429, "slow down"),
            (0, _) => Fault::Status(502, "<html>bad gateway</html>"),
            _ => Fault::None,
        }
    });
    // Near the head, and over a gap.
    let mut follower = Follower::new(&chain, config(&[&proxy.url])).await;
    for _ in 0..3 {
        chain.log(6).await;
        follower.catch_up(200).await;
        chain.mine(200).await;
        chain.log(1).await;
    }
    follower.catch_up(200).await;
    assert_eq!(follower.logs, chain.logs().await);
    assert_eq!(follower.logs.len(), 21);
}

#[tokio::test(flavor = "multi_thread")]
async fn openzeppelin_monitor_487_trouble_in_a_gap_repeats_nothing() {
    let chain = Chain::new().await;
    chain.log(12).await;
    let proxy = Proxy::before(&chain.anvil.url).await;
    // After the ninth query for logs the node breaks, for good.
    let mut left = 9;
    proxy.does(move |request| {
        if is(request, "eth_getLogs") {
            left -= 1;
        }
        if left < 0 { Fault::Error(-32000, "upstream unavailable: connection refused") } else { Fault::None }
    });
    let mut follower = Follower::new(&chain, config(&[&proxy.url])).await;
    let batch = follower.poll().await.expect("what was read before it broke");
    assert!(!batch.caught_up);
    let read = follower.cursor().await.expect("cursor").number;
    assert!(read > 0 && read < chain.head().await, "{read}");
    follower.poll().await.expect_err("it is broken");
    proxy.does(|_| Fault::None);
    tokio::time::sleep(Duration::from_secs(2)).await;
    follower.catch_up(50).await;
    assert_eq!(follower.logs, chain.logs().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn event_scanner_56_catching_up_ends_though_the_head_runs_away() {
    let chain = Chain::new().await;
    chain.mine(400).await;
    let mut config = config(&[&chain.anvil.url]);
    config.batch = 50;
    let mut follower = Follower::new(&chain, config).await;
    let mut polls = 0;
    while !follower.poll().await.expect("poll").caught_up {
        chain.log(5).await;
        polls += 1;
        assert!(polls < 40, "it never ends");
    }
    follower.catch_up(3).await;
    assert_eq!(follower.logs, chain.logs().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn event_scanner_57_logs_that_come_late_are_not_missed() {
    let chain = Chain::new().await;
    let proxy = Proxy::before(&chain.anvil.url).await;
    let mut follower = Follower::new(&chain, config(&[&proxy.url])).await;
    follower.catch_up(3).await;
    // The node has the block, but its logs not yet: each first query finds none.
    let mut queries = 0;
    proxy.does(move |request| {
        if !is(request, "eth_getLogs") {
            return Fault::None;
        }
        queries += 1;
        if queries % 2 == 1 { Fault::Changed(|logs| *logs = json!([])) } else { Fault::None }
    });
    chain.log(4).await;
    follower.catch_up(3).await;
    assert_eq!(follower.logs, chain.logs().await);
    assert_eq!(follower.logs.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_another_block_is_refused() {
    let chain = Chain::new().await;
    let proxy = Proxy::before(&chain.anvil.url).await;
    let mut follower = Follower::new(&chain, config(&[&proxy.url])).await;
    follower.catch_up(3).await;
    let before = follower.cursor().await;
    chain.log(2).await;
    let lies: [fn(&mut Value); 3] = [
        |logs| logs[0]["blockHash"] = json!(format!("0x{}", "ab".repeat(32))),
        |logs| logs[0]["address"] = json!(format!("0x{}", "cd".repeat(20))),
        |logs| *logs = json!("none"),
    ];
    // Near the head, where each block is asked for by its hash.
    for lie in lies {
        proxy.does(move |request| if is(request, "eth_getLogs") { Fault::Changed(lie) } else { Fault::None });
        let error = follower.poll().await.expect_err("a lie");
        assert!(error.to_string().contains("log"), "{error}");
        assert_eq!(follower.cursor().await, before);
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    // In a range, where a log names its block itself.
    chain.mine(100).await;
    proxy.does(move |request| match is(request, "eth_getLogs") {
        true => Fault::Changed(|logs| {
            if logs[0].is_object() {
                logs[0]["blockHash"] = json!(format!("0x{}", "ab".repeat(32)));
            }
        }),
        false => Fault::None,
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    let error = follower.poll().await.expect_err("a lie");
    assert!(matches!(error, WatchError::Chain(ChainError::FalseLog { .. })), "{error}");
    assert_eq!(follower.cursor().await, before);
    proxy.does(|_| Fault::None);
    follower.catch_up(10).await;
    assert_eq!(follower.logs, chain.logs().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn reorganisations_are_undone_to_the_common_ancestor() {
    let chain = Chain::new().await;
    let mut follower = Follower::new(&chain, config(&[&chain.anvil.url])).await;
    for depth in [1, 2, 5, 15] {
        chain.mine(20).await;
        chain.log(depth + 2).await;
        follower.catch_up(10).await;
        let head = chain.head().await;
        chain.reorganise(depth).await;
        chain.log(1).await;
        let batch = follower.poll().await.expect("poll");
        assert_eq!(batch.undo.map(|block| block.number), Some(head - depth), "depth {depth}");
        follower.catch_up(10).await;
        assert_eq!(follower.logs, chain.logs().await, "depth {depth}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hyperlane_8243_a_large_reorganisation_stops_and_is_never_replayed_silently() {
    let chain = Chain::new().await;
    chain.mine(5).await;
    let mut follower = Follower::new(&chain, config(&[&chain.anvil.url])).await;
    follower.catch_up(10).await;
    let snapshot = chain.snapshot().await;
    let ancestor = chain.head().await;
    for _ in 0..3 {
        chain.log(10).await;
        follower.catch_up(10).await;
    }
    let (stored, logs) = (follower.cursor().await, follower.logs.clone());
    chain.revert(snapshot).await;
    chain.client.raw("evm_increaseTime", json!([50])).await.expect("time");
    chain.mine(40).await;
    for _ in 0..3 {
        let WatchError::Chain(error) = follower.poll().await.expect_err("too deep") else { panic!("not the chain") };
        assert!(!error.is_passing(), "it must stop the daemon");
        let words = error.to_string();
        for expected in [
            format!("block {}, up to which events are stored, is gone", ancestor + 30),
            "more than the 16 blocks that may be undone".into(),
            format!("block {ancestor} is the newest one left, 30 below"),
            "raise chain.max_reorg".into(),
        ] {
            assert!(words.contains(&expected), "{words}: not {expected}");
        }
        assert_eq!((follower.cursor().await, &follower.logs), (stored, &logs));
    }
    // A person allows it.
    follower.allow(30).await;
    let batch = follower.poll().await.expect("undone");
    assert_eq!(batch.undo.map(|block| block.number), Some(ancestor));
    follower.catch_up(10).await;
    assert_eq!(follower.logs, chain.logs().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn hyperlane_8633_a_node_that_is_behind_undoes_nothing() {
    let chain = Chain::new().await;
    chain.log(3).await;
    let proxy = Proxy::before(&chain.anvil.url).await;
    let mut follower = Follower::new(&chain, config(&[&proxy.url])).await;
    follower.catch_up(10).await;
    // A long gap, of which only the end is remembered, and blocks after it.
    chain.mine(100).await;
    follower.catch_up(10).await;
    let before = (follower.cursor().await, follower.logs.clone());
    let behind = |head: u64| {
        move |request: &Value| {
            let number = request["params"][0]
                .as_str()
                .and_then(|text| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok());
            match (request["method"].as_str(), request["params"][0].as_str(), number) {
                (Some("eth_getBlockByNumber"), Some("latest"), _) => Some(format!("{head:#x}")),
                (Some("eth_getBlockByNumber"), _, Some(number)) if number > head => Some("none".into()),
                _ => None,
            }
        }
    };
    // A little behind, further than any remembered block, and started anew.
    for head in [before.0.expect("cursor").number - 3, 50, 0] {
        let stand_in =
            chain.client.raw("eth_getBlockByNumber", json!([format!("{head:#x}"), false])).await.expect("block");
        let lag = behind(head);
        proxy.does(move |request| match lag(request) {
            None => Fault::None,
            Some(number) if number == "none" => Fault::Changed(|block| *block = Value::Null),
            Some(_) => Fault::Answer(stand_in.clone()),
        });
        let WatchError::Chain(error) = follower.poll().await.expect_err("behind") else { panic!("not the chain") };
        assert!(error.is_passing() && error.to_string().contains("it is behind"), "{error}");
        assert_eq!((follower.cursor().await, follower.logs.clone()), before, "head {head}");
    }
    proxy.does(|_| Fault::None);
    chain.log(1).await;
    follower.catch_up(10).await;
    assert_eq!(follower.logs, chain.logs().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_endpoint_goes_on_where_the_first_one_fails() {
    let chain = Chain::new().await;
    let (first, second) = (Proxy::before(&chain.anvil.url).await, Proxy::before(&chain.anvil.url).await);
    let mut follower = Follower::new(&chain, config(&[&first.url, &second.url])).await;
    chain.log(2).await;
    follower.catch_up(10).await;
    second.seen("");
    first.does(|_| Fault::Status(503, ""));
    chain.log(2).await;
    follower.catch_up(10).await;
    assert!(second.seen("eth_getLogs") > 0);
    assert_eq!(follower.logs, chain.logs().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_providers_are_in_no_error() {
    let chain = Chain::new().await;
    let proxy = Proxy::before(&chain.anvil.url).await;
    let faults: [fn() -> Fault; 5] = [
        || Fault::Status(401, "{\"message\": \"the key 0123456789abcdef-key is unknown\"}"),
        || Fault::Error(-32000, "invalid project id: 0123456789abcdef-key"),
        || Fault::Status(429, "http://127.0.0.1/v3/0123456789abcdef-key is limited"),
        || Fault::Silence,
        || Fault::Huge(2 << 20),
    ];
    for fault in faults {
        proxy.does(|_| Fault::None);
        let mut config = config(&[&proxy.url]);
        if matches!(fault(), Fault::Silence) {
            config.timeout = Duration::from_secs(3);
        }
        // On a busy machine the node may be as slow as that itself.
        let mut client = Client::open(&config).await;
        for _ in 0..20 {
            if client.is_err() {
                client = Client::open(&config).await;
            }
        }
        let client = client.expect("client");
        proxy.does(move |_| fault());
        let error = client.head().await.expect_err("a fault");
        let shown = format!("{error} {error:?} {client:?} {config:?} {:?}", client.health());
        assert!(!shown.contains(KEY), "{shown}");
        assert!(shown.contains("http://127.0.0.1:"), "{shown}");
    }
    proxy.does(|_| Fault::Status(401, "no"));
    let error = Client::open(&config(&[&proxy.url])).await.expect_err("refused");
    assert!(!format!("{error} {error:?}").contains(KEY), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_end_is_cut_off() {
    let chain = Chain::new().await;
    let proxy = Proxy::before(&chain.anvil.url).await;
    let client = Client::open(&config(&[&proxy.url])).await.expect("client");
    proxy.does(|_| Fault::Huge(4 << 20));
    let error = client.head().await.expect_err("too large").to_string();
    assert!(error.contains("the answer has more than 1048576 bytes"), "{error}");
}
