//! `zugzwang deploy world|oracle|market|guard`: puts the contracts of the other apps on a chain, and prints the configuration for
//! `run`.

use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Subcommand};
use serde::Serialize;

use super::{CliError, Output};
use crate::{
    apps::{guard, market, oracle, world},
    chain::{
        Client, Wallet, signer,
        types::{Address, B256, U256},
        wallet::Receipt,
    },
    config::{Config, ModelConfig, RawConfig},
    out,
    prover::{self, verifier},
};

#[derive(Clone, Debug, Subcommand)]
pub(super) enum App {
    /// An arena in which anybody plays against the NPC, with a game, by the model of the configuration.
    World(WorldArgs),
    /// The general oracle, with models registered.
    Oracle(OracleArgs),
    /// Parimutuel markets, an oracle of Conditional Tokens if there is one to serve, and a board for bulletins.
    Market(MarketArgs),
    /// A guarded vault.
    Guard(GuardArgs),
}

#[derive(Clone, Debug, ClapArgs)]
pub(super) struct WorldArgs {
    /// An arena that is there already.
    #[arg(long)]
    contract: Option<Address>,
    /// Whether the World plays Black.
    #[arg(long)]
    black: bool,
    /// Seconds in which votes are taken for each move of the World.
    #[arg(long, default_value_t = 3600, value_parser = clap::value_parser!(u64).range(1..4_194_304))]
    window: u64,
    /// Seconds for each move of the NPC.
    #[arg(long, default_value_t = 86_400, value_parser = clap::value_parser!(u64).range(1..4_194_304))]
    move_time: u64,
    /// The least that a vote must bring, in wei.
    #[arg(long, default_value = "1000000000000000")]
    least_stake: U256,
    /// What the World can win, in wei; is sent along.
    #[arg(long, default_value = "0")]
    pot: U256,
}

#[derive(Clone, Debug, ClapArgs)]
pub(super) struct OracleArgs {
    /// An oracle that is there already.
    #[arg(long)]
    contract: Option<Address>,
    /// The folder of a model to register; may be given more than once.
    #[arg(long, required = true)]
    model: Vec<PathBuf>,
}

#[derive(Clone, Debug, ClapArgs)]
pub(super) struct MarketArgs {
    /// The text model's folder.
    #[arg(long, default_value = "models/football")]
    model: PathBuf,
    /// Address of Gnosis' ConditionalTokens on this chain.
    #[arg(long)]
    conditional_tokens: Option<Address>,
}

#[derive(Clone, Debug, ClapArgs)]
pub(super) struct GuardArgs {
    /// The folder of the model that scores accounts, public or private.
    #[arg(long, default_value = "models/fraud")]
    model: PathBuf,
    /// The token that the vault keeps; 18 decimals, as the model's units ask for.
    #[arg(long)]
    asset: Address,
    /// Who may end a pause; nobody if not given.
    #[arg(long)]
    governance: Option<Address>,
    /// Seconds that a flagged withdrawal waits at most.
    #[arg(long, default_value_t = 86_400)]
    delay: u32,
    /// Seconds that a pause lasts.
    #[arg(long, default_value_t = 2 * 86_400)]
    pause: u32,
    /// Seconds after a pause in which no other begins.
    #[arg(long, default_value_t = 86_400)]
    grace: u32,
    /// Seconds in which the limiter's full bucket leaks empty.
    #[arg(long, default_value_t = 86_400)]
    window: u32,
    /// A withdrawal of more than this share of all assets is flagged, in 1/10,000.
    #[arg(long, default_value_t = 500)]
    single_bps: u16,
    /// So is one that doesn't fit into a bucket of this share.
    #[arg(long, default_value_t = 1500)]
    window_bps: u16,
    #[command(flatten)]
    thresholds: super::thresholds::ThresholdArgs,
}

