//! Several endpoints as one: who is asked, in which order, and what is believed.

use std::{
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use alloy::{
    primitives::B256,
    rpc::json_rpc::RequestPacket,
    transports::{TransportErrorKind, TransportFut},
};
use futures_util::future::join_all;

use super::{
    Failure, Request, Response, Wire,
    answer::{self, Block},
    breaker::Pause,
    endpoint::{Endpoint, Expected, Health, Outcome, lock},
    quorum::{self, Said, Votes},
    request::{self, Kind},
};
use crate::clock::Clock;

/// Times that the endpoints are gone through for one read.
const ROUNDS: u32 = 3;
/// The pause after the first round, doubled by each.
const ROUND: Duration = Duration::from_millis(50);

/// How endpoints are chosen.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Chain id that each must have; learned from the first one if it isn't set.
    pub chain_id: Option<u64>,
    /// How many must say the same of logs, blocks and the head; 1 for no comparison.
    pub quorum: usize,
    /// Blocks behind the best head at which an endpoint isn't asked for state.
    pub max_lag: u64,
    /// Time between looks at the heads of all endpoints.
    pub probe: Duration,
    /// Longest wait for an endpoint that wants a pause.
    pub patience: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            chain_id: None,
            quorum: 1,
            max_lag: 5,
            probe: Duration::from_secs(15),
            patience: Duration::from_secs(10),
        }
    }
}

/// One endpoint's failure.
#[derive(Clone, Debug)]
pub struct Try {
    /// Scheme and host.
    pub name: String,
    /// Why.
    pub why: String,
}

/// Why no endpoint's answer counts.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EndpointError {
    /// None gave one.
    #[error("{}", in_words(.0))]
    NoAnswer(Vec<Try>),
    /// It is on another chain.
    #[error("it is on chain {found}, not {expected}")]
    OtherChain {
        /// Scheme and host.
        name: String,
        /// Its chain id.
        found: u64,
        /// The right one.
        expected: u64,
    },
    /// It has the same chain id, but another first block.
    #[error("its chain {chain_id} begins with block {found}, not {expected}")]
    OtherGenesis {
        /// Scheme and host.
        name: String,
        /// Chain id.
        chain_id: u64,
        /// Hash of its block 0.
        found: B256,
        /// The right one.
        expected: B256,
    },
    /// Too few say the same.
    #[error("{quorum} endpoints must agree, but {answers} answers said {different} different things{}", tail(.tries))]
    Disagree {
        /// chain.quorum.
        quorum: usize,
        /// How many answered.
        answers: usize,
        /// How many different answers there were.
        different: usize,
        /// Those that didn't answer.
        tries: Vec<Try>,
    },
}

fn in_words(tries: &[Try]) -> String {
    match tries {
        [] => "no endpoint can be asked".into(),
        [only] => only.why.clone(),
        several => several.iter().map(|t| format!("{}: {}", t.name, t.why)).collect::<Vec<_>>().join("; "),
    }
}

fn tail(tries: &[Try]) -> String {
    if tries.is_empty() { String::new() } else { format!("; {}", in_words(tries)) }
}

impl From<EndpointError> for Failure {
    fn from(error: EndpointError) -> Self {
        TransportErrorKind::custom(error)
    }
}

#[derive(Debug)]
struct Inner {
    list: Vec<Endpoint>,
    policy: Policy,
    clock: Clock,
    expected: Arc<Mutex<Expected>>,
    /// Until the next look at all heads.
    probed: Mutex<Option<Pause>>,
}

/// Several endpoints of one chain, as alloy's transport. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Endpoints(Arc<Inner>);

/// A wire and its limit of requests per second, if it has one.
pub type Limited = (Arc<dyn Wire>, Option<std::num::NonZeroU32>);

impl Endpoints {
    /// Endpoints in the order in which they are preferred.
    pub fn new(wires: Vec<Arc<dyn Wire>>, policy: Policy, clock: Clock) -> Self {
        Self::limited(wires.into_iter().map(|wire| (wire, None)).collect(), policy, clock)
    }

    /// Endpoints with limits of requests per second, in the order in which they are preferred.
    pub fn limited(wires: Vec<Limited>, policy: Policy, clock: Clock) -> Self {
        let expected = Arc::new(Mutex::new(Expected { chain_id: policy.chain_id, genesis: None }));
        let mut names: Vec<String> = Vec::new();
        let mut list = Vec::new();
        for (wire, rate) in wires {
            // Two keys at one host are two endpoints.
            let same = names.iter().filter(|name| *name == wire.name()).count();
            names.push(wire.name().to_owned());
            let name = if same == 0 { wire.name().to_owned() } else { format!("{}#{}", wire.name(), same + 1) };
            list.push(Endpoint::new(wire, name, rate, clock.clone(), expected.clone()));
        }
        Self(Arc::new(Inner { list, policy, clock, expected, probed: Mutex::new(None) }))
    }

