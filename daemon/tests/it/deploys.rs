//! From nothing to a daemon of several apps with the binary alone, as an operator does it.

use std::time::Duration;

use alloy::sol_types::SolCall;
use serde_json::Value;
use zugzwang::{
    apps::guard::{self, coin_code},
    chain::{
        Client, Key, Wallet,
        types::{Address, B256, U256, random},
    },
    demo::anvil::Anvil,
    feed::{Bulletin, Text, file},
    files,
    store::{State, Store},
};
use zugzwang_contracts::InferenceOracle;

use crate::{
    process::{json, run, zugzwang},
    stage::prices,
};

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} in {value}"))
}

fn contract(deployed: &Value, name: &str) -> Address {
    let contracts = deployed["contracts"].as_array().expect("contracts");
    let found = contracts.iter().find(|entry| entry[0] == name).unwrap_or_else(|| panic!("{name} in {deployed}"));
    found[1].as_str().expect("an address").parse().expect("an address")
}

#[test]
fn a_guard_of_another_model_is_not_deployed_without_its_thresholds() {
    let dir = tempfile::tempdir().expect("folder");
    let config = dir.path().join("none.toml");
    std::fs::write(&config, "").expect("write");
    let asset = Address::repeat_byte(1).to_string();
    let mut output = zugzwang(&config, &["deploy", "guard", "--model", "models/weather", "--asset", &asset]);
    let output = output.args(["--release-below", "5"]).output().expect("the binary");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("--release-below and --pause-at"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_daemon_serves_an_oracle_a_market_and_a_guard() {
    let chain = Anvil::start(None, &[]).await.expect("anvil");
    let client = Client::connect(&chain.url, Duration::from_secs(10)).await.expect("client");
    let dir = tempfile::tempdir().expect("folder");
    let path = |name: &str| dir.path().join(name).display().to_string();
    files::new_secret(&dir.path().join("password"), "secret\n").expect("write");
    std::fs::create_dir(dir.path().join("bulletins")).expect("folder");
    let base = format!(
        "[key]\nkeystore = {:?}\npassword_file = {:?}\n[store]\npath = {:?}\n[model]\ncache = {:?}\n",
        path("key.json"),
        path("password"),
        path("z.db"),
        path("cache")
    );
    let config = dir.path().join("zugzwang.toml");
    let write = |text: String| std::fs::write(&config, text).expect("write");
    let node = format!("[chain]\nrpc = {:?}\n", chain.url);
    write(format!("{base}{node}"));
    let operator = json(&config, &["key", "new"])["address"].as_str().expect("address").to_owned();
    let user = Wallet::new(client.clone(), Key::from_bytes(random()).expect("key"), prices()).speaking(guard::words);
    for account in [operator.clone(), user.address().to_string()] {
        client.raw("anvil_setBalance", serde_json::json!([account, U256::from(u128::MAX)])).await.expect("balance");
    }
    let token = user.deploy("token", coin_code()).await.expect("token").contract;

    let oracle = json(&config, &["deploy", "oracle", "--model", "models/weather"]);
    let market = json(&config, &["deploy", "market", "--model", "models/weather"]);
    // Every flagged withdrawal is released: the score is below any threshold.
    let vault = json(
        &config,
        &["deploy", "guard", "--asset", &token.to_string(), "--release-below", "4000", "--pause-at", "4000"],
    );
    let publisher = Key::from_bytes(B256::repeat_byte(0x77)).expect("key");
    let sections = [&oracle, &market, &vault].map(|deployed| {
        let section = text(deployed, "config");
        section.split("\n[chain]").next().expect("a section").to_owned()
    });
    let feeds = format!(
        "\n[[market.feeds]]\npublisher = \"{}\"\nfeed = \"weather\"\ndir = [{:?}]\npoll_ms = 100\n",
        publisher.address(),
        path("bulletins")
    );
    let fast = "confirmations = 0\nfinality = 2\npoll_ms = 50\n";
    write(format!("{base}{node}{fast}{}{feeds}", sections.join("\n")));
    let checked = json(&config, &["check"]);
    assert_eq!(checked["contracts"].as_array().map(Vec::len), Some(4), "{checked}");
    let mut daemon = run(&config);

    // Each app is asked once.
    let now = client.head().await.expect("head").timestamp;
    let verifier = &market["verifiers"][0];
    let terms = zugzwang::apps::market::Terms {
        publisher: publisher.address(),
        feed_id: zugzwang::feed::feed_id("weather").expect("id"),
        sequence: 9,
        close: now + 60,
        deadline: now + 3600,
        verifier: text(verifier, "address").parse().expect("address"),
        model_id: text(verifier, "model_id").parse().expect("id"),
        min_margin: 0,
        classes: 2,
        no_result: 255,
        question: "Is it wet?".into(),
    };
    user.open_market(contract(&market, "markets"), &terms).await.expect("market");
    let words = Text::new(b"Seattle, 3 May: rain all day, 12.5 mm in the gauge, high 14, low 8.").expect("text");
    let bulletin = Bulletin::sign(&publisher, terms.feed_id, 9, terms.close, words).expect("signed");
    file::write_new(&bulletin, &dir.path().join("bulletins")).expect("a file");
    client.raw("evm_increaseTime", serde_json::json!([61])).await.expect("time");
    client.raw("evm_mine", serde_json::json!([])).await.expect("a block");
    let oracle = contract(&oracle, "oracle");
    // More than the gas of the answer.
    let bounty = U256::from(10u64).pow(U256::from(16u64));
    let (request, _) =
        user.ask_model(oracle, U256::from(1), vec![U256::from(65); 8], u64::MAX, bounty).await.expect("request");
    let vault = contract(&vault, "vault");
    let coins = |n: u64| U256::from(n) * U256::from(10u64).pow(U256::from(18u64));
    user.wrap(token, vault, coins(100)).await.expect("tokens");
    user.put_in(vault, coins(100)).await.expect("deposit");
    let (incident, _) = user.take_out(vault, coins(50), user.address()).await.expect("withdrawal");

    // The daemon's own account tells when all three answers are in blocks: it sends nothing else.
    let operator: Address = operator.parse().expect("address");
    // Verifier, oracle and registration; verifier, markets and board; verifier and vault.
    let before = 3 + 3 + 2;
    let mut patience = 1200;
    while client.nonce(operator).await.expect("nonce") < before + 3 {
        patience -= 1;
        assert!(patience > 0, "not all are answered");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    user.claim_incident(vault, incident.expect("flagged")).await.expect("released");
    let hash = InferenceOracle::outputHashOfCall { id: request }.abi_encode();
    let hash = client.call(None, oracle, hash.into(), None).await.expect("hash");
    assert!(hash.iter().any(|byte| *byte != 0), "the request has an answer");
    client.raw("anvil_mine", serde_json::json!([4])).await.expect("blocks");
    tokio::time::sleep(Duration::from_millis(800)).await;
    daemon.kill().expect("kill");
    daemon.wait().expect("wait");
    let store = Store::open(&dir.path().join("z.db")).await.expect("store");
    let jobs = store.jobs().await.expect("jobs");
    store.close().await;
    assert!(jobs.len() == 3 && jobs.iter().all(|job| matches!(job.state, State::Included | State::Final)), "{jobs:?}");
}