#[derive(Serialize)]
struct Deployed {
    contracts: Vec<(&'static str, String)>,
    /// Each verifier with its model's id, and its number at the oracle if it is registered there.
    verifiers: Vec<Verifier>,
    /// The game that was opened, of an arena in which the World plays.
    #[serde(skip_serializing_if = "Option::is_none")]
    game: Option<String>,
    start_block: u64,
    gas: u64,
    /// For the configuration file.
    config: String,
}

#[derive(Serialize)]
struct Verifier {
    model: String,
    model_id: String,
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<String>,
}

/// What has been deployed so far.
struct Site {
    wallet: Wallet,
    config: Config,
    contracts: Vec<(&'static str, String)>,
    verifiers: Vec<Verifier>,
    game: Option<U256>,
    start_block: Option<u64>,
    gas: u64,
}

impl Site {
    async fn new(mut raw: RawConfig) -> Result<Self, CliError> {
        // No contract is needed yet: this command is what makes them.
        raw.chess.arena = format!("0x{:040x}", 1);
        let config = Config::from_raw(raw)?;
        let key = signer::open(&config.keys[0], config.chain.chain_id).await?;
        let client = Client::open(&config.chain).await?;
        let wallet = Wallet::new(client.clone(), key, config.submit.clone());
        if client.balance(wallet.address()).await?.is_zero() {
            let (account, chain) = (wallet.address(), client.chain_id());
            return Err(CliError::failed(format!(
                "account {account} has no money on chain {chain}: send it some for gas"
            )));
        }
        Ok(Self { wallet, config, contracts: vec![], verifiers: vec![], game: None, start_block: None, gas: 0 })
    }

    fn note(&mut self, receipt: &Receipt) {
        self.gas = self.gas.saturating_add(receipt.mined.gas_used);
        self.start_block.get_or_insert(receipt.mined.block.number);
    }

    async fn deploy(&mut self, name: &'static str, code: crate::chain::types::Bytes) -> Result<Address, CliError> {
        let receipt = self.wallet.deploy(name, code).await?;
        self.note(&receipt);
        self.contracts.push((name, receipt.contract.to_string()));
        Ok(receipt.contract)
    }

    /// The verifier of a model; its address and the model's id.
    async fn verifier(&mut self, folder: &Path) -> Result<(Address, B256), CliError> {
        let common = ModelConfig { dir: folder.to_owned(), shape: String::new(), ..self.config.model.clone() };
        self.verifier_of(&common).await
    }

    /// The same, of a model with a shape.
    async fn verifier_of(&mut self, model: &ModelConfig) -> Result<(Address, B256), CliError> {
        let folder = &model.dir;
        let prover = prover::load(model, &|step| out::note(step))?;
        let code = verifier::get(folder, prover.as_ref()).await?;
        let receipt = self.wallet.deploy("the verifier", code.bytecode).await?;
        self.note(&receipt);
        let model_id = B256::from(prover.model_id());
        self.verifiers.push(Verifier {
            model: folder.display().to_string(),
            model_id: model_id.to_string(),
            address: receipt.contract.to_string(),
            number: None,
        });
        Ok((receipt.contract, model_id))
    }