    /// Whom a message is about: the only endpoint, or the first one and how many more there are.
    pub fn label(&self) -> String {
        match self.0.list.as_slice() {
            [] => "(none)".into(),
            [only] => only.name().to_owned(),
            [first, rest @ ..] => format!("{} (or {} more)", first.name(), rest.len()),
        }
    }

    /// Makes sure that the endpoints that answer are on the right chain, and gives its id. At least one must answer.
    ///
    /// # Errors
    /// None answers, or none of those that do is on the right chain.
    pub async fn verify(&self) -> Result<u64, Failure> {
        let checks = join_all(self.0.list.iter().map(Endpoint::check)).await;
        let mut tries = Tries::default();
        let mut well = 0;
        for (endpoint, outcome) in self.0.list.iter().zip(checks) {
            match outcome {
                Ok(()) => well += 1,
                Err(outcome) => tries.note(endpoint, outcome),
            }
        }
        let chain_id = lock(&self.0.expected).chain_id;
        match chain_id {
            Some(chain_id) if well > 0 => {
                for failed in &tries.list {
                    tracing::warn!(endpoint = failed.name, "it can't be used for now: {}", failed.why);
                }
                Ok(chain_id)
            }
            _ => Err(tries.error().into()),
        }
    }

    /// How each endpoint is doing, in the order in which they are preferred.
    pub fn health(&self) -> Vec<Health> {
        let best = self.best();
        self.0.list.iter().map(|endpoint| endpoint.health(best, self.0.policy.max_lag)).collect()
    }

    /// What each endpoint that can be asked says to a request.
    pub(in crate::chain) async fn each(
        &self,
        method: &'static str,
        params: &serde_json::Value,
    ) -> Result<Vec<String>, Failure> {
        let request = request::call(method, params).map_err(Failure::ser_err)?;
        let kind = Kind::of(&request);
        let asked = join_all(self.candidates(&kind).into_iter().map(|endpoint| endpoint.ask(&request, &kind))).await;
        Ok(asked
            .into_iter()
            .filter_map(|outcome| match outcome {
                Outcome::Answer(response) => answer::result(&response).map(str::to_owned),
                _ => None,
            })
            .collect())
    }

    async fn serve(self, request: Request) -> Result<Response, Failure> {
        let kind = Kind::of(&request);
        let several = self.0.policy.quorum > 1;
        match kind {
            Kind::Send => self.one_after_another(&request, &kind).await,
            Kind::Head => self.newest(&request).await,
            Kind::Block(_) | Kind::Logs(_) if several => self.agreed(&request, &kind).await,
            _ => self.first(&request, &kind).await,
        }
    }

    /// The best head of the endpoints that can be asked. What one says that can't be asked any more is out of date.
    fn best(&self) -> Option<u64> {
        let mut heads: Vec<u64> = self.0.list.iter().filter(|e| e.is_up()).filter_map(Endpoint::head).collect();
        heads.sort_unstable_by(|a, b| b.cmp(a));
        // With a quorum nobody alone makes the others look late.
        heads.get(self.0.policy.quorum.saturating_sub(1)).or(heads.last()).copied()
    }

    /// Who is asked, in this order.
    fn candidates(&self, kind: &Kind) -> Vec<&Endpoint> {
        let best = self.best();
        let behind = |endpoint: &Endpoint| match (best, endpoint.head()) {
            (Some(best), Some(head)) => best.saturating_sub(head) > self.0.policy.max_lag,
            _ => false,
        };
        let all = self.0.list.iter();
        match kind {
            // Any that takes it will do; those in step first.
            Kind::Send | Kind::Head => {
                let (late, well): (Vec<_>, Vec<_>) = all.partition(|endpoint| behind(endpoint));
                well.into_iter().chain(late).collect()
            }
            // Those that have it first, since others will say that there is none.
            Kind::Block(number) => {
                let (has, not): (Vec<_>, Vec<_>) =
                    all.filter(|e| !behind(e)).partition(|e| e.head().is_none_or(|head| head >= *number));
                has.into_iter().chain(not).collect()
            }
            Kind::Logs(_) | Kind::Lookup | Kind::State => all.filter(|endpoint| !behind(endpoint)).collect(),
        }
    }

