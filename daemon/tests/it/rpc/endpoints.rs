//! Who is asked, and what is believed; in virtual time.

use std::time::Duration;

use alloy::primitives::{Address, B256};
use serde_json::{Value, json};
use zugzwang::chain::{
    ChainError, Client,
    client::Sent,
    rpc::{Condition, Policy},
};

use super::wire::{Net, Say, block};

fn ok(text: &'static str) -> Say {
    Say::Result(json!(text))
}

#[tokio::test]
async fn a_read_goes_on_to_the_next_endpoint() {
    // What the first endpoint says; whether the second one is asked.
    let cases = [
        (ok("0x01"), false),
        (Say::Error(3, "execution reverted: timeout"), false),
        (Say::Error(-32000, "insufficient funds for gas * price + value"), false),
        (Say::Error(-32603, "internal error"), true),
        (Say::Error(-32000, "header not found"), true),
        (Say::Error(-32601, "the method does not exist"), true),
        (Say::Error(-32005, "daily request count exceeded, request rate limited"), true),
        (Say::Status(500, None), true),
        (Say::Status(401, None), true),
        (Say::Status(429, Some(30)), true),
        (Say::TimeOut, true),
        (Say::Broken, true),
        (Say::OtherId, true),
    ];
    for (said, goes_on) in cases {
        let net = Net::new(2, Policy::default());
        let first = said.clone();
        net.wires[0].says(move |_, _| first.clone());
        net.wires[1].says(|_, _| ok("0x02"));
        let heard = net.hear("eth_call", json!([{}, "latest"])).await;
        assert_eq!(net.wires[1].asked().len(), usize::from(goes_on), "{said:?}");
        assert_eq!(heard == "\"0x02\"", goes_on, "{said:?}: {heard}");
    }
}

#[tokio::test]
async fn when_all_fail_each_is_named() {
    let net = Net::new(2, Policy::default());
    net.wires[0].says(|_, _| Say::TimeOut);
    net.wires[1].says(|_, _| Say::Status(503, None));
    let heard = net.hear("eth_call", json!([{}, "latest"])).await;
    let expected = "no answer: https://a.example: no answer within 10000 ms; https://b.example: HTTP 503";
    assert_eq!(heard, expected);
}

#[tokio::test]
async fn alloy_3186_a_send_is_never_raced() {
    // What each endpoint says; how often each is asked, and what comes of it.
    let taken = || ok("0x00");
    let cases = [
        (vec![taken(), taken(), taken()], [1, 0, 0], "0x00"),
        (vec![Say::Broken, taken(), taken()], [1, 1, 0], "0x00"),
        (vec![Say::TimeOut, Say::Error(-32000, "already known"), taken()], [1, 1, 0], "already known"),
        (vec![Say::Error(-32000, "nonce too low"), taken(), taken()], [1, 0, 0], "nonce too low"),
        (vec![Say::Error(-32000, "txpool is full"), Say::Status(502, None), taken()], [1, 1, 1], "0x00"),
        (vec![Say::Status(429, Some(60)), taken(), taken()], [1, 1, 0], "0x00"),
        (vec![Say::Broken, Say::Broken, Say::Broken], [1, 1, 1], "connection reset"),
    ];
    for (said, counts, expected) in cases {
        let net = Net::new(3, Policy { quorum: 2, ..Policy::default() });
        for (wire, said) in net.wires.iter().zip(said.clone()) {
            wire.says(move |_, _| said.clone());
        }
        let heard = net.hear("eth_sendRawTransaction", json!(["0x02"])).await;
        assert!(heard.contains(expected), "{said:?}: {heard}");
        assert_eq!(net.at_a_time(), 1, "{said:?}: two endpoints at once");
        assert_eq!(net.counts("eth_sendRawTransaction"), counts, "{said:?}");
    }
}

#[tokio::test]
async fn what_one_endpoint_took_and_the_next_one_knows_is_sent() {
    let net = Net::new(2, Policy::default());
    let client = Client::over(net.endpoints.clone()).await.expect("client");
    net.wires[0].says(|_, _| Say::TimeOut);
    net.wires[1].says(|_, _| Say::Error(-32000, "already known"));
    assert_eq!(client.send(&[2]).await.expect("sent"), Sent::Taken);
    net.wires[1].says(|_, _| Say::Error(-32000, "nonce too low: next nonce 5, tx nonce 4"));
    assert_eq!(client.send(&[2]).await.expect("read"), Sent::NonceTooLow);
}

