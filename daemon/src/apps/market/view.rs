//! What everybody may see of markets: terms, pools, the bulletin, what the network read in it, and the transaction with its proof.

use std::{
    collections::BTreeMap,
    fs,
    path::Path as FilePath,
    sync::{Arc, OnceLock},
};

use axum::{extract::State, http::HeaderMap, response::Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    PredictionMarket,
    book::{self, End, Page},
    contract::{Markets, Told},
};
use crate::{
    apps::{history::History, views},
    chain::{
        client::Header,
        types::{Address, B256, U256},
    },
    feed::Bulletin,
    http::{
        Live, Shared,
        answer::{self, ApiError, List, Path, Query},
        live::Cache,
        stream::{Event, Follower},
    },
    monitor::Progress,
    prover::Models,
};

/// The file of a model's folder with the names of its classes, one a line.
const CLASSES: &str = "classes.txt";

/// Decided markets whose transactions are remembered.
const REMEMBERED: usize = 2000;

/// What is remembered between requests.
#[derive(Debug)]
pub(super) struct Known {
    history: OnceLock<History<Told>>,
    /// Each transaction that decided a market, with its calldata.
    proofs: Cache<B256, (MarketProof, Vec<u8>)>,
}

impl Default for Known {
    fn default() -> Self {
        Self { history: OnceLock::new(), proofs: Cache::new(REMEMBERED) }
    }
}

/// Where a market stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MarketState {
    /// It takes bets.
    Open,
    /// It waits for its bulletin.
    Closed,
    /// A proven bulletin decided it.
    Decided,
    /// Nothing did, for good.
    Undecided,
}

/// A market.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MarketView {
    /// Chain id.
    pub chain_id: u64,
    /// The contract of markets.
    pub contract: String,
    /// Its number in the contract.
    pub id: String,
    /// What is asked, in words.
    pub question: String,
    /// Where it stands by the chain's newest block.
    pub state: MarketState,
    /// The classes on which can be bet, in the model's order.
    pub outcomes: Vec<OutcomeView>,
    /// What was bet on all of them, in wei.
    pub total: String,
    /// Unix time from which bets are refused and bulletins count.
    pub close: u64,
    /// The last Unix time at which it can be decided.
    pub deadline: u64,
    /// Who signs the bulletin that decides it.
    pub publisher: String,
    /// The publisher's feed.
    pub feed_id: String,
    /// The bulletin's number in the feed.
    pub sequence: u64,
    /// The contract that checks proofs.
    pub verifier: String,
    /// The model that reads the bulletin.
    pub model_id: String,
    /// The least margin that decides, as the model's integer.
    pub min_margin: u32,
    /// The class that decides nothing, if there is one.
    pub no_result: Option<u8>,
    /// The bulletin, once it has come or has decided.
    pub bulletin: Option<BulletinView>,
    /// What the network read in it, once a proof shows that on the chain.
    pub answer: Option<MarketAnswer>,
    /// The transaction with the proof.
    pub proof: Option<MarketProof>,
    /// Whether everybody gets their bets back.
    pub refunds: bool,
    /// How this daemon's answer is getting on; null if it has nothing to answer yet.
    pub progress: Option<Progress>,
}

/// A class on which can be bet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutcomeView {
    /// The model's class.
    pub class: u8,
    /// Its name, where the model's folder has one.
    pub name: Option<String>,
    /// What was bet on it, in wei.
    pub pool: String,
}

/// A signed bulletin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BulletinView {
    /// What it says.
    pub text: String,
    /// Its number in the feed.
    pub sequence: u64,
    /// Unix time by the publisher's clock.
    pub timestamp: u64,
    /// The publisher's signature, 65 bytes.
    pub signature: String,
    /// Who signed it.
    pub publisher: String,
}

/// What the network read in a bulletin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MarketAnswer {
    /// The class.
    pub class: u8,
    /// Its name, where the model's folder has one.
    pub name: Option<String>,
    /// How far it is ahead of the next class, as the model's integer.
    pub margin: u64,
}

/// A transaction that carried a proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MarketProof {
    /// Its hash.
    pub tx: String,
    /// Its block.
    pub block: u64,
    /// Gas that it used; null if the node doesn't say.
    pub gas_used: Option<u64>,
    /// Who sent it.
    pub submitter: String,
}