    /// The answer of the first endpoint that has one.
    async fn first(&self, request: &Request, kind: &Kind) -> Result<Response, Failure> {
        let (mut tries, mut nothing, mut patience) = (Tries::default(), None, self.0.policy.patience);
        let mut asked: Vec<&str> = Vec::new();
        for round in 0..ROUNDS {
            let mut pause: Option<Duration> = None;
            for endpoint in self.candidates(kind) {
                if asked.contains(&endpoint.name()) {
                    continue;
                }
                match endpoint.ask(request, kind).await {
                    Outcome::Answer(response) if kind.doubts_nothing() && answer::is_nothing(&response) => {
                        if let Kind::Block(number) = kind {
                            endpoint.lacks(*number);
                        }
                        asked.push(endpoint.name());
                        nothing = Some(response);
                    }
                    Outcome::Answer(response) => return Ok(response),
                    Outcome::Pause { left, why } => {
                        pause = Some(pause.map_or(left, |pause| pause.min(left)));
                        tries.note(endpoint, Outcome::Pause { left, why });
                    }
                    outcome => {
                        match &outcome {
                            Outcome::Failed { again: true, .. } => {
                                let left = ROUND.saturating_mul(1 << round);
                                pause = Some(pause.map_or(left, |pause| pause.min(left)));
                            }
                            _ => asked.push(endpoint.name()),
                        }
                        tries.note(endpoint, outcome);
                    }
                }
            }
            // Who says that there is nothing may only be late; with everybody heard who can be, it is believed.
            if let Some(nothing) = &nothing {
                // Perhaps one is no longer taken for late, since a better head was false.
                let more = self.candidates(kind).iter().any(|endpoint| !asked.contains(&endpoint.name()));
                if more && round + 1 < ROUNDS {
                    continue;
                }
                return Ok(nothing.clone());
            }
            match pause.filter(|pause| *pause <= patience && round + 1 < ROUNDS) {
                Some(pause) => {
                    patience = patience.saturating_sub(pause);
                    self.0.clock.sleep(pause).await;
                }
                None => break,
            }
        }
        tries.answer()
    }

    /// One endpoint after another until one takes or refuses it: never two at once, and no other way round.
    async fn one_after_another(&self, request: &Request, kind: &Kind) -> Result<Response, Failure> {
        let mut tries = Tries::default();
        let mut patience = self.0.policy.patience;
        loop {
            let (mut reached, mut pause) = (false, None::<Duration>);
            for endpoint in self.candidates(kind) {
                match endpoint.ask(request, kind).await {
                    Outcome::Answer(response) => return Ok(response),
                    Outcome::Pause { left, why } => {
                        pause = Some(pause.map_or(left, |pause| pause.min(left)));
                        tries.note(endpoint, Outcome::Pause { left, why });
                    }
                    outcome => {
                        reached = true;
                        tries.note(endpoint, outcome);
                    }
                }
            }
            // It is stored and sent again by who follows it; only a pause that all of them want is waited for.
            match pause.filter(|pause| !reached && *pause <= patience) {
                Some(pause) => {
                    patience = patience.saturating_sub(pause);
                    self.0.clock.sleep(pause).await;
                }
                None => return tries.answer(),
            }
        }
    }

    /// The newest block: that of the preferred endpoint, unless it is behind what is known of the others.
    async fn newest(&self, request: &Request) -> Result<Response, Failure> {
        let (quorum, max_lag) = (self.0.policy.quorum, self.0.policy.max_lag);
        if self.0.list.len() > 1 && (quorum > 1 || self.probe_is_due()) {
            let up: Vec<&Endpoint> = self.0.list.iter().filter(|endpoint| endpoint.is_up()).collect();
            let asked = join_all(up.iter().map(|endpoint| endpoint.ask(request, &Kind::Head))).await;
            let (mut heads, mut tries) = (Vec::new(), Tries::default());
            for (endpoint, outcome) in up.into_iter().zip(asked) {
                match outcome {
                    Outcome::Answer(response) if response.is_success() => {
                        heads.extend(Block::of(&response).and_then(|block| block.number()).map(|n| (n, response)));
                    }
                    outcome => tries.note(endpoint, outcome),
                }
            }
            self.health();
            let answers = heads.len();
            match quorum::head(heads, quorum) {
                Some((_, response)) => return Ok(response),
                None if quorum > 1 => {
                    let tries = tries.list;
                    return Err(EndpointError::Disagree { quorum, answers, different: answers, tries }.into());
                }
                None => {}
            }
        }
        let response = self.first(request, &Kind::Head).await?;
        self.health();
        let number = Block::of(&response).and_then(|block| block.number());
        match (number, self.best()) {
            // It has just fallen behind: now it is no candidate any more, unless it is the only one.
            (Some(number), Some(best)) if number.saturating_add(max_lag) < best => {
                self.first(request, &Kind::Head).await
            }
            _ => Ok(response),
        }
    }

