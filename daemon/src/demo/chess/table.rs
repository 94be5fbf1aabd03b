//! What a demo is played on: contracts, accounts, and the daemon's configuration for them.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use shakmaty::Color;

use super::{Code, DemoError, Options, screen::Screen};
use crate::{
    apps::chess::{
        self, Terms,
        arena::{self, Arena},
    },
    chain::{
        Client, Key, Wallet,
        types::{Address, B256, U256, random},
    },
    config::{Config, ConfigError, PasswordSource, RawConfig, SubmitConfig},
};

/// The chain with its contracts, and the two sides.
pub(super) struct Table {
    pub(super) config: Config,
    pub(super) npc_key: Key,
    pub(super) human: Wallet,
    pub(super) arena: Arena,
    pub(super) offer: U256,
}

impl Table {
    pub(super) async fn set(
        options: &Options,
        screen: &Screen,
        url: &str,
        dir: PathBuf,
        model_id: [u8; 32],
        code: Code,
    ) -> Result<Self, DemoError> {
        let file = |path: &PathBuf| {
            let path = path.display().to_string();
            move |source| DemoError::File { path, source }
        };
        std::fs::create_dir_all(&dir).map_err(file(&dir))?;
        let password = dir.join("password");
        if !password.exists() {
            crate::files::new_secret(&password, &format!("{}\n", random())).map_err(file(&password))?;
        }
        let password = PasswordSource::File(password);
        let keystore = dir.join("key.json");
        let npc_key =
            if keystore.exists() { Key::open(&keystore, &password)? } else { Key::create(&keystore, &password)? };
        let human_key = Key::from_bytes(random())?;

        let client = Client::connect(url, Duration::from_secs(30)).await?;
        for account in [npc_key.address(), human_key.address()] {
            let thousand = U256::from(1000u64) * U256::from(10u64).pow(U256::from(18u64));
            client.raw("anvil_setBalance", serde_json::json!([account, thousand])).await?;
        }
        let prices = SubmitConfig {
            max_fee: 1_000_000_000_000,
            max_priority: 1_000_000_000,
            bump_after: Duration::from_secs(30),
            bump_percent: 13,
            gas_margin_percent: 20,
        };
        let npc = Wallet::new(client.clone(), npc_key.clone(), prices.clone());
        let human = Wallet::new(client.clone(), human_key, prices).speaking(arena::words);

        let verifier = npc.deploy("the verifier's deployment", code.verifier).await?;
        screen.say(&format!("verifier:    {} ({} gas)", verifier.contract, verifier.mined.gas_used));
        let arena = npc.deploy("the arena's deployment", code.arena).await?;
        screen.say(&format!("arena:       {} ({} gas)", arena.contract, arena.mined.gas_used));
        let terms = Terms {
            verifier: verifier.contract,
            model_id: model_id.into(),
            stake: U256::ZERO,
            move_time: 7 * 24 * 3600,
            max_games: 10,
        };
        let (offer, _) = npc.open_offer(arena.contract, &terms).await?;
        screen.say(&format!("NPC:         {} offers games against model {}", npc_key.address(), B256::from(model_id)));
        screen.say(&format!(
            "human:       {} plays {}",
            human.address(),
            chess::side(if options.black { Color::Black } else { Color::White })
        ));

        let config = daemon_config(url, client.chain_id(), arena.contract, &dir, &password)?;
        let arena = Arena::open(client, arena.contract).await?;
        Ok(Self { config, npc_key, human, arena, offer })
    }
}

/// The daemon's configuration, as a person would write it for this chain.
fn daemon_config(
    url: &str,
    chain_id: u64,
    arena: Address,
    dir: &Path,
    password: &PasswordSource,
) -> Result<Config, ConfigError> {
    let mut raw = RawConfig::default();
    raw.chain.rpc = url.to_owned();
    raw.chain.chain_id = chain_id;
    raw.chess.arena = arena.to_string();
    raw.chain.confirmations = 0;
    raw.chain.finality = 1;
    raw.chain.poll_ms = 100;
    raw.submit.max_fee_gwei = 1000.0;
    raw.key.keystore = dir.join("key.json").display().to_string();
    if let PasswordSource::File(file) = password {
        raw.key.password_file = file.display().to_string();
    }
    raw.store.path = dir.join("zugzwang.db").display().to_string();
    Config::from_raw(raw)
}
