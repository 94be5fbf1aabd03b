//! What every demo stands on: a local chain, accounts with money, and a daemon with a folder of its own.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

use super::{DemoError, Folder, STORE, anvil::Anvil, check_folder, file_error, screen::Screen};
use crate::{
    apps::{self, Ground},
    chain::{
        Client, Key, Wallet,
        contract::Words,
        error::one_line,
        types::{U256, random},
    },
    config::{Config, PasswordSource, RawConfig, SubmitConfig},
    prover::{Models, Pool},
    service::{Notice, Service, ServiceError},
    store::Store,
};

/// A local chain and the daemon's account on it.
#[derive(Debug)]
pub(super) struct Stand {
    pub(super) chain: Anvil,
    pub(super) client: Client,
    /// The daemon's account, for what its operator deploys.
    pub(super) operator: Wallet,
    pub(super) dir: PathBuf,
    key: Key,
    password: PathBuf,
    _temporary: Option<Folder>,
}

/// A running daemon and what it says.
#[derive(Debug)]
pub(super) struct Daemon {
    notices: mpsc::UnboundedReceiver<Notice>,
    task: JoinHandle<Result<(), ServiceError>>,
    // The daemon stops when it is dropped.
    _stop: watch::Sender<bool>,
}

impl Stand {
    /// Runs a demo on a chain that ends with it.
    pub(super) async fn with<T>(
        anvil: Option<&Path>,
        dir: Option<PathBuf>,
        quiet: bool,
        demo: impl AsyncFnOnce(&Self, &Screen) -> Result<T, DemoError>,
    ) -> Result<T, DemoError> {
        let screen = Screen::new(quiet);
        let stand = Self::new(anvil, &[], dir, &screen).await?;
        let shown = demo(&stand, &screen).await;
        stand.chain.stop().await;
        shown
    }

    /// Starts the chain, with more arguments of anvil. Without `dir`, the daemon's files go with the demo.
    pub(super) async fn new(
        anvil: Option<&Path>,
        arguments: &[&str],
        dir: Option<PathBuf>,
        screen: &Screen,
    ) -> Result<Self, DemoError> {
        check_folder(dir.as_deref())?;
        let chain = Anvil::start(anvil, arguments).await?;
        screen.say(&format!("local chain: anvil at {}", chain.url));
        let (dir, temporary) = match dir {
            Some(dir) => (dir, None),
            None => Folder::new().map(|temporary| (temporary.path().to_owned(), Some(temporary)))?,
        };
        std::fs::create_dir_all(&dir).map_err(file_error(&dir))?;
        let password = dir.join("password");
        if !password.exists() {
            crate::files::new_secret(&password, &format!("{}\n", random())).map_err(file_error(&password))?;
        }
        let (keystore, source) = (dir.join("key.json"), PasswordSource::File(password.clone()));
        let key = if keystore.exists() { Key::open(&keystore, &source)? } else { Key::create(&keystore, &source)? };
        let client = Client::connect(&chain.url, Duration::from_secs(30)).await?;
        let operator = rich(&client, key.clone()).await?;
        Ok(Self { chain, client, operator, dir, key, password, _temporary: temporary })
    }

    /// A new account with money, which puts a contract's refusals in these words.
    pub(super) async fn account(&self, words: Words) -> Result<Wallet, DemoError> {
        Ok(rich(&self.client, Key::from_bytes(random())?).await?.speaking(words))
    }

    /// The daemon's configuration for this chain, as a person would write it, without its contracts.
    pub(super) fn config(&self) -> RawConfig {
        let mut raw = RawConfig::default();
        raw.chain.rpc = self.chain.url.clone().into();
        raw.chain.chain_id = self.client.chain_id();
        raw.chain.confirmations = 0;
        raw.chain.finality = 1;
        raw.chain.poll_ms = 100;
        raw.submit.max_fee_gwei = 1000.0;
        raw.key.keystore = self.dir.join("key.json").display().to_string();
        raw.key.password_file = self.password.display().to_string();
        raw.store.path = self.dir.join(STORE).display().to_string();
        raw
    }

    /// Starts the daemon.
    pub(super) async fn run(&self, config: Config, models: Models) -> Result<Daemon, DemoError> {
        let (sender, notices) = mpsc::unbounded_channel();
        let observer = Arc::new(move |notice: &Notice| {
            // The demo may have ended already.
            let _ = sender.send(notice.clone());
        });
        let store = Store::open(&config.store).await?;
        let client = Client::connect_to(&self.chain.url, config.chain.chain_id, config.chain.timeout).await?;
        let workshop = Arc::new(Pool::new(&config.prover, &models)?);
        let ground = Ground {
            client: client.clone(),
            signer: self.key.address(),
            signers: BTreeMap::new(),
            models,
            store: store.clone(),
        };
        let apps = apps::open(&config, &ground).await.map_err(ServiceError::from)?;
        let service = Service::start(config, client, self.key.clone(), apps, store, workshop, observer).await?;
        let (stop, stopped) = watch::channel(false);
        Ok(Daemon { notices, task: tokio::spawn(service.run(stopped)), _stop: stop })
    }

    /// Moves the chain's clock on to a time, in a new block. Does nothing if it is later already.
    pub(super) async fn wait_until(&self, time: u64) -> Result<(), DemoError> {
        let now = self.client.head().await?.timestamp;
        if now < time {
            self.client.raw("evm_setNextBlockTimestamp", serde_json::json!([time])).await?;
            self.client.raw("evm_mine", serde_json::json!([])).await?;
        }
        Ok(())
    }
}

impl Daemon {
    /// What it says next.
    ///
    /// # Errors
    /// Why it has ended, if it has.
    pub(super) async fn heard(&mut self) -> Result<Notice, DemoError> {
        let stopped = |why: String| DemoError::NoAnswer { what: "any more".into(), why };
        tokio::select! {
            biased;
            Some(notice) = self.notices.recv() => Ok(notice),
            ended = &mut self.task => Err(match ended {
                Ok(Ok(())) => stopped("it stopped".into()),
                Ok(Err(error)) => error.into(),
                Err(error) => stopped(one_line(&error.to_string())),
            }),
        }
    }
}

async fn rich(client: &Client, key: Key) -> Result<Wallet, DemoError> {
    let thousand = U256::from(1000u64) * U256::from(10u64).pow(U256::from(18u64));
    client.raw("anvil_setBalance", serde_json::json!([key.address(), thousand])).await?;
    let prices = SubmitConfig {
        max_fee: 1_000_000_000_000,
        max_priority: 1_000_000_000,
        bump_after: Duration::from_secs(30),
        bump_percent: 13,
        gas_margin_percent: 20,
        ..SubmitConfig::default()
    };
    Ok(Wallet::new(client.clone(), key, prices))
}
