//! What goes over NATS, as JSON, and under which names.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use zugzwang_circuits::{graph::Tensor, model::sha256_hex};

use super::FleetError;
use crate::{
    chain::types::{B256, Bytes},
    engine::Priority,
    prover::Proof,
};

/// Changes when messages of an older version can't be read any more.
const VERSION: u32 = 1;

/// Subjects, streams and buckets of one fleet.
#[derive(Clone, Debug)]
pub(super) struct Names {
    prefix: String,
}

impl Names {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// The work queue.
    pub(super) fn jobs(&self) -> String {
        format!("{}-jobs", self.prefix)
    }

    pub(super) fn results(&self) -> String {
        format!("{}-results", self.prefix)
    }

    /// The object store.
    pub(super) fn models(&self) -> String {
        format!("{}-models", self.prefix)
    }

    /// The key-value bucket.
    pub(super) fn workers(&self) -> String {
        format!("{}-workers", self.prefix)
    }

    pub(super) fn all_jobs(&self) -> String {
        format!("{}.jobs.>", self.prefix)
    }

    pub(super) fn job(&self, priority: Priority, model: B256, id: &str) -> String {
        format!("{}.jobs.{}.{}.{id}", self.prefix, word(priority), plain(model))
    }

    /// The jobs of one priority and one model.
    pub(super) fn jobs_of(&self, priority: Priority, model: B256) -> String {
        self.job(priority, model, "*")
    }

    /// The consumer of those.
    pub(super) fn consumer(&self, priority: Priority, model: B256) -> String {
        format!("{}-{}", word(priority), plain(model))
    }

    pub(super) fn all_results(&self) -> String {
        format!("{}.results.*", self.prefix)
    }

    pub(super) fn result(&self, id: &str) -> String {
        format!("{}.results.{id}", self.prefix)
    }

    pub(super) fn all_cancellations(&self) -> String {
        format!("{}.cancel.*", self.prefix)
    }

    /// Where a question is called off: heard by whoever works on it, kept by nobody.
    pub(super) fn cancellation(&self, id: &str) -> String {
        format!("{}.cancel.{id}", self.prefix)
    }
}

/// The question's id at the end of a subject.
pub(super) fn id_of(subject: &str) -> &str {
    subject.rsplit('.').next().unwrap_or_default()
}

fn word(priority: Priority) -> &'static str {
    match priority {
        Priority::Urgent => "urgent",
        Priority::Normal => "normal",
    }
}

/// An id without 0x.
pub(super) fn plain(id: B256) -> String {
    id.to_string().trim_start_matches("0x").to_owned()
}

/// Something to prove.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Of the form of messages.
    pub version: u32,
    /// The model's id.
    pub model: B256,
    /// What binds the proof to the question and to the submitter.
    pub request: B256,
    /// Cells of a channel of the input.
    pub cells: usize,
    /// The input's integers.
    pub input: Vec<i64>,
    /// Most milliseconds that the proof may take.
    pub budget_ms: u64,
    /// Workers whose proofs of it were wrong.
    #[serde(default)]
    pub avoid: Vec<String>,
}

impl Job {
    pub(super) fn new(model: [u8; 32], request: [u8; 32], input: &Tensor, budget: std::time::Duration) -> Self {
        Self {
            version: VERSION,
            model: model.into(),
            request: request.into(),
            cells: input.cells,
            input: input.values.clone(),
            budget_ms: u64::try_from(budget.as_millis()).unwrap_or(u64::MAX),
            avoid: vec![],
        }
    }

    /// What makes a question the same question: 64 hex digits that are the same after a restart, and on another daemon that is
    /// asked the same for the same submitter. The request names chain, contract, subject, round and submitter.
    pub fn id(&self) -> String {
        let mut bytes = b"zugzwang fleet job 1".to_vec();
        bytes.extend(self.model.as_slice());
        bytes.extend(self.request.as_slice());
        bytes.extend((self.cells as u64).to_be_bytes());
        bytes.extend(self.input.iter().flat_map(|v| v.to_be_bytes()));
        sha256_hex(&bytes)
    }

