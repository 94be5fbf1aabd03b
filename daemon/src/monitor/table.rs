//! Every metric that the daemon emits: name, type, labels and meaning. `docs/metrics.md` is written from it, Prometheus' help texts
//! too, and a test holds it against the sources.

/// A metric's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Only grows while the process lives.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How often a value was at most so large.
    Histogram,
}

impl Type {
    /// As Prometheus calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Name, type, labels and meaning.
pub type Row = (&'static str, Type, &'static [&'static str], &'static str);

use Type::{Counter, Gauge, Histogram};

/// All of them, by part.
pub const TABLE: &[Row] = &[
    ("zugzwang_service_build_info", Gauge, &["version"], "Always 1; the label is the version that runs."),
    ("zugzwang_service_ready_info", Gauge, &["chain"], "1 if /readyz says yes for this chain, 0 if not."),
    (
        "zugzwang_service_turns_total",
        Counter,
        &["chain"],
        "Turns of the loop that were finished. An idle daemon goes on counting; a stuck one doesn't.",
    ),
    (
        "zugzwang_service_turn_timestamp_seconds",
        Gauge,
        &["chain"],
        "Unix time of the last finished turn: the heartbeat.",
    ),
    (
        "zugzwang_service_troubles_total",
        Counter,
        &["chain", "code"],
        "Troubles that were told, by the code of their error.",
    ),
    ("zugzwang_chain_head_blocks", Gauge, &["chain"], "Height of the node's newest block."),
    ("zugzwang_chain_cursor_blocks", Gauge, &["chain"], "Height of the last block whose events are stored."),
    ("zugzwang_chain_lag_blocks", Gauge, &["chain"], "Blocks between cursor and head; confirmations included."),
    ("zugzwang_chain_head_age_seconds", Gauge, &["chain"], "Seconds since the head last changed."),
    ("zugzwang_chain_reorgs_total", Counter, &["chain"], "Reorganisations that were undone."),
    ("zugzwang_chain_reorg_depth_blocks", Histogram, &["chain"], "How many blocks each of them undid."),
    (
        "zugzwang_jobs_state_count",
        Gauge,
        &["chain", "state"],
        "Jobs in the store, by state. `failed` ones need a person.",
    ),
    ("zugzwang_jobs_asked_total", Counter, &["chain", "app"], "Questions that the chain asked."),
    (
        "zugzwang_jobs_ended_total",
        Counter,
        &["chain", "app", "state"],
        "Jobs that ended without our answer: moot, forfeited or failed.",
    ),
    ("zugzwang_jobs_answered_total", Counter, &["chain", "app"], "Jobs whose answer is in a block."),
    (
        "zugzwang_jobs_answer_seconds",
        Histogram,
        &["chain", "app"],
        "Seconds from the question's being stored to the answer's block, without restarts in between.",
    ),
    (
        "zugzwang_jobs_oldest_seconds",
        Gauge,
        &["chain"],
        "Age of the oldest job that waits for a proof or for sending; 0 if none does.",
    ),
    ("zugzwang_proofs_made_total", Counter, &["chain", "app"], "Proofs that were made and stored."),
    ("zugzwang_proofs_failed_total", Counter, &["chain", "app"], "Tries at a proof that came to nothing."),
    ("zugzwang_proofs_duration_seconds", Histogram, &["chain", "app"], "Seconds that a proof took."),
    ("zugzwang_proofs_running_count", Gauge, &["chain"], "Proofs in the making."),
    ("zugzwang_transactions_state_count", Gauge, &["chain", "state"], "Transactions in the store, by state."),
    (
        "zugzwang_transactions_signed_total",
        Counter,
        &["chain", "app"],
        "Answers that were signed and stored, replacements not counted.",
    ),
    (
        "zugzwang_transactions_versions_count",
        Gauge,
        &["chain"],
        "Signed versions of transactions in the store, replacements counted.",
    ),
    ("zugzwang_transactions_replaced_count", Gauge, &["chain"], "Of them, replacements that paid more."),
    (
        "zugzwang_transactions_mined_total",
        Counter,
        &["chain", "app"],
        "Transactions of ours that were mined and succeeded.",
    ),
    ("zugzwang_transactions_gas_total", Counter, &["chain", "app"], "Gas that they used."),
    ("zugzwang_key_balance_ether", Gauge, &["chain", "signer"], "Ether of the signing account."),
    (
        "zugzwang_key_spent_day_ether",
        Gauge,
        &["chain", "signer"],
        "Ether that it paid within the last day: fees of answers, claims, replacements and what failed, and value that went along.",
    ),
    ("zugzwang_key_underway_ether", Gauge, &["chain", "signer"], "Ether that what is under way may cost at most."),
    ("zugzwang_alerts_open_count", Gauge, &["chain"], "Alerts that were told and aren't over."),
    ("zugzwang_alerts_sent_total", Counter, &["kind"], "Alerts that a webhook took."),
    ("zugzwang_alerts_failed_total", Counter, &["kind"], "Alerts that no try delivered."),
    ("zugzwang_alerts_dropped_total", Counter, &["kind"], "Alerts that were dropped because too many waited."),
    (
        "zugzwang_http_requests_total",
        Counter,
        &["status"],
        "Requests that the operator's server answered, by HTTP status.",
    ),
    ("zugzwang_rpc_requests_total", Counter, &["chain", "endpoint"], "Requests to an endpoint."),
    (
        "zugzwang_rpc_errors_total",
        Counter,
        &["chain", "endpoint", "kind"],
        "Requests that failed, by kind: time-out, connection, http, node, throttled or false.",
    ),
    ("zugzwang_rpc_latency_seconds", Histogram, &["chain", "endpoint"], "Seconds until an endpoint answered."),
    (
        "zugzwang_rpc_condition",
        Gauge,
        &["chain", "endpoint"],
        "How an endpoint is: 0 well, 1 resting after failures, 2 throttled, 3 behind, 4 excluded.",
    ),
    ("zugzwang_rpc_head_blocks", Gauge, &["chain", "endpoint"], "The newest block that an endpoint has told of."),
    ("zugzwang_rpc_lag_blocks", Gauge, &["chain", "endpoint"], "How many blocks that is behind the best endpoint."),
    ("zugzwang_prover_memory_limit_bytes", Gauge, &[], "Memory that proofs may take."),
    (
        "zugzwang_submit_signed_total",
        Counter,
        &["chain"],
        "Transactions that were signed for an answer or a claim, replacements by a new call included.",
    ),
    (
        "zugzwang_submit_replaced_total",
        Counter,
        &["chain"],
        "Transactions that were replaced by a version that pays more, or withdrawn.",
    ),
    ("zugzwang_submit_unmined_transactions", Gauge, &["chain"], "Our transactions that are in no block yet."),
    (
        "zugzwang_submit_spend_left_ether",
        Gauge,
        &["chain", "key", "window"],
        "Ether that a key may still spend in the hour or day; nothing where there is no limit.",
    ),
    ("zugzwang_prover_running_count", Gauge, &[], "Proofs that this process makes now."),
    ("zugzwang_prover_proof_seconds", Histogram, &[], "Seconds that proofs of this process took."),
    ("zugzwang_prover_late_total", Counter, &[], "Proofs that were stopped because their time was over."),
    ("zugzwang_fleet_up", Gauge, &[], "1 if the fleet can be reached."),
    ("zugzwang_fleet_workers_count", Gauge, &[], "Workers that are present."),
    ("zugzwang_fleet_published_total", Counter, &[], "Jobs given to the fleet."),
    ("zugzwang_fleet_local_total", Counter, &[], "Jobs that this process took back, to make their proofs itself."),
    ("zugzwang_fleet_cancelled_total", Counter, &[], "Jobs of the fleet that nobody wanted any more."),
    ("zugzwang_fleet_wrong_proofs_total", Counter, &[], "Proofs from workers that didn't verify, and weren't used."),
    ("zugzwang_fleet_proof_seconds", Histogram, &[], "Seconds that proofs of workers took."),
    ("zugzwang_worker_busy_count", Gauge, &[], "Proofs that this worker makes now."),
    ("zugzwang_worker_proofs_total", Counter, &["state"], "Proofs of this worker, by how they ended."),
    ("zugzwang_rpc_ws_losses_total", Counter, &["chain"], "Times that the WebSocket, which only hints, was lost."),
    (
        "zugzwang_watcher_head_blocks",
        Gauge,
        &["chain"],
        "Height of the newest block at the last poll, whatever became of the turn.",
    ),
    ("zugzwang_watcher_cursor_blocks", Gauge, &["chain"], "How far that poll read."),
    ("zugzwang_watcher_range_blocks", Gauge, &["chain"], "Blocks in one log query, as the node bears them."),
    ("zugzwang_watcher_logs_total", Counter, &["chain"], "Logs of our contracts that were read."),
    ("zugzwang_watcher_undone_blocks_total", Counter, &["chain"], "Blocks that were undone."),
];

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        path::{Path, PathBuf},
    };