/// Which markets are listed.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct MarketsQuery {
    /// The contract of markets; the daemon's first if left out.
    contract: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Most rows of the page; 50 if left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// In which contract a market is.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ContractQuery {
    /// The contract of markets; the daemon's first if left out.
    contract: Option<String>,
}

/// The routes, below `/api/v1`.
pub(in crate::apps) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(markets)).routes(routes!(market)).routes(routes!(market_stream))
}

/// Markets, newest first.
#[utoipa::path(
    get, path = "/chains/{chain}/markets", tag = "market",
    params(("chain" = u64, Path, description = "Chain id"), MarketsQuery),
    responses((status = 200, body = List<MarketView>), (status = 304, description = "Unchanged"))
)]
async fn markets(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Path(chain): Path<u64>,
    Query(query): Query<MarketsQuery>,
) -> Result<Response, ApiError> {
    let live = shared.chain(chain)?;
    let app = app_of(live, query.contract.as_deref())?;
    let before = answer::before(query.cursor.as_deref())?.map(U256::from);
    let limit = answer::limit(query.limit)? as usize;
    let head = live.head().await?;
    let book = app.book(live, &head).await?;
    let pages: Vec<_> =
        book.iter().rev().filter(|(id, _)| before.is_none_or(|before| **id < before)).take(limit + 1).collect();
    let mut items = Vec::with_capacity(pages.len().min(limit));
    for (id, page) in pages.iter().take(limit) {
        items.push(app.view(live, &head, **id, page).await?);
    }
    let next = items.last().filter(|_| pages.len() > limit).map(|last| last.id.clone());
    views::answer(live, &head, &headers, &List { items, next })
}

/// One market.
#[utoipa::path(
    get, path = "/chains/{chain}/markets/{id}", tag = "market",
    params(("chain" = u64, Path, description = "Chain id"), ("id" = String, Path, description = "The market's number"), ContractQuery),
    responses((status = 200, body = MarketView), (status = 304, description = "Unchanged"))
)]
async fn market(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Path((chain, id)): Path<(u64, String)>,
    Query(query): Query<ContractQuery>,
) -> Result<Response, ApiError> {
    let live = shared.chain(chain)?;
    let app = app_of(live, query.contract.as_deref())?;
    let head = live.head().await?;
    let view = app.one(live, &head, views::number(&id, "a market")?).await?;
    views::answer(live, &head, &headers, &view)
}

/// One market as it changes: the event `market` holds all of it.
#[utoipa::path(
    get, path = "/chains/{chain}/markets/{id}/stream", tag = "market",
    params(("chain" = u64, Path, description = "Chain id"), ("id" = String, Path, description = "The market's number"), ContractQuery),
    responses((status = 200, description = "Server-Sent Events `market`", content_type = "text/event-stream", body = MarketView))
)]
async fn market_stream(
    State(shared): State<Shared>,
    Path((chain, id)): Path<(u64, String)>,
    Query(query): Query<ContractQuery>,
    follower: Follower,
) -> Result<Response, ApiError> {
    let live = shared.chain(chain)?;
    let (contract, id) = (app_of(live, query.contract.as_deref())?.markets.address(), views::number(&id, "a market")?);
    let look = move |live: Live| async move {
        let head = live.head().await?;
        let view = of_contract(&live, contract)?.one(&live, &head, id).await?;
        Ok(vec![Event::new("market", &view)?])
    };
    shared.follow(live, follower, format!("markets/{contract}/{id}"), look).await
}

impl PredictionMarket {
    /// All markets as of a block.
    async fn book(&self, live: &Live, head: &Header) -> Result<BTreeMap<U256, Page>, ApiError> {
        let history = self.known.history.get_or_init(|| History::of(live.config(), self.markets.address()));
        let told = history.up_to(live.client(), head.block, |log| self.markets.told(log)).await?;
        Ok(book::read(&told))
    }

    async fn one(&self, live: &Live, head: &Header, id: U256) -> Result<MarketView, ApiError> {
        let book = self.book(live, head).await?;
        let page = book.get(&id).ok_or_else(|| ApiError::not_there(format!("market {id}")))?;
        self.view(live, head, id, page).await
    }

