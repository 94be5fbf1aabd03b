//! Proofs that are made on other machines, over NATS JetStream.
//!
//! ```text
//! daemon                                NATS                                  worker
//! Fleet::prove ──job──► PREFIX-jobs     work queue, one copy of a question ──► pull, in-progress acks ──► Pool
//!     ▲                                                                                                    │
//!     └─verify◄──bell── PREFIX-results  the last result of a question ◄──────────────── result, then ack ──┘
//!            models ──► PREFIX-models   object store, by model id and SHA-256 ──► checked and loaded
//!                       PREFIX-workers  key-value, forgotten after a few heartbeats ◄── who is there
//! ```
//! The daemon's store stays the source of truth: a job row is `proving` until a proof that was verified here is in it. What is
//! in NATS may all be lost: the daemon looks every few seconds whether a question is answered or still in the queue, and puts
//! it there again if not. What it hears in between is a hint that saves waiting.
//!
//! Assumptions: whoever may publish to the fleet's subjects can waste its time, not its money. A worker is trusted with
//! nothing but the weights of the models that it is sent; a wrong proof is found by running the model and verifying.

mod archive;
mod client;
mod library;
mod link;
mod message;
mod worker;

pub use client::Fleet;
pub use message::{Job, Outcome, Presence, Shown};
pub use worker::Worker;

use std::path::PathBuf;

/// Why something can't be done with a fleet.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// A file that the configuration names.
    #[error("`{key}` = \"{}\": {source}; check the path and its rights", path.display())]
    File {
        /// The key that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No connection, for a reason that trying again doesn't mend.
    #[error("fleet {urls}: {why}; check fleet.url, the credentials and the certificates")]
    Connection {
        /// The servers.
        urls: String,
        /// Why.
        why: String,
    },
    /// The server doesn't do what it is asked.
    #[error("fleet: {what}: {why}; is JetStream on (nats-server -js) and the account allowed to use it?")]
    Server {
        /// What was asked.
        what: String,
        /// Why not.
        why: String,
    },
    /// A job that is too large for a message.
    #[error("fleet: a job for model {model} takes {bytes} bytes, the server takes {most}; raise max_payload there")]
    TooLarge {
        /// The model.
        model: String,
        /// Its bytes.
        bytes: usize,
        /// The server's limit.
        most: usize,
    },
    /// A message that isn't one of ours.
    #[error("fleet: {what} isn't of this version: {why}; run the same release everywhere")]
    Message {
        /// What it should be.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// A model's archive that is not what its name says.
    #[error("fleet: model {name}: {why}")]
    Model {
        /// The object.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// The worker's prover.
    #[error(transparent)]
    Prove(#[from] crate::prover::ProveError),
}

crate::code::codes!(FleetError {
    File = 701,
    Connection = 702,
    Server = 703,
    TooLarge = 704,
    Message = 705,
    Model = 706;
    Prove
});

impl FleetError {
    fn server(what: impl Into<String>) -> impl FnOnce(Box<dyn std::error::Error + Send + Sync>) -> Self {
        let what = what.into();
        move |error| Self::Server { what, why: one_line(error.as_ref()) }
    }
}

/// An error with its causes, in one line.
fn one_line(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut parts: Vec<String> = Vec::new();
    for text in causes.map(|cause| cause.to_string()) {
        // Some say their cause's words themselves.
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
    }
    crate::chain::error::one_line(&parts.join(": "))
}
