//! `zugzwang job` and `zugzwang tx`: what the daemon works on, and what a person may change of it.

use clap::Subcommand;
use serde_json::json;

use super::{
    CliError, Output,
    reach::{Reach, ago, lines, look, reach, table},
};
use crate::{
    config::Config,
    http::views::{self, JobDetail, JobView, TxView},
    service::{self, OrderDone, OrderError},
    store::{State, Which},
};

#[derive(Debug, Subcommand)]
pub(super) enum JobCommand {
    /// List jobs: those that are open or need a person, or all.
    List(ListArgs),
    /// Show a job with its transactions.
    Show {
        /// Its number.
        job: i64,
    },
    /// Have a job worked on again that failed, or ended without our answer.
    Retry {
        /// Its number.
        job: i64,
    },
    /// Give a job up. A transaction that is under way is cancelled.
    Drop {
        /// Its number.
        job: i64,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// Also those that are at an end.
    #[arg(long)]
    all: bool,
    /// Only those of a state: seen, proving, proved, submitted, included, final, forfeited, moot or failed.
    #[arg(long, conflicts_with = "all")]
    state: Option<String>,
    /// Most rows, newest first.
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

#[derive(Debug, Subcommand)]
pub(super) enum TxCommand {
    /// List transactions: those that aren't at an end, or all.
    List {
        /// Also those that are at an end.
        #[arg(long)]
        all: bool,
        /// Most rows, newest first.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Replace a transaction now by a version that pays more, within the caps.
    Bump {
        /// Its number.
        tx: i64,
    },
    /// Give a transaction up, and with it the job that it answers: its nonce is used by a payment of nothing to ourselves.
    Cancel {
        /// Its number.
        tx: i64,
    },
}

/// Jobs.
pub(super) async fn job(command: JobCommand, config: Config, output: Output) -> Result<(), CliError> {
    let chain = config.chain.chain_id;
    let looks = matches!(command, JobCommand::List(_) | JobCommand::Show { .. });
    let reach = if looks { look(&config).await? } else { reach(&config).await? };
    match command {
        JobCommand::List(args) => {
            let state: Option<State> = match &args.state {
                Some(text) => Some(text.parse().map_err(|_| {
                    CliError::config(format!("--state {text}: there is none; `zugzwang job list --help` names them"))
                })?),
                None => None,
            };
            let jobs: Vec<JobView> = match reach {
                Reach::Running(client) => {
                    let filter = match state {
                        Some(state) => state.to_string(),
                        None => if args.all { "all" } else { "live" }.to_owned(),
                    };
                    client.list(&format!("jobs?chain={chain}&state={filter}"), args.limit).await?
                }
                Reach::Stopped(store) => {
                    let which = state.map_or(if args.all { Which::All } else { Which::Live }, Which::In);
                    views::jobs(&store, &config, which, args.limit).await?
                }
            };
            output.print(&jobs, || job_table(&jobs))
        }
        JobCommand::Show { job } => {
            let found: JobDetail = match reach {
                Reach::Running(client) => client.get(&format!("jobs/{job}?chain={chain}")).await?,
                Reach::Stopped(store) => views::job(&store, chain, job).await?.ok_or(OrderError::NoJob { job })?,
            };
            output.print(&found, || {
                let mut text = job_table(std::slice::from_ref(&found.job));
                text.push_str(&format!("\ncontract {}, asked in block {}", found.job.contract, found.job.block));
                if let Some(ms) = found.job.proving_ms {
                    text.push_str(&format!(", proved in {:.1} s", ms as f64 / 1000.0));
                }
                if !found.transactions.is_empty() {
                    text.push_str(&format!("\n{}", tx_table(&found.transactions)));
                }
                text
            })
        }
        JobCommand::Retry { job } => {
            let done = match reach {
                Reach::Running(client) => client.post(&format!("jobs/{job}/retry?chain={chain}"), &json!({})).await?,
                Reach::Stopped(store) => service::retry(&store, chain, job).await?,
            };
            said(&done, output)
        }
        JobCommand::Drop { job } => {
            let done = match reach {
                Reach::Running(client) => client.post(&format!("jobs/{job}/drop?chain={chain}"), &json!({})).await?,
                Reach::Stopped(store) => service::drop_job(&store, chain, job).await?.0,
            };
            said(&done, output)
        }
    }
}

/// Transactions.
pub(super) async fn tx(command: TxCommand, config: Config, output: Output) -> Result<(), CliError> {
    let chain = config.chain.chain_id;
    let looks = matches!(command, TxCommand::List { .. });
    let reach = if looks { look(&config).await? } else { reach(&config).await? };
    match command {
        TxCommand::List { all, limit } => {
            let list: Vec<TxView> = match reach {
                Reach::Running(client) => client.list(&format!("transactions?chain={chain}&all={all}"), limit).await?,
                Reach::Stopped(store) => views::transactions(&store, chain, all, limit).await?,
            };
            output.print(&list, || tx_table(&list))
        }
        TxCommand::Bump { tx } => {
            let done = match reach {
                Reach::Running(client) => {
                    client.post(&format!("transactions/{tx}/bump?chain={chain}"), &json!({})).await?
                }
                Reach::Stopped(store) => service::bump(&store, tx).await?,
            };
            said(&done, output)
        }
        TxCommand::Cancel { tx } => {
            let done = match reach {
                Reach::Running(client) => {
                    client.post(&format!("transactions/{tx}/cancel?chain={chain}"), &json!({})).await?
                }
                Reach::Stopped(store) => service::cancel(&store, chain, tx).await?.0,
            };
            said(&done, output)
        }
    }
}

/// What came of an order.
pub(super) fn said(done: &OrderDone, output: Output) -> Result<(), CliError> {
    output.print(done, || lines(done))
}

fn job_table(jobs: &[JobView]) -> String {
    let row = |job: &JobView| {
        vec![
            job.id.to_string(),
            job.state.clone(),
            job.subject.clone(),
            job.round.to_string(),
            job.attempts.to_string(),
            ago(job.created_at),
            job.note.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = jobs.iter().map(row).collect();
    table(&["job", "state", "subject", "round", "tries", "asked", "why"], &rows)
}

fn tx_table(list: &[TxView]) -> String {
    let row = |tx: &TxView| {
        let gwei = tx.max_fee.as_ref().and_then(|wei| wei.parse::<f64>().ok()).map(|wei| format!("{:.3}", wei / 1e9));
        vec![
            tx.id.to_string(),
            tx.wanted.as_ref().map_or(tx.state.clone(), |wanted| format!("{} ({wanted} wanted)", tx.state)),
            tx.nonce.to_string(),
            tx.versions.to_string(),
            gwei.unwrap_or_default(),
            tx.block.map(|block| block.to_string()).unwrap_or_default(),
            tx.purpose.clone(),
            tx.hash.clone().unwrap_or_default(),
        ]
    };
    let rows: Vec<Vec<String>> = list.iter().map(row).collect();
    table(&["tx", "state", "nonce", "versions", "gwei", "block", "purpose", "hash"], &rows)
}
