//! New blocks over WebSocket.

use std::time::Duration;

use zugzwang::chain::{hint::Hints, rpc::EndpointUrl};

use super::chain::Chain;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_block_is_hinted_at_and_a_lost_connection_harms_nobody() {
    let chain = Chain::new().await;
    let url = EndpointUrl::parse(&chain.anvil.url.replace("http://", "ws://"), &["ws"]).expect("address");
    let hints = Hints::listen(Some(url));
    let soon = Duration::from_secs(60);
    // That there is a subscription is a hint itself.
    tokio::time::timeout(soon, hints.next()).await.expect("the subscription");
    for _ in 0..3 {
        chain.mine(1).await;
        tokio::time::timeout(soon, hints.next()).await.expect("a new block");
    }
    chain.anvil.stop().await;
    let silent = tokio::time::timeout(Duration::from_millis(300), hints.next()).await;
    assert!(silent.is_err(), "nobody is there to give hints");
}

#[tokio::test]
async fn without_an_address_there_are_no_hints() {
    let hints = Hints::listen(None);
    assert!(tokio::time::timeout(Duration::from_millis(100), hints.next()).await.is_err());
}