    pub(super) fn tensor(&self) -> Tensor {
        Tensor { cells: self.cells, values: self.input.clone() }
    }
}

/// What became of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Of the form of messages.
    pub version: u32,
    /// Who says so.
    pub worker: String,
    /// Milliseconds that the proof took.
    pub took_ms: u64,
    /// The proof, or why there is none.
    pub shown: Result<Shown, String>,
}

/// A proof as it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// What the verifier reads.
    pub proof: Bytes,
    /// Public instances.
    pub instances: Vec<B256>,
}

impl Outcome {
    /// A worker's.
    pub fn new(worker: &str, took: std::time::Duration, shown: Result<Shown, String>) -> Self {
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        Self { version: VERSION, worker: worker.to_owned(), took_ms, shown }
    }
}

impl From<Proof> for Shown {
    fn from(proof: Proof) -> Self {
        Self { proof: proof.bytes.into(), instances: proof.instances.into_iter().map(B256::from).collect() }
    }
}

/// A worker that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// Of the form of messages.
    pub version: u32,
    /// Its id.
    pub worker: String,
    /// The release that it runs.
    pub release: String,
    /// The models that it has loaded.
    pub models: Vec<B256>,
    /// Proofs that it makes at the same time.
    pub slots: usize,
    /// Its machine's cores.
    pub cores: usize,
    /// Proofs that it makes now.
    pub busy: usize,
}

impl Presence {
    pub(super) fn new(worker: &str, models: Vec<B256>, slots: usize, busy: usize) -> Self {
        Self {
            version: VERSION,
            worker: worker.to_owned(),
            release: env!("CARGO_PKG_VERSION").to_owned(),
            models,
            slots,
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            busy,
        }
    }
}

pub(super) fn encode(message: &impl Serialize) -> Vec<u8> {
    // These types have no map with other keys than strings, which is all that JSON refuses.
    serde_json::to_vec(message).unwrap_or_default()
}

/// Reads a message of this version.
pub(super) fn decode<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, FleetError> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    let wrong = |why: String| FleetError::Message { what, why };
    let Versioned { version } = serde_json::from_slice(bytes).map_err(|e| wrong(e.to_string()))?;
    if version != VERSION {
        return Err(wrong(format!("it has version {version}, this release reads {VERSION}")));
    }
    serde_json::from_slice(bytes).map_err(|e| wrong(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Job {
        let input = Tensor { cells: 2, values: vec![1, -2] };
        Job::new([1; 32], [2; 32], &input, std::time::Duration::from_secs(1))
    }

    #[test]
    fn a_questions_id_says_what_is_asked_and_nothing_else() {
        let id = job().id();
        assert_eq!((id.len(), &id), (64, &job().id()));
        assert_eq!(Job { avoid: vec!["w".into()], budget_ms: 5, ..job() }.id(), id, "who works on it doesn't matter");
        for other in [
            Job { model: B256::repeat_byte(9), ..job() },
            Job { request: B256::repeat_byte(9), ..job() },
            Job { input: vec![1, -3], ..job() },
            Job { cells: 1, ..job() },
        ] {
            assert_ne!(other.id(), id, "{other:?}");
        }
        let names = Names::new("p");
        assert_eq!(id_of(&names.job(Priority::Urgent, B256::ZERO, &id)), id);
        assert_eq!(id_of(&names.result(&id)), id);
    }

    #[test]
    fn messages_are_read_again_and_strange_ones_refused() {
        assert_eq!(decode::<Job>("a job", &encode(&job())).expect("a job"), job());
        let shown = Shown { proof: vec![1, 2].into(), instances: vec![B256::ZERO] };
        let outcome = Outcome::new("w", std::time::Duration::from_millis(7), Ok(shown));
        assert_eq!(decode::<Outcome>("a result", &encode(&outcome)).expect("a result"), outcome);
        let check = |bytes: &[u8], says: &str| {
            let error = decode::<Job>("a job", bytes).expect_err(says).to_string();
            assert!(error.contains(says), "{error}");
        };
        check(b"", "EOF");
        check(b"{\"version\": 2}", "version 2");
        check(b"{\"version\": 1}", "missing field");
        check(&[0xff; 40], "expected value");
    }
}
