//! One endpoint: whether it may be asked, what its answer means, and how it is doing.

use std::{
    fmt,
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use alloy::{
    primitives::B256,
    transports::{RpcError, TransportErrorKind},
};
use serde::Serialize;
use serde_json::json;

use super::{
    Failure, Request, Response, Wire,
    answer::{self, Block},
    breaker::{Breaker, Pause, Permit},
    bucket::Bucket,
    endpoints::EndpointError,
    http::WireError,
    metric::Labels,
    redacted,
    refusal::{self, Meaning},
    request::{self, Kind},
};
use crate::{chain::error::one_line, clock::Clock};

/// How an endpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// It is asked.
    Well,
    /// It has failed too often: it is left alone for a while.
    Resting,
    /// It has had too many requests, and wants a pause.
    Throttled,
    /// It is behind the best head: it isn't asked for state.
    Behind,
    /// It is on another chain: it is never asked again.
    Excluded,
}

impl Condition {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Resting => "resting",
            Self::Throttled => "throttled",
            Self::Behind => "behind",
            Self::Excluded => "excluded",
        }
    }

    /// As the metric `zugzwang_rpc_condition` shows it.
    pub fn number(self) -> u8 {
        match self {
            Self::Well => 0,
            Self::Resting => 1,
            Self::Throttled => 2,
            Self::Behind => 3,
            Self::Excluded => 4,
        }
    }
}

/// What is known of an endpoint.
#[derive(Clone, Debug, Serialize)]
pub struct Health {
    /// Scheme and host.
    pub name: String,
    /// How it is.
    pub condition: Condition,
    /// The newest block that it has told of.
    pub head: Option<u64>,
    /// How many blocks that is behind the best head.
    pub lag: u64,
    /// Requests since the start.
    pub requests: u64,
    /// Requests that failed.
    pub errors: u64,
    /// Milliseconds that the latest answer took.
    pub latency_ms: u64,
    /// The latest failure.
    pub trouble: Option<String>,
}

/// The chain that every endpoint must be on. What isn't configured is learned from the first one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Expected {
    pub(super) chain_id: Option<u64>,
    pub(super) genesis: Option<B256>,
}

/// What came of asking.
#[derive(Debug)]
pub(super) enum Outcome {
    /// An answer, or an error that is one.
    Answer(Response),
    /// It doesn't have this, or can't do it; others may.
    NotHere(Response),
    /// It can't be asked for so long.
    Pause { left: Duration, why: String },
    /// It failed; whether it may be asked again at once.
    Failed { why: String, said: Option<Response>, again: bool },
    /// It is on another chain.
    Excluded(EndpointError),
}

struct State {
    breaker: Breaker,
    bucket: Option<Bucket>,
    throttled: Option<Pause>,
    /// It is on the right chain, as far as is known since it failed last.
    verified: bool,
    excluded: Option<EndpointError>,
    head: Option<u64>,
    requests: u64,
    errors: u64,
    latency: Duration,
    trouble: Option<String>,
}