#[tokio::test]
async fn an_endpoint_that_is_behind_is_not_asked_for_state() {
    let net = Net::new(2, Policy { max_lag: 5, probe: Duration::from_secs(15), ..Policy::default() });
    // The heads of both, and which one is asked for state then.
    for (heads, asked) in [([100, 103], [1, 0]), ([100, 106], [0, 1]), ([110, 106], [1, 0]), ([110, 200], [0, 1])] {
        for (wire, head) in net.wires.iter().zip(heads) {
            *wire.head.lock().expect("head") = head;
        }
        net.clock.advance(Duration::from_secs(15));
        let head: Value =
            serde_json::from_str(&net.hear("eth_getBlockByNumber", json!(["latest", false])).await).expect("block");
        assert_eq!(head, block(*heads.iter().max().expect("heads"), 1));
        net.counts("");
        net.hear("eth_call", json!([{}, "latest"])).await;
        assert_eq!(net.counts("eth_call"), asked, "{heads:?}");
    }
    let health = net.endpoints.health();
    assert_eq!((health[0].condition, health[0].lag), (Condition::Behind, 90));
}

#[tokio::test]
async fn a_head_that_nobody_can_show_is_not_believed() {
    let net = Net::new(2, Policy::default());
    *net.wires[0].head.lock().expect("head") = 1_000_000;
    net.hear("eth_getBlockByNumber", json!(["latest", false])).await;
    net.wires[1].says(|_, params| Say::Result(if params[0] == "0x65" { block(101, 3) } else { Value::Null }));
    // The liar makes the other one look late, but can't show the block: then the other one is asked after all.
    let heard = net.hear("eth_getBlockByNumber", json!(["0x65", false])).await;
    assert_eq!(serde_json::from_str::<Value>(&heard).expect("block"), block(101, 3));
}

#[tokio::test]
async fn with_a_quorum_nobody_alone_is_believed() {
    let log = |data: &str| {
        let (address, hash) = (Address::repeat_byte(1), B256::repeat_byte(2));
        json!([{"address": address, "blockHash": hash, "blockNumber": "0x5", "logIndex": "0x0", "transactionHash": hash, "topics": [], "data": data}])
    };
    let (right, forged, none) = (log("0x01"), log("0xff"), json!([]));
    // What the three say, and whether that is an answer.
    let cases = [
        (vec![right.clone(), right.clone(), none.clone()], Some(&right)),
        (vec![none.clone(), right.clone(), right.clone()], Some(&right)),
        (vec![forged.clone(), right.clone(), none.clone()], None),
        (vec![none.clone(), none.clone(), forged.clone()], Some(&none)),
    ];
    for (said, expected) in cases {
        let net = Net::new(3, Policy { quorum: 2, ..Policy::default() });
        for (wire, said) in net.wires.iter().zip(said.clone()) {
            wire.says(move |_, _| Say::Result(said.clone()));
        }
        let heard = net.hear("eth_getLogs", json!([{"fromBlock": "0x1", "toBlock": "0x9"}])).await;
        match expected {
            Some(logs) => assert_eq!(&serde_json::from_str::<Value>(&heard).expect("logs"), logs),
            None => assert!(heard.contains("2 endpoints must agree, but 3 answers said 3 different things"), "{heard}"),
        }
    }
    // The head is one that two have reached.
    let net = Net::new(3, Policy { quorum: 2, ..Policy::default() });
    *net.wires[0].head.lock().expect("head") = 1_000_000;
    *net.wires[1].head.lock().expect("head") = 101;
    let heard = net.hear("eth_getBlockByNumber", json!(["latest", false])).await;
    assert_eq!(serde_json::from_str::<Value>(&heard).expect("block"), block(101, 1));
}

#[tokio::test]
async fn a_range_that_one_refuses_is_refused_and_not_voted_on() {
    let net = Net::new(2, Policy { quorum: 2, ..Policy::default() });
    net.wires[0].says(|_, _| Say::Error(-32005, "query returned more than 10000 results"));
    net.wires[1].says(|_, _| Say::Result(json!([])));
    let heard = net.hear("eth_getLogs", json!([{"fromBlock": "0x1", "toBlock": "0x9"}])).await;
    assert_eq!(heard, "query returned more than 10000 results");
}

