//! The metrics of endpoints. Labels are the chain's id and the endpoint's name.

use std::time::Duration;

use super::endpoint::Condition;

/// The labels of one endpoint.
#[derive(Clone, Debug)]
pub(super) struct Labels {
    chain: String,
    endpoint: String,
}

impl Labels {
    pub(super) fn new(chain_id: Option<u64>, endpoint: &str) -> Self {
        Self { chain: chain_id.map_or_else(String::new, |id| id.to_string()), endpoint: endpoint.to_owned() }
    }

    fn both(&self) -> [(&'static str, String); 2] {
        [("chain", self.chain.clone()), ("endpoint", self.endpoint.clone())]
    }

    pub(super) fn requested(&self, took: Duration) {
        metrics::counter!("zugzwang_rpc_requests_total", &self.both()).increment(1);
        metrics::histogram!("zugzwang_rpc_latency_seconds", &self.both()).record(took.as_secs_f64());
    }

    /// `kind` is one of `time-out`, `connection`, `http`, `node`, `throttled`, `false`.
    pub(super) fn failed(&self, kind: &'static str) {
        let labels = [("chain", self.chain.clone()), ("endpoint", self.endpoint.clone()), ("kind", kind.to_owned())];
        metrics::counter!("zugzwang_rpc_errors_total", &labels).increment(1);
    }

    pub(super) fn is(&self, condition: Condition) {
        metrics::gauge!("zugzwang_rpc_condition", &self.both()).set(f64::from(condition.number()));
    }

    pub(super) fn head(&self, head: u64, lag: u64) {
        metrics::gauge!("zugzwang_rpc_head_blocks", &self.both()).set(head as f64);
        metrics::gauge!("zugzwang_rpc_lag_blocks", &self.both()).set(lag as f64);
    }
}