    fn probe_is_due(&self) -> bool {
        let (mut probed, now) = (lock(&self.0.probed), self.0.clock.steady());
        let due = probed.is_none_or(|pause| pause.left(now).is_none());
        if due {
            *probed = Some(Pause::new(now, self.0.policy.probe));
        }
        due
    }

    /// What so many endpoints say alike.
    async fn agreed(&self, request: &Request, kind: &Kind) -> Result<Response, Failure> {
        let quorum = self.0.policy.quorum;
        let candidates = self.candidates(kind);
        let (first, others) = candidates.split_at(quorum.min(candidates.len()));
        let (mut votes, mut tries, mut answers) = (Votes::default(), Tries::default(), 0);
        let together = join_all(first.iter().map(|endpoint| self.patiently(endpoint, request, kind))).await;
        let mut heard: Vec<(&Endpoint, Outcome)> = first.iter().copied().zip(together).collect();
        let mut others = others.iter();
        loop {
            for (endpoint, outcome) in heard.drain(..) {
                match outcome {
                    Outcome::Answer(response) => {
                        let Some(said) = Said::by(kind, &response) else {
                            // A refusal, such as that of a range that is too large.
                            return Ok(response);
                        };
                        answers += 1;
                        if let Some(agreed) = votes.count(said, response, quorum) {
                            return Ok(agreed);
                        }
                    }
                    outcome => tries.note(endpoint, outcome),
                }
            }
            match others.next() {
                Some(endpoint) => heard.push((endpoint, self.patiently(endpoint, request, kind).await)),
                None => break,
            }
        }
        if answers == 0 {
            return tries.answer();
        }
        Err(EndpointError::Disagree { quorum, answers, different: votes.different(), tries: tries.list }.into())
    }

    /// Asks one endpoint, which nobody else can stand in for.
    async fn patiently(&self, endpoint: &Endpoint, request: &Request, kind: &Kind) -> Outcome {
        let mut patience = self.0.policy.patience;
        let mut round = 0;
        loop {
            let outcome = endpoint.ask(request, kind).await;
            let pause = match &outcome {
                Outcome::Pause { left, .. } => *left,
                Outcome::Failed { again: true, .. } => ROUND.saturating_mul(1 << round),
                _ => return outcome,
            };
            round += 1;
            if round >= ROUNDS || pause > patience {
                return outcome;
            }
            patience = patience.saturating_sub(pause);
            self.0.clock.sleep(pause).await;
        }
    }
}

impl tower_service::Service<RequestPacket> for Endpoints {
    type Response = Response;
    type Error = Failure;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: RequestPacket) -> Self::Future {
        Box::pin(self.clone().serve(request))
    }
}

/// What came of asking endpoints that gave no answer.
#[derive(Debug, Default)]
struct Tries {
    list: Vec<Try>,
    /// The latest error that a node gave as its answer.
    said: Option<Response>,
    excluded: Vec<EndpointError>,
}

impl Tries {
    fn note(&mut self, endpoint: &Endpoint, outcome: Outcome) {
        let why = match outcome {
            Outcome::Answer(response) | Outcome::NotHere(response) => {
                let why = response.first_error_message().unwrap_or("no result").to_owned();
                self.said = Some(response);
                why
            }
            Outcome::Pause { why, .. } => why,
            Outcome::Failed { why, said, .. } => {
                self.said = said.or(self.said.take());
                why
            }
            Outcome::Excluded(error) => {
                let why = error.to_string();
                self.excluded.push(error);
                why
            }
        };
        match self.list.iter_mut().find(|other| other.name == endpoint.name()) {
            Some(earlier) => earlier.why = why,
            None => self.list.push(Try { name: endpoint.name().to_owned(), why }),
        }
    }

    /// What a node said, or else why there is nothing.
    fn answer(self) -> Result<Response, Failure> {
        match self.said {
            Some(response) => Ok(response),
            None => Err(self.error().into()),
        }
    }

    fn error(self) -> EndpointError {
        let excluded = self.excluded.len();
        match self.excluded.into_iter().next() {
            // Nobody is left who may ever answer.
            Some(error) if excluded == self.list.len() => error,
            _ => EndpointError::NoAnswer(self.list),
        }
    }
}
