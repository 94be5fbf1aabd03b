//! `[market]`, checked: prediction markets and the feeds that decide them.

use std::{path::PathBuf, time::Duration};

use super::{
    ConfigError, address, at_least, bad, gwei_or_none,
    raw::{RawFeed, RawMarket},
};
use crate::{
    chain::types::{Address, U256},
    feed::{self, FeedConfig, Limits, SourceConfig},
};

/// Prediction markets and the feeds that decide them.
#[derive(Clone, Debug)]
pub struct MarketConfig {
    /// The contracts of markets.
    pub contracts: Vec<Address>,
    /// A board on which bulletins are posted.
    pub board: Option<Address>,
    /// The folders of the text models.
    pub models: Vec<PathBuf>,
    /// Whether markets are ended that nothing decided in time.
    pub expire: bool,
    /// Markets with less in their pool are left to others, in wei.
    pub min_pool: U256,
    /// The feeds.
    pub feeds: Vec<FeedConfig>,
}

impl MarketConfig {
    pub(super) fn from_raw(raw: RawMarket) -> Result<Self, ConfigError> {
        if raw.models.is_empty() {
            return Err(bad(
                "market.models",
                "",
                "names no folder: list those of the text models that are to be proven",
            ));
        }
        let contract = |text: &String| address("market.contracts", text);
        let board = (!raw.board.is_empty()).then(|| address("market.board", &raw.board)).transpose()?;
        if raw.feeds.is_empty() {
            return Err(bad(
                "market.feeds",
                "",
                "names no feed: add [[market.feeds]] with publisher, feed and a source",
            ));
        }
        Ok(Self {
            contracts: raw.contracts.iter().map(contract).collect::<Result<_, _>>()?,
            board,
            models: raw.models.into_iter().map(PathBuf::from).collect(),
            expire: raw.expire,
            min_pool: gwei_or_none("market.min_pool_gwei", raw.min_pool_gwei)?,
            feeds: raw.feeds.into_iter().map(|feed| feed_of(feed, board.is_some())).collect::<Result<_, _>>()?,
        })
    }
}

fn feed_of(raw: RawFeed, has_board: bool) -> Result<FeedConfig, ConfigError> {
    let every = Duration::from_millis(at_least("market.feeds.poll_ms", raw.poll_ms, 20)?);
    let http = raw.http.into_iter().map(|url| SourceConfig::Http { url, every });
    let sse = raw.sse.into_iter().map(|url| SourceConfig::Sse { url });
    let dir = raw.dir.into_iter().map(|path| SourceConfig::Dir { path: path.into(), every });
    let config = FeedConfig {
        publisher: address("market.feeds.publisher", &raw.publisher)?,
        feed_id: feed::feed_id(&raw.feed).map_err(|e| bad("market.feeds.feed", &raw.feed, &e.to_string()))?,
        sources: http.chain(sse).chain(dir).collect(),
        limits: Limits::default(),
    };
    if config.sources.is_empty() && !has_board {
        return Err(bad("market.feeds", &raw.feed, "has no source: give it http, sse or dir, or set market.board"));
    }
    feed::Sources::open(&config).map_err(|e| bad("market.feeds", &raw.feed, &e.to_string()))?;
    Ok(config)
}
