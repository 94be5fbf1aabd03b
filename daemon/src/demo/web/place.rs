//! The contracts of the demo, the accounts that live with them, and the daemon's configuration for all of it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use tokio::sync::watch;

use super::{
    super::{DemoError, file_error, guard::SINGLE_BPS, guard::vault::Vault, screen::Screen, stand::Stand},
    Loaded, Model, Options, Ready,
    bettors::Bets,
    house::CONFIG,
    now_s,
    savers::{Cast, Savers},
    voters::World,
};
use crate::{
    apps::{chess, guard, market, world},
    chain::{
        Key, bytecode,
        types::{Address, U256, keccak256, random},
    },
    config::{Config, raw::RawFeed},
    feed::publisher::{Publisher, PublisherConfig},
    files,
};

/// The offers of each model that plays: stake in thousandths of a coin, and seconds for each move.
const OFFERS: [(u64, u64); 2] = [(0, 24 * 3600), (100, 600)];
/// Games that may run on one offer at a time.
const GAMES: u64 = 1000;
/// Stakes of each offer that the host can lose.
const BANKROLL: u64 = 100;
/// The name of the feed.
const FEED: &str = "football results";
/// Connections that the pages may take: each visitor holds a few for what it follows.
const CONNECTIONS: u64 = 2000;
/// Requests per second of this machine's visitors together.
const RATE: u64 = 5000;
/// Blocks of 2 s under which an answer is final.
const FINALITY: u64 = 3;

/// What is deployed, and who lives there.
#[derive(Debug)]
pub(super) struct Place {
    listen: SocketAddr,
    /// What the operator's requests must bear. It outlives the daemon's process.
    token: String,
    arena: Address,
    pub(super) bets: Bets,
    pub(super) savers: Savers,
    pub(super) world: World,
    // The publisher ends when it is dropped.
    _publishing: watch::Sender<bool>,
}