#[tokio::test]
async fn an_endpoint_on_another_chain_is_excluded() {
    // What is wrong with the first endpoint, in which place.
    for (chain_id, genesis) in [(8, 9), (7, 10)] {
        let net = Net::new(2, Policy { chain_id: Some(7), ..Policy::default() });
        let client = Client::over(net.endpoints.clone()).await.expect("both are right");
        net.wires[0].says(|_, _| Say::Broken);
        net.wires[1].says(|_, _| ok("0x01"));
        for _ in 0..5 {
            net.hear("eth_call", json!([{}, "latest"])).await;
        }
        // It comes back as another node behind the same address.
        net.wires[0].says(|_, _| ok("0x02"));
        *net.wires[0].chain_id.lock().expect("id") = chain_id;
        *net.wires[0].genesis.lock().expect("genesis") = genesis;
        net.clock.advance(Duration::from_secs(600));
        net.wires[0].asked();
        for _ in 0..3 {
            assert_eq!(net.hear("eth_call", json!([{}, "latest"])).await, "\"0x01\"");
        }
        assert_eq!(net.wires[0].asked(), Vec::<String>::new());
        assert_eq!(client.health()[0].condition, Condition::Excluded);
    }
}

#[tokio::test]
async fn without_an_endpoint_on_the_chain_there_is_no_client() {
    let net = Net::new(1, Policy { chain_id: Some(1), ..Policy::default() });
    let error = Client::over(net.endpoints.clone()).await.expect_err("another chain");
    assert!(matches!(error, ChainError::OtherChain { found: 7, expected: 1, .. }), "{error}");
    assert!(!error.is_passing());
    // The second one has the same id, but begins otherwise than the first one, which is asked first.
    let net = Net::new(2, Policy::default());
    *net.wires[1].genesis.lock().expect("genesis") = 3;
    Client::over(net.endpoints.clone()).await.expect("one is left");
    let excluded = net.endpoints.health().iter().filter(|health| health.condition == Condition::Excluded).count();
    assert_eq!(excluded, 1);
}

#[tokio::test]
async fn a_pause_that_is_asked_for_is_made() {
    let net = Net::new(1, Policy { patience: Duration::from_secs(10), ..Policy::default() });
    net.hear("eth_call", json!([{}, "latest"])).await;
    net.wires[0].says(|_, _| Say::Status(429, Some(7)));
    net.wires[0].asked();
    let before = net.clock.steady();
    let heard = net.hear("eth_call", json!([{}, "latest"])).await;
    assert!(heard.contains("HTTP 429"), "{heard}");
    // Asked, a pause of 7 s, asked again; the next pause would be too long to wait for.
    assert_eq!(net.counts("eth_call"), [2]);
    assert_eq!(net.clock.since(before), Duration::from_secs(7));
    // Until the pause is over it isn't asked at all.
    net.wires[0].says(|_, _| ok("0x01"));
    net.clock.advance(Duration::from_secs(3));
    assert_eq!(net.hear("eth_call", json!([{}, "latest"])).await, "\"0x01\"");
    assert!(net.clock.since(before) >= Duration::from_secs(14));
}

#[tokio::test]
async fn an_endpoint_that_fails_again_and_again_is_left_alone_and_then_tried_once() {
    let net = Net::new(1, Policy { patience: Duration::ZERO, ..Policy::default() });
    net.hear("eth_call", json!([{}, "latest"])).await;
    net.wires[0].says(|_, _| Say::TimeOut);
    net.wires[0].asked();
    for _ in 0..50 {
        net.hear("eth_call", json!([{}, "latest"])).await;
    }
    assert_eq!(net.counts("eth_call"), [5]);
    assert_eq!(net.endpoints.health()[0].condition, Condition::Resting);
    net.clock.advance(Duration::from_millis(500));
    for _ in 0..50 {
        net.hear("eth_call", json!([{}, "latest"])).await;
    }
    assert_eq!(net.counts("eth_call"), [1]);
    net.wires[0].says(|_, _| ok("0x01"));
    net.clock.advance(Duration::from_secs(1));
    for _ in 0..50 {
        assert_eq!(net.hear("eth_call", json!([{}, "latest"])).await, "\"0x01\"");
    }
    assert_eq!(net.endpoints.health()[0].condition, Condition::Well);
}

#[tokio::test]
async fn a_limit_of_requests_is_kept() {
    let net = Net::limited(1, Policy::default(), Some(10));
    net.wires[0].says(|_, _| ok("0x01"));
    let before = net.clock.steady();
    for _ in 0..60 {
        assert_eq!(net.hear("eth_call", json!([{}, "latest"])).await, "\"0x01\"");
    }
    assert!(net.clock.since(before) >= Duration::from_secs(5), "{:?}", net.clock.since(before));
    // With a second endpoint nobody waits: what is too much for the first goes there.
    let net = Net::limited(2, Policy::default(), Some(10));
    let before = net.clock.steady();
    for _ in 0..15 {
        net.hear("eth_call", json!([{}, "latest"])).await;
    }
    assert_eq!(net.clock.since(before), Duration::ZERO);
    assert_eq!(net.counts("eth_call").iter().sum::<usize>(), 15);
}
