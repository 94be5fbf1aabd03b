//! JSON-RPC over one or several endpoints.
//!
//! ```text
//! Client ──► Endpoints ──► Endpoint ──► Wire (HTTP)
//!            which, in      breaker,     one question,
//!            which order,   rate limit,  one answer,
//!            believed?      identity     bounded
//! ```
//! - A read goes to the first endpoint that is well and not behind; what one can't answer the next is asked.
//! - A send goes to one endpoint after another, never to two at once.
//! - With a quorum, logs, blocks and the head count only if so many endpoints say the same.
//! - An endpoint on another chain, or with another genesis, is never asked again.
//! - Nothing here decides what a block means: [`super::watcher`] does, by hashes.
//!
//! A [`Wire`] is all that a test has to replace; waiting goes through [`crate::clock::Clock`].

mod answer;
mod breaker;
mod bucket;
mod endpoint;
mod endpoints;
mod http;
mod metric;
mod quorum;
pub(super) mod refusal;
mod request;
mod url;

use std::fmt;

use alloy::{
    rpc::json_rpc::{RequestPacket, ResponsePacket},
    transports::{TransportError, TransportFut},
};

pub use endpoint::{Condition, Health};
pub use endpoints::{EndpointError, Endpoints, Limited, Policy, Try};
pub use http::{Http, WireError};
pub use url::{EndpointUrl, redacted};

/// What is sent over a [`Wire`].
pub type Request = RequestPacket;
/// What comes back over a [`Wire`].
pub type Response = ResponsePacket;
/// Why nothing came back.
pub type Failure = TransportError;
/// An answer to come.
pub type Answer = TransportFut<'static>;

/// One JSON-RPC endpoint.
///
/// A wire gives up by itself after its time-out, and bounds what it reads. HTTP statuses come as alloy's `HttpError` or
/// `HttpErrorWithRetryAfter`; everything else that went wrong comes in words, without secrets of the address.
pub trait Wire: fmt::Debug + Send + Sync + 'static {
    /// What it is called in logs, errors and metrics: scheme and host, nothing that is secret.
    fn name(&self) -> &str;

    /// Sends a request and waits for its answer.
    fn send(&self, request: Request) -> Answer;
}