impl Place {
    /// Deploys the contracts, lets the accounts of the vault have their past, and writes the daemon's configuration.
    pub(super) async fn set(
        stand: &Stand,
        screen: &Screen,
        options: &Options,
        models: &Loaded,
        listen: SocketAddr,
        cast: Cast,
    ) -> Result<Self, DemoError> {
        let governance = stand.account(guard::words).await?;
        let (fraud, verifier) = (&models.fraud.prover, models.fraud.verifier.clone());
        let vault =
            Vault::set(stand, screen, fraud.model_id(), verifier, options.thresholds, SINGLE_BPS, &governance).await?;
        let savers = Savers::settle(stand, vault, cast).await?;
        stand.wait_until(now_s()).await?;

        let arena = stand.operator.deploy("the arena's deployment", bytecode::arena()).await?.contract;
        let worlds = stand.operator.deploy("the World arena's deployment", world::creation_code()).await?.contract;
        let mut verifiers = Vec::with_capacity(models.chess.len());
        for model in &models.chess {
            verifiers.push((open_offers(stand, arena, model).await?, model.prover.model_id().into()));
        }
        let (verifier, model_id) = verifiers.first().copied().unwrap_or_default();
        let sponsor = stand.account(world::words).await?;
        let world = World { arena: worlds, verifier, model_id, sponsor };
        let reader = deployed(stand, &models.text).await?;
        let contract = stand.operator.deploy("the market's deployment", market::creation_code()).await?.contract;
        let folder = stand.dir.join("bulletins");
        std::fs::create_dir_all(&folder).map_err(file_error(&folder))?;
        let bets = Bets {
            contract,
            verifier: reader,
            model_id: models.text.prover.model_id().into(),
            min_margin: options.min_margin,
            fixtures: options.fixtures.clone(),
            publisher: Key::from_bytes(random())?,
            feed_id: keccak256(FEED),
            folder,
        };
        let publisher = Publisher::bind(PublisherConfig {
            dir: bets.folder.clone(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            publisher: Some(bets.publisher.address()),
            feed_id: Some(bets.feed_id),
            every: Duration::from_millis(200),
        })
        .await?;
        let source = format!("http://{}/bulletins", publisher.address());
        let (publishing, stopped) = watch::channel(false);
        tokio::spawn(publisher.run(stopped));

        let place = Self { listen, token: random().to_string(), arena, bets, savers, world, _publishing: publishing };
        place.configure(stand, options, models, source)?;
        Ok(place)
    }

    /// Writes the daemon's file, after making sure that the daemon will take it.
    fn configure(&self, stand: &Stand, options: &Options, models: &Loaded, source: String) -> Result<(), DemoError> {
        let folder = |model: &Model| Ok::<_, DemoError>(absolute(&model.dir)?.display().to_string());
        let mut raw = stand.config();
        raw.chain.finality = FINALITY;
        raw.chess.arena = self.arena.to_string();
        raw.chess.models = models.chess.iter().map(folder).collect::<Result<_, _>>()?;
        raw.world.contract = self.world.arena.to_string();
        raw.world.host = self.world.sponsor.address().to_string();
        raw.model.dir = match models.chess.first() {
            Some(model) => folder(model)?,
            None => raw.model.dir,
        };
        raw.market.contracts = vec![self.bets.contract.to_string()];
        raw.market.models = vec![folder(&models.text)?];
        raw.market.feeds = vec![RawFeed {
            publisher: self.bets.publisher.address().to_string(),
            feed: self.bets.feed_id.to_string(),
            http: vec![source],
            sse: vec![],
            dir: vec![],
            poll_ms: 500,
        }];
        raw.guard.contracts = vec![self.savers.vault().to_string()];
        raw.guard.models = vec![folder(&models.fraud)?];
        raw.model.cache = absolute(&options.cache)?.display().to_string();
        raw.http.listen = self.listen.to_string();
        raw.http.connections = CONNECTIONS;
        raw.web.public = true;
        raw.web.demo = true;
        raw.web.rpc_url = stand.chain.url.clone();
        // All visitors come from this machine.
        (raw.web.rate, raw.web.burst) = (RATE, RATE);
        (raw.web.streams, raw.web.streams_per_client) = (CONNECTIONS, CONNECTIONS);
        let token = stand.dir.join("token");
        files::new_secret(&token, &format!("{}\n", self.token)).map_err(file_error(&token))?;
        raw.http.token_file = token.display().to_string();
        let file = stand.dir.join(CONFIG);
        let text = toml::to_string_pretty(&raw).unwrap_or_default();
        Config::from_raw(raw)?;
        std::fs::write(&file, text).map_err(file_error(&file))
    }

    pub(super) fn ready(&self, stand: &Stand, daemon: u32) -> Ready {
        let address = format!("http://{}/", self.listen);
        Ready {
            console: format!("{address}console#token={}", self.token),
            address,
            rpc: stand.chain.url.clone(),
            arena: self.arena.to_string(),
            world: self.world.arena.to_string(),
            sponsor: self.world.sponsor.address().to_string(),
            markets: self.bets.contract.to_string(),
            vault: self.savers.vault().to_string(),
            dir: stand.dir.display().to_string(),
            daemon,
        }
    }
}

async fn deployed(stand: &Stand, model: &Model) -> Result<Address, DemoError> {
    Ok(stand.operator.deploy("the verifier's deployment", model.verifier.clone()).await?.contract)
}

/// Opens offers to play against a model; gives its verifier.
async fn open_offers(stand: &Stand, arena: Address, model: &Model) -> Result<Address, DemoError> {
    let verifier = deployed(stand, model).await?;
    let model_id = model.prover.model_id().into();
    for (thousandths, move_time) in OFFERS {
        let stake = U256::from(thousandths) * U256::from(10u64).pow(U256::from(15u64));
        if !stake.is_zero() {
            stand.operator.deposit_bankroll(arena, stake * U256::from(BANKROLL)).await?;
        }
        let terms = chess::Terms { verifier, model_id, stake, move_time, max_games: GAMES };
        stand.operator.open_offer(arena, &terms).await?;
    }
    Ok(verifier)
}

fn absolute(path: &Path) -> Result<std::path::PathBuf, DemoError> {
    std::path::absolute(path).map_err(file_error(path))
}