    async fn view(&self, live: &Live, head: &Header, id: U256, page: &Page) -> Result<MarketView, ApiError> {
        let terms = &page.terms;
        let names = classes(&self.models, terms.model_id);
        let name = |class: u8| names.get(usize::from(class)).cloned();
        let (state, answer, proof) = match page.end {
            None if head.timestamp < terms.close => (MarketState::Open, None, None),
            None => (MarketState::Closed, None, None),
            Some(End::Undecided) => (MarketState::Undecided, None, None),
            Some(End::Decided { class, margin, tx, block }) => {
                let answer = MarketAnswer { class, name: name(class), margin: margin.saturating_to() };
                (MarketState::Decided, Some(answer), Some(self.proof(live, tx, block).await?))
            }
        };
        let known = live.store().bulletin(terms.publisher, terms.feed_id, terms.sequence).await?;
        let bulletin = match (known, &proof) {
            // Another daemon may have had it from another source.
            (None, Some((_, input))) => Markets::bulletin_in(input, terms.feed_id, terms.sequence),
            (known, _) => known,
        };
        Ok(MarketView {
            chain_id: live.chain_id(),
            contract: self.markets.address().to_string(),
            id: id.to_string(),
            question: terms.question.clone(),
            state,
            outcomes: page
                .outcomes()
                .map(|class| OutcomeView { class, name: name(class), pool: page.pool(class).to_string() })
                .collect(),
            total: page.total().to_string(),
            close: terms.close,
            deadline: terms.deadline,
            publisher: terms.publisher.to_string(),
            feed_id: terms.feed_id.to_string(),
            sequence: terms.sequence,
            verifier: terms.verifier.to_string(),
            model_id: terms.model_id.to_string(),
            min_margin: terms.min_margin,
            no_result: page.no_result(),
            bulletin: bulletin.map(|bulletin| bulletin_view(&bulletin, terms.publisher)),
            answer,
            proof: proof.map(|(proof, _)| proof),
            refunds: page.refunds(),
            progress: live.progress(self.markets.address(), id).await?,
        })
    }

    /// A transaction that decided a market, with its calldata. One that is mined doesn't change, so that it is read once.
    async fn proof(&self, live: &Live, tx: B256, block: u64) -> Result<(MarketProof, Vec<u8>), ApiError> {
        let read = self.known.proofs.at(&tx, tx, async |_| {
            let sent = live.client().sent(tx).await?;
            let (from, input) = sent.map(|sent| (sent.from, sent.input)).unwrap_or_default();
            let gas_used = live.client().mined(tx).await?.map(|mined| mined.gas_used);
            let proof = MarketProof { tx: tx.to_string(), block, gas_used, submitter: from.to_string() };
            Ok::<_, ApiError>((proof, input.to_vec()))
        });
        let (proof, input) = Arc::unwrap_or_clone(read.await?);
        // The block may be another one after a reorganisation.
        Ok((MarketProof { block, ..proof }, input))
    }
}

/// The contract's app, or the first.
fn app_of<'a>(live: &'a Live, contract: Option<&str>) -> Result<&'a PredictionMarket, ApiError> {
    match contract {
        None => live.app(),
        Some(text) => {
            let wrong = |_| ApiError::Malformed("contract is an address, 0x and 40 hex digits".into());
            of_contract(live, text.parse::<Address>().map_err(wrong)?)
        }
    }
}

fn of_contract(live: &Live, contract: Address) -> Result<&PredictionMarket, ApiError> {
    let found = live.apps::<PredictionMarket>().find(|app| app.markets.address() == contract);
    found.ok_or_else(|| ApiError::not_there(format!("contract of markets {contract}")))
}

fn bulletin_view(bulletin: &Bulletin, publisher: Address) -> BulletinView {
    BulletinView {
        text: bulletin.text.as_str().to_owned(),
        sequence: bulletin.sequence,
        timestamp: bulletin.timestamp,
        signature: crate::chain::types::Bytes::from(bulletin.signature.to_vec()).to_string(),
        publisher: publisher.to_string(),
    }
}

/// The names of a model's classes, as its folder has them; none of one that isn't ours.
fn classes(models: &Models, model_id: B256) -> Vec<String> {
    let folder = models.sources().find(|(prover, _)| prover.model_id() == model_id.0).map(|(_, source)| &source.dir);
    folder.map(|folder| classes_in(folder)).unwrap_or_default()
}

fn classes_in(folder: &FilePath) -> Vec<String> {
    let text = fs::read_to_string(folder.join(CLASSES)).unwrap_or_default();
    text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}