/// One endpoint with all that is known of it.
pub(super) struct Endpoint {
    wire: Arc<dyn Wire>,
    name: String,
    labels: Labels,
    clock: Clock,
    expected: Arc<Mutex<Expected>>,
    state: Mutex<State>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A lock whose holder panicked still holds a valid state: each change to it is a single step.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Endpoint {
    pub(super) fn new(
        wire: Arc<dyn Wire>,
        name: String,
        rate: Option<NonZeroU32>,
        clock: Clock,
        expected: Arc<Mutex<Expected>>,
    ) -> Self {
        let labels = Labels::new(lock(&expected).chain_id, &name);
        let state = State {
            breaker: Breaker::default(),
            bucket: rate.map(|rate| Bucket::new(rate, clock.steady())),
            throttled: None,
            verified: false,
            excluded: None,
            head: None,
            requests: 0,
            errors: 0,
            latency: Duration::ZERO,
            trouble: None,
        };
        Self { wire, name, labels, clock, expected, state: Mutex::new(state) }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The newest block it has told of.
    pub(super) fn head(&self) -> Option<u64> {
        lock(&self.state).head
    }

    /// It doesn't have a block that it must have by the head it told of: that head is not believed.
    pub(super) fn lacks(&self, number: u64) {
        let mut state = lock(&self.state);
        if state.head.is_some_and(|head| head >= number) {
            state.head = number.checked_sub(1);
        }
    }

    /// Why it is never asked again, if so.
    pub(super) fn excluded(&self) -> Option<EndpointError> {
        lock(&self.state).excluded.clone()
    }

    /// Whether it would be asked now.
    pub(super) fn is_up(&self) -> bool {
        let (state, now) = (lock(&self.state), self.clock.steady());
        state.excluded.is_none() && !state.breaker.is_open(now)
    }

    pub(super) fn health(&self, best: Option<u64>, max_lag: u64) -> Health {
        let (state, now) = (lock(&self.state), self.clock.steady());
        let lag = best.zip(state.head).map_or(0, |(best, head)| best.saturating_sub(head));
        let condition = if state.excluded.is_some() {
            Condition::Excluded
        } else if !state.breaker.is_closed() {
            Condition::Resting
        } else if state.throttled.is_some_and(|pause| pause.left(now).is_some()) {
            Condition::Throttled
        } else if lag > max_lag {
            Condition::Behind
        } else {
            Condition::Well
        };
        self.labels.is(condition);
        if let Some(head) = state.head {
            self.labels.head(head, lag);
        }
        Health {
            name: self.name.clone(),
            condition,
            head: state.head,
            lag,
            requests: state.requests,
            errors: state.errors,
            latency_ms: u64::try_from(state.latency.as_millis()).unwrap_or(u64::MAX),
            trouble: state.trouble.clone(),
        }
    }

    /// Asks it, after making sure that it is on the right chain.
    pub(super) async fn ask(&self, request: &Request, kind: &Kind) -> Outcome {
        if let Some(why) = self.excluded() {
            return Outcome::Excluded(why);
        }
        if let Some(pause) = self.permit() {
            return pause;
        }
        // Not while the state is locked: it asks.
        let verified = lock(&self.state).verified;
        if !verified && let Err(outcome) = self.verify().await {
            return outcome;
        }
        let outcome = self.exchange(request, kind).await;
        if matches!(outcome, Outcome::Answer(_) | Outcome::NotHere(_)) {
            self.heard();
        }
        outcome
    }

    /// Makes sure that it is on the right chain.
    ///
    /// # Errors
    /// Anything but an answer that says so.
    pub(super) async fn check(&self) -> Result<(), Outcome> {
        if let Some(why) = self.excluded() {
            return Err(Outcome::Excluded(why));
        }
        match self.permit() {
            Some(pause) => Err(pause),
            None => self.verify().await.inspect(|()| self.heard()),
        }
    }

    fn permit(&self) -> Option<Outcome> {
        let (mut state, now) = (lock(&self.state), self.clock.steady());
        if let Some(left) = state.throttled.and_then(|pause| pause.left(now)) {
            return Some(Outcome::Pause { left, why: "it asks for a pause after too many requests".into() });
        }
        if let Some(bucket) = &mut state.bucket
            && let Err(left) = bucket.take(now)
        {
            return Some(Outcome::Pause { left, why: "its limit of requests per second is reached".into() });
        }
        match state.breaker.permit(now) {
            Permit::Yes | Permit::Trial => None,
            Permit::NotFor(left) => {
                let trouble = state.trouble.clone().unwrap_or_default();
                Some(Outcome::Pause { left, why: format!("left alone after failures, the latest: {trouble}") })
            }
        }
    }

    /// Compares chain id and genesis. Runs again after each time that the endpoint was left alone: behind the same address
    /// there may be another node by then.
    async fn verify(&self) -> Result<(), Outcome> {
        let malformed = |why: &str| self.failed("node", why.to_owned(), None, false);
        let id = self.own("eth_chainId", &json!([])).await?;
        let found = answer::result(&id).and_then(|text| serde_json::from_str::<String>(text).ok());
        let Some(found) = found.and_then(|text| request::quantity(&text)) else {
            return Err(malformed("its chain id can't be read"));
        };
        let genesis = self.own("eth_getBlockByNumber", &json!(["0x0", false])).await?;
        let Some(genesis) = Block::of(&genesis).map(|block| block.hash) else {
            return Err(malformed("it has no block 0"));
        };
        let wrong = {
            let mut expected = lock(&self.expected);
            let (chain_id, first) = (expected.chain_id.unwrap_or(found), expected.genesis.unwrap_or(genesis));
            if chain_id != found {
                Some(EndpointError::OtherChain { name: self.name.clone(), found, expected: chain_id })
            } else if first != genesis {
                Some(EndpointError::OtherGenesis { name: self.name.clone(), chain_id, found: genesis, expected: first })
            } else {
                *expected = Expected { chain_id: Some(chain_id), genesis: Some(first) };
                None
            }
        };
        let mut state = lock(&self.state);
        match wrong {
            None => {
                state.verified = true;
                Ok(())
            }
            Some(error) => {
                tracing::error!(endpoint = self.name, "{error}; it is not asked any more");
                state.excluded = Some(error.clone());
                self.labels.is(Condition::Excluded);
                Err(Outcome::Excluded(error))
            }
        }
    }

    async fn own(&self, method: &'static str, params: &serde_json::Value) -> Result<Response, Outcome> {
        let request = request::call(method, params).map_err(|e| self.failed("node", e.to_string(), None, false))?;
        match self.exchange(&request, &Kind::of(&request)).await {
            Outcome::Answer(response) if response.is_success() => Ok(response),
            Outcome::Answer(response) | Outcome::NotHere(response) => {
                let why = response.first_error_message().unwrap_or("no result").to_owned();
                Err(self.failed("node", format!("{method}: {why}"), Some(response), false))
            }
            other => Err(other),
        }
    }

    /// Sends a request and sorts what comes back.
    async fn exchange(&self, request: &Request, kind: &Kind) -> Outcome {
        // Only shown, never decided by.
        let started = Instant::now();
        let answered = self.wire.send(request.clone()).await;
        let took = started.elapsed();
        self.labels.requested(took);
        {
            let mut state = lock(&self.state);
            state.requests = state.requests.saturating_add(1);
            state.latency = took;
        }
        match answered {
            Ok(response) => self.sort(request, kind, response),
            Err(error) => self.sort_failure(error, kind),
        }
    }

    fn sort(&self, request: &Request, kind: &Kind, response: Response) -> Outcome {
        if let Some(error) = response.as_error() {
            let (code, message) = (error.code, one_line(&redacted(&error.message)));
            return match refusal::meaning(request::method(request), code, &error.message) {
                Meaning::Final => Outcome::Answer(response),
                Meaning::NotHere => Outcome::NotHere(response),
                Meaning::Throttled(pause) => self.throttled(pause, message, Some(response)),
                Meaning::Broken => self.failed("node", format!("{message} (code {code})"), Some(response), true),
            };
        }
        if let Err(why) = answer::check(request, kind, &response) {
            return self.failed("false", why, None, false);
        }
        if *kind == Kind::Head
            && let Some(number) = Block::of(&response).and_then(|block| block.number())
        {
            lock(&self.state).head = Some(number);
        }
        Outcome::Answer(response)
    }

    fn sort_failure(&self, error: Failure, kind: &Kind) -> Outcome {
        let why = one_line(&redacted(&error.to_string()));
        let RpcError::Transport(transport) = &error else {
            return self.failed("connection", why, None, true);
        };
        if let Some(http) = transport.as_http_error() {
            let pause = transport.retry_after().map(|pause| refusal::bounded(Some(pause)));
            let why = format!("HTTP {}{}{}", http.status, if http.body.is_empty() { "" } else { ": " }, http.body);
            let why = one_line(&redacted(&why));
            return match (http.status, pause) {
                (429, pause) => self.throttled(pause.unwrap_or(refusal::PAUSE), why, None),
                (503, Some(pause)) => self.throttled(pause, why, None),
                // Refused for good: a wrong key or path doesn't mend within a moment.
                (status, _) => self.failed("http", why, None, status >= 500),
            };
        }
        match wire_error(transport) {
            // The same bytes would be too many again; a smaller range won't be.
            Some(WireError::TooLarge { .. }) if matches!(kind, Kind::Logs(_)) => {
                let said = json!({"jsonrpc": "2.0", "id": 0, "error": {"code": -32005, "message": format!("response size exceeded: {why}")}});
                match serde_json::from_value(said) {
                    Ok(response) => Outcome::Answer(response),
                    Err(_) => self.failed("connection", why, None, false),
                }
            }
            Some(WireError::TimedOut { .. } | WireError::TooLarge { .. }) => self.failed("time-out", why, None, false),
            _ => self.failed("connection", why, None, true),
        }
    }

    /// It works, whatever it says.
    fn heard(&self) {
        let ended = lock(&self.state).breaker.succeeded();
        if ended {
            tracing::info!(endpoint = self.name, "the endpoint answers again");
        }
    }

    fn throttled(&self, pause: Duration, why: String, said: Option<Response>) -> Outcome {
        let mut state = lock(&self.state);
        state.throttled = Some(Pause::new(self.clock.steady(), pause));
        state.errors = state.errors.saturating_add(1);
        state.trouble = Some(why.clone());
        self.labels.failed("throttled");
        tracing::debug!(endpoint = self.name, ms = pause.as_millis(), "{why}");
        match said {
            Some(response) => Outcome::Failed { why, said: Some(response), again: true },
            None => Outcome::Pause { left: pause, why },
        }
    }

    fn failed(&self, kind: &'static str, why: String, said: Option<Response>, again: bool) -> Outcome {
        let mut state = lock(&self.state);
        state.errors = state.errors.saturating_add(1);
        state.trouble = Some(why.clone());
        self.labels.failed(kind);
        if let Some(pause) = state.breaker.failed(self.clock.steady()) {
            state.verified = false;
            tracing::warn!(endpoint = self.name, ms = pause.as_millis(), "left alone for a while: {why}");
        } else {
            tracing::debug!(endpoint = self.name, "{why}");
        }
        Outcome::Failed { why, said, again }
    }
}

fn wire_error(error: &TransportErrorKind) -> Option<&WireError> {
    error.as_custom()?.downcast_ref()
}
