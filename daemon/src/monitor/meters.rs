//! Notices and samples as metrics.

use std::time::Duration;

use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::{
    Health,
    table::{TABLE, Type},
};
use crate::{
    chain::types::{Address, U256},
    service::Notice,
    store::Counts,
};

/// Bounds of histograms: seconds of proofs and answers, and depths of reorganisations.
const BUCKETS: [f64; 16] =
    [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0];

/// Sets up the process' one recorder, and gives what renders it.
///
/// # Errors
/// In words, if there is one already.
pub fn install() -> Result<PrometheusHandle, String> {
    let builder = PrometheusBuilder::new().set_buckets(&BUCKETS).map_err(|e| e.to_string())?;
    let handle = builder.install_recorder().map_err(|e| e.to_string())?;
    describe();
    gauge!("zugzwang_service_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(handle)
}

/// Tells the recorder what each metric means.
pub fn describe() {
    for (name, kind, _, meaning) in TABLE {
        match kind {
            Type::Counter => metrics::describe_counter!(*name, *meaning),
            Type::Gauge => metrics::describe_gauge!(*name, *meaning),
            Type::Histogram => metrics::describe_histogram!(*name, *meaning),
        }
    }
}

/// What the service tells. `waited` is the time from question to answer.
pub(super) fn notice(chain: &str, notice: &Notice, waited: Option<Duration>, now_ms: i64) {
    let chain = || chain.to_owned();
    match notice {
        Notice::Ready { .. } | Notice::Proving { .. } | Notice::Settled { .. } => {}
        Notice::Turn { head, cursor, proving, .. } => {
            counter!("zugzwang_service_turns_total", "chain" => chain()).increment(1);
            gauge!("zugzwang_service_turn_timestamp_seconds", "chain" => chain()).set(now_ms as f64 / 1000.0);
            gauge!("zugzwang_chain_head_blocks", "chain" => chain()).set(*head as f64);
            gauge!("zugzwang_chain_cursor_blocks", "chain" => chain()).set(*cursor as f64);
            gauge!("zugzwang_chain_lag_blocks", "chain" => chain()).set(head.saturating_sub(*cursor) as f64);
            gauge!("zugzwang_proofs_running_count", "chain" => chain()).set(*proving as f64);
        }
        Notice::Undone { from, to } => {
            counter!("zugzwang_chain_reorgs_total", "chain" => chain()).increment(1);
            let depth = from.saturating_sub(*to) as f64;
            histogram!("zugzwang_chain_reorg_depth_blocks", "chain" => chain()).record(depth);
        }
        Notice::Asked { subject, .. } => {
            counter!("zugzwang_jobs_asked_total", "chain" => chain(), "app" => subject.app).increment(1);
        }
        Notice::Proved { subject, ms, .. } => {
            counter!("zugzwang_proofs_made_total", "chain" => chain(), "app" => subject.app).increment(1);
            let seconds = *ms as f64 / 1000.0;
            histogram!("zugzwang_proofs_duration_seconds", "chain" => chain(), "app" => subject.app).record(seconds);
        }
        Notice::ProofFailed { subject, .. } => {
            counter!("zugzwang_proofs_failed_total", "chain" => chain(), "app" => subject.app).increment(1);
        }
        Notice::Signed { subject, .. } => {
            counter!("zugzwang_transactions_signed_total", "chain" => chain(), "app" => subject.app).increment(1);
        }
        Notice::Mined { subject, gas, .. } => {
            counter!("zugzwang_jobs_answered_total", "chain" => chain(), "app" => subject.app).increment(1);
            mined(&chain(), subject.app, *gas);
            if let Some(waited) = waited {
                histogram!("zugzwang_jobs_answer_seconds", "chain" => chain(), "app" => subject.app)
                    .record(waited.as_secs_f64());
            }
        }
        Notice::Claimed { subject, gas, .. } => mined(&chain(), subject.app, *gas),
        Notice::Ended { subject, state, .. } => {
            counter!(
                "zugzwang_jobs_ended_total", "chain" => chain(), "app" => subject.app, "state" => state.to_string()
            )
            .increment(1);
        }
        Notice::Trouble { code, .. } => {
            counter!("zugzwang_service_troubles_total", "chain" => chain(), "code" => code.to_string()).increment(1);
        }
    }
}

fn mined(chain: &str, app: &'static str, gas: u64) {
    counter!("zugzwang_transactions_mined_total", "chain" => chain.to_owned(), "app" => app).increment(1);
    counter!("zugzwang_transactions_gas_total", "chain" => chain.to_owned(), "app" => app).increment(gas);
}

/// What the store holds.
pub(super) fn counts(chain: &str, counts: &Counts, now_ms: i64) {
    for (state, count) in &counts.jobs {
        gauge!("zugzwang_jobs_state_count", "chain" => chain.to_owned(), "state" => state.clone()).set(*count as f64);
    }
    for (state, count) in &counts.transactions {
        gauge!("zugzwang_transactions_state_count", "chain" => chain.to_owned(), "state" => state.clone())
            .set(*count as f64);
    }
    let age = counts.oldest.map_or(0.0, |at| (now_ms - at).max(0) as f64 / 1000.0);
    gauge!("zugzwang_jobs_oldest_seconds", "chain" => chain.to_owned()).set(age);
    let sent: u64 = counts.transactions.values().sum();
    gauge!("zugzwang_transactions_versions_count", "chain" => chain.to_owned()).set(counts.versions as f64);
    gauge!("zugzwang_transactions_replaced_count", "chain" => chain.to_owned())
        .set(counts.versions.saturating_sub(sent) as f64);
}

/// What `/readyz` says, for those who only scrape.
pub(super) fn health(chain: &str, ready: bool, health: &Health, now: Duration) {
    gauge!("zugzwang_service_ready_info", "chain" => chain.to_owned()).set(if ready { 1.0 } else { 0.0 });
    if let Some((_, since)) = health.head {
        let age = now.saturating_sub(since).as_secs_f64();
        gauge!("zugzwang_chain_head_age_seconds", "chain" => chain.to_owned()).set(age);
    }
}

/// Alerts that hold.
pub(super) fn open_alerts(chain: &str, open: usize) {
    gauge!("zugzwang_alerts_open_count", "chain" => chain.to_owned()).set(open as f64);
}

/// What the signing account has.
pub(super) fn balance(chain: &str, signer: Address, wei: U256) {
    gauge!("zugzwang_key_balance_ether", "chain" => chain.to_owned(), "signer" => signer.to_string())
        .set(in_ether(wei));
}

/// What it has spent within a day, and what is under way may cost at most.
pub(super) fn spending(chain: &str, signer: Address, spent: U256, under_way: U256) {
    gauge!("zugzwang_key_spent_day_ether", "chain" => chain.to_owned(), "signer" => signer.to_string())
        .set(in_ether(spent));
    gauge!("zugzwang_key_underway_ether", "chain" => chain.to_owned(), "signer" => signer.to_string())
        .set(in_ether(under_way));
}

/// To the gwei: a float has no more places for what matters.
fn in_ether(wei: U256) -> f64 {
    let gwei = u64::try_from(wei / U256::from(1_000_000_000u64)).unwrap_or(u64::MAX);
    gwei as f64 / 1e9
}
