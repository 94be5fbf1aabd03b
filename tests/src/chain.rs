//! A local chain that ends with the test.

use std::time::Duration;

use zugzwang::{
    chain::{
        Client, Key, Wallet,
        types::{B256, U256},
    },
    config::SubmitConfig,
    demo::anvil::Anvil,
};

/// Gas that one `eth_call` may use.
const GAS_LIMIT: &str = "1000000000000";

/// anvil on a free loopback port.
#[derive(Debug)]
pub struct Chain {
    /// Calls to it.
    pub client: Client,
    _anvil: Anvil,
}

impl Chain {
    /// Starts one that mines each transaction at once.
    pub async fn start() -> Self {
        let anvil = Anvil::start(None, &["--gas-limit", GAS_LIMIT]).await.expect("anvil");
        let client = Client::connect(&anvil.url, Duration::from_secs(120)).await.expect("client");
        Self { client, _anvil: anvil }
    }

    /// A wallet with more than enough money. The same seed gives the same wallet.
    pub async fn wallet(&self, seed: u8) -> Wallet {
        let key = Key::from_bytes(B256::repeat_byte(seed)).expect("key");
        let funds = serde_json::json!([key.address(), U256::from(u128::MAX)]);
        self.client.raw("anvil_setBalance", funds).await.expect("balance");
        let prices = SubmitConfig {
            max_fee: 1_000_000_000_000,
            max_priority: 1_000_000_000,
            bump_after: Duration::from_secs(60),
            bump_percent: 13,
            gas_margin_percent: 20,
            ..SubmitConfig::default()
        };
        Wallet::new(self.client.clone(), key, prices)
    }
}