    use super::*;

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("folder") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }

    /// The names that a source gives to the macros of the `metrics` crate.
    fn names(text: &str) -> BTreeSet<String> {
        let macros = ["counter!(", "gauge!(", "histogram!("];
        let calls = macros.iter().flat_map(|call| text.split(call).skip(1));
        calls.filter_map(|rest| Some(rest.trim_start().strip_prefix('"')?.split_once('"')?.0.to_owned())).collect()
    }

    #[test]
    fn the_table_lists_what_the_code_emits() {
        let mut files = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
        let emitted: BTreeSet<String> = files
            .iter()
            .filter(|path| !path.ends_with("monitor/table.rs"))
            .flat_map(|path| names(&std::fs::read_to_string(path).expect("source")))
            .collect();
        let listed: BTreeSet<String> = TABLE.iter().map(|(name, ..)| (*name).to_owned()).collect();
        assert_eq!(emitted.difference(&listed).collect::<Vec<_>>(), Vec::<&String>::new(), "add these to TABLE");
        assert_eq!(listed.difference(&emitted).collect::<Vec<_>>(), Vec::<&String>::new(), "nothing emits these");
        assert_eq!(listed.len(), TABLE.len(), "a name is listed twice");
    }

    fn page() -> String {
        let mut text = String::from(
            "# Metrics\n\nWhat `/metrics` of the daemon's HTTP server gives to Prometheus. A board for \
             Grafana is in\n[deploy/grafana](../deploy/grafana/zugzwang.json), alert rules are in \
             [deploy/prometheus](../deploy/prometheus/alerts.yml). Counters begin at 0 with the process.\n\
             `chain` is the chain id; no label takes its values from outside.\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n",
        );
        for (name, kind, labels, meaning) in TABLE {
            let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
            text.push_str(&format!("| `{name}` | {} | {} | {meaning} |\n", kind.name(), labels.join(", ")));
        }
        text
    }

    #[test]
    fn the_page_is_what_the_table_says() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
        if std::env::var_os("ZUGZWANG_BLESS").is_some() {
            std::fs::write(&path, page()).expect("write");
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(written == page(), "docs/metrics.md is old: run this test with ZUGZWANG_BLESS=1");
    }

    /// A metric that board or rules name and nothing emits would leave a panel empty, and an alert silent.
    #[test]
    fn board_and_rules_name_metrics_that_exist() {
        let listed: BTreeSet<&str> = TABLE.iter().map(|(name, ..)| *name).collect();
        let histograms: BTreeSet<&str> =
            TABLE.iter().filter(|(_, kind, ..)| *kind == Type::Histogram).map(|(name, ..)| *name).collect();
        for file in ["deploy/grafana/zugzwang.json", "deploy/prometheus/alerts.yml"] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
            let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{file}: {e}"));
            let name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            let mut found = 0;
            for (at, _) in text.match_indices("zugzwang_") {
                let metric: &str = text[at..].split(|c| !name(c)).next().unwrap_or_default();
                let base = ["_bucket", "_sum", "_count"].iter().find_map(|part| metric.strip_suffix(part));
                let known = listed.contains(metric) || base.is_some_and(|base| histograms.contains(base));
                assert!(known, "{file} names {metric}, which is no metric of ours");
                found += 1;
            }
            assert!(found > 10, "{file} names only {found} metrics");
        }
    }
}
