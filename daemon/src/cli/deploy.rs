//! `zugzwang deploy`: puts a model on a chain.

use clap::Args as ClapArgs;
use serde::Serialize;

use super::{CliError, Output, deploy_apps};
use crate::{
    apps::chess::Terms,
    chain::{
        Client, Wallet, bytecode, signer,
        types::{B256, U256},
    },
    config::{Config, RawConfig},
    out,
    prover::{self, verifier},
};

/// Uses chain.rpc, chain.chain_id, key.*, model.* and submit.* of the configuration.
#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    /// Another app than chess.
    #[command(subcommand)]
    app: Option<deploy_apps::App>,
    /// Stake of each side, in wei; deposit the host's side in the arena first.
    #[arg(long, default_value = "0")]
    stake: U256,
    /// Seconds for each move.
    #[arg(long, default_value_t = 86_400)]
    move_time: u64,
    /// Games that may run at a time.
    #[arg(long, default_value_t = 16)]
    max_games: u64,
}

#[derive(Serialize)]
struct Deployed {
    arena: String,
    verifier: String,
    model_id: String,
    offer: String,
    host: String,
    start_block: u64,
    gas: u64,
}

pub(super) async fn run(args: Args, mut raw: RawConfig, output: Output) -> Result<(), CliError> {
    if let Some(app) = args.app {
        return deploy_apps::run(app, raw, output).await;
    }
    let known = !raw.chess.arena.is_empty();
    if !known {
        // Not needed yet: this command is what makes it.
        raw.chess.arena = format!("0x{:040x}", 1);
    }
    let config = Config::from_raw(raw)?;
    let configured = config.chess.as_ref().map(|chess| chess.arena).filter(|_| known);
    let key = signer::open(&config.keys[0], config.chain.chain_id).await?;
    let client = Client::open(&config.chain).await?;
    let wallet = Wallet::new(client.clone(), key, config.submit.clone());
    if client.balance(wallet.address()).await?.is_zero() {
        return Err(CliError::failed(format!(
            "account {} has no money on chain {}: send it some for gas",
            wallet.address(),
            client.chain_id()
        )));
    }
    let prover = prover::load(&config.model, &|step| out::note(step))?;
    let code = verifier::get(&config.model.dir, prover.as_ref()).await?;

    let made = wallet.deploy("the verifier's deployment", code.bytecode).await?;
    let (arena, arena_gas, start_block) = match configured {
        Some(arena) => (arena, 0, config.chain.start_block),
        None => {
            let arena = wallet.deploy("the arena's deployment", bytecode::arena()).await?;
            (arena.contract, arena.mined.gas_used, arena.mined.block.number)
        }
    };
    let terms = Terms {
        verifier: made.contract,
        model_id: prover.model_id().into(),
        stake: args.stake,
        move_time: args.move_time,
        max_games: args.max_games,
    };
    let (offer, opened) = wallet.open_offer(arena, &terms).await?;
    let deployed = Deployed {
        arena: arena.to_string(),
        verifier: made.contract.to_string(),
        model_id: B256::from(prover.model_id()).to_string(),
        offer: offer.to_string(),
        host: wallet.address().to_string(),
        start_block,
        gas: made.mined.gas_used.saturating_add(arena_gas).saturating_add(opened.mined.gas_used),
    };
    output.print(&deployed, || {
        format!(
            "verifier {}\nmodel    {}\noffer    {}\n\n[chess]\narena = \"{}\"\n\n[chain]\nstart_block = {}",
            deployed.verifier, deployed.model_id, deployed.offer, deployed.arena, deployed.start_block
        )
    })
}