    fn done(self, section: String, output: Output) -> Result<(), CliError> {
        let start_block = self.start_block.unwrap_or_default();
        // What was said to a contract that was there before is older than all that was deployed now.
        let chain = match self.contracts.is_empty() {
            true => String::new(),
            false => format!("\n[chain]\nstart_block = {start_block}"),
        };
        let deployed = Deployed {
            config: format!("{section}{chain}"),
            contracts: self.contracts,
            verifiers: self.verifiers,
            game: self.game.map(|game| game.to_string()),
            start_block,
            gas: self.gas,
        };
        output.print(&deployed, || {
            let mut text = String::new();
            for v in &deployed.verifiers {
                let number = v.number.as_ref().map(|n| format!(", model {n} of the oracle")).unwrap_or_default();
                text.push_str(&format!("verifier {} of {} ({}{number})\n", v.address, v.model, v.model_id));
            }
            for (name, address) in &deployed.contracts {
                text.push_str(&format!("{name} {address}\n"));
            }
            if let Some(game) = &deployed.game {
                text.push_str(&format!("game {game}\n"));
            }
            text.push_str(&format!("{} gas\n\n{}", deployed.gas, deployed.config));
            text
        })
    }
}

/// Folders as a TOML list.
fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let quoted: Vec<String> = items.into_iter().map(|item| format!("{:?}", item.to_string())).collect();
    format!("[{}]", quoted.join(", "))
}

pub(super) async fn run(app: App, raw: RawConfig, output: Output) -> Result<(), CliError> {
    // Before anything is paid for.
    if let App::Guard(args) = &app {
        args.thresholds.of(&args.model)?;
    }
    let mut site = Site::new(raw).await?;
    match app {
        App::World(args) => {
            let model = site.config.model.clone();
            let (verifier, model_id) = site.verifier_of(&model).await?;
            let contract = match args.contract {
                Some(contract) => contract,
                None => site.deploy("world", world::creation_code()).await?,
            };
            let terms = world::Terms {
                verifier,
                model_id,
                world_is_white: !args.black,
                window: args.window,
                move_time: args.move_time,
                least_stake: args.least_stake,
            };
            let wallet = site.wallet.clone().speaking(world::words);
            let (game, receipt) = wallet.open_world(contract, &terms, args.pot).await?;
            site.note(&receipt);
            site.game = Some(game);
            let dir = model.dir.display().to_string();
            site.done(format!("[world]\ncontract = \"{contract}\"\n\n[model]\ndir = {dir:?}\n"), output)
        }
        App::Oracle(args) => {
            let contract = match args.contract {
                Some(contract) => contract,
                None => site.deploy("oracle", oracle::creation_code()).await?,
            };
            for folder in &args.model {
                let [inputs, outputs] = prover::schema(folder)?;
                let (verifier, model_id) = site.verifier(folder).await?;
                let schema = (inputs, outputs);
                let (number, receipt) = site.wallet.register_model(contract, verifier, model_id, &schema).await?;
                site.note(&receipt);
                if let Some(last) = site.verifiers.last_mut() {
                    last.number = Some(number.to_string());
                }
            }
            let models = list(args.model.iter().map(|folder| folder.display()));
            let numbers: Vec<String> = site.verifiers.iter().filter_map(|v| v.number.clone()).collect();
            let registered = numbers.join(", ");
            site.done(
                format!("[oracle]\ncontract = \"{contract}\"\nmodels = {models}\nregistered = [{registered}]\n"),
                output,
            )
        }
        App::Market(args) => {
            site.verifier(&args.model).await?;
            let mut contracts = vec![site.deploy("markets", market::creation_code()).await?];
            if let Some(tokens) = args.conditional_tokens {
                contracts.push(site.deploy("adapter", market::adapter_code(tokens)).await?);
            }
            let board = site.deploy("board", market::board_code()).await?;
            let models = list([args.model.display()]);
            let contracts = list(contracts);
            site.done(
                format!(
                    "[market]\ncontracts = {contracts}\nboard = \"{board}\"\nmodels = {models}\n# one [[market.feeds]] for each publisher: publisher, feed, and http, sse or dir\n"
                ),
                output,
            )
        }
        App::Guard(args) => {
            let thresholds = args.thresholds.of(&args.model)?;
            let (verifier, model_id) = site.verifier(&args.model).await?;
            let terms = guard::Terms {
                verifier,
                model_id,
                governance: args.governance.unwrap_or(Address::ZERO),
                delay: args.delay,
                pause: args.pause,
                grace: args.grace,
                window: args.window,
                single_bps: args.single_bps,
                window_bps: args.window_bps,
                release_below: thresholds.release_below,
                pause_at: thresholds.pause_at,
            };
            let vault = site.deploy("vault", guard::vault_code(args.asset, &terms)).await?;
            let (contracts, models) = (list([vault]), list([args.model.display()]));
            site.done(format!("[guard]\ncontracts = {contracts}\nmodels = {models}\n"), output)
        }
    }
}
