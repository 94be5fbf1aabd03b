//! Where bulletins come from. A source fetches, reads and retries; it never judges: whose a bulletin is, the
//! [inbox](super::inbox) says.
//!
//! Nothing that a source reads can stop it: what isn't a bulletin is reported once, with where and why, and left out;
//! what doesn't answer is asked again, ever more slowly. All that is read has a limit ([`Limits`]).

mod backoff;
pub(super) mod dir;
mod event_stream;
#[cfg(test)]
mod fuzz;
mod http;
mod outlet;
mod sse;

use std::{path::PathBuf, time::Duration};

use reqwest::Url;

use crate::chain::error::one_line;

use super::bulletin::BulletinError;
pub(super) use outlet::Outlet;

/// Shortest pause between two looks, whatever is configured.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);

/// One place that bulletins come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceConfig {
    /// A JSON list of bulletins, or a single one, asked for again and again with `If-None-Match`.
    Http {
        /// http:// or https:// address.
        url: String,
        /// Pause between two requests.
        every: Duration,
    },
    /// Server-Sent Events with a bulletin in JSON each, of type `bulletin` or of none.
    Sse {
        /// http:// or https:// address.
        url: String,
    },
    /// Files `*.json` of a folder, a bulletin each.
    Dir {
        /// The folder.
        path: PathBuf,
        /// Pause between two looks.
        every: Duration,
    },
}

impl SourceConfig {
    /// What it is called in reports.
    pub fn name(&self) -> String {
        match self {
            Self::Http { url, .. } | Self::Sse { url } => url.clone(),
            Self::Dir { path, .. } => path.display().to_string(),
        }
    }

    /// The address, where it has one.
    fn url(&self) -> Result<Option<Url>, SourceError> {
        let (Self::Http { url, .. } | Self::Sse { url }) = self else { return Ok(None) };
        let wrong = |why: String| SourceError::BadUrl { url: one_line(url), why };
        let parsed: Url = url.parse().map_err(|e| wrong(format!("{e}")))?;
        match parsed.scheme() {
            "http" | "https" => Ok(Some(parsed)),
            other => Err(wrong(format!("{other} is neither http nor https"))),
        }
    }
}

/// What a source may take: time and room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest wait for a connection, for a whole answer, and for an event stream's head.
    pub answer: Duration,
    /// Longest silence of an event stream; servers send comments in between.
    pub silence: Duration,
    /// Pause after a first failure; it doubles with each further one, and up to half of it is taken off at random.
    pub first_pause: Duration,
    /// Longest pause after a failure.
    pub longest_pause: Duration,
    /// Most bytes of an HTTP answer.
    pub body: usize,
    /// Most bytes of a file, and of an event.
    pub item: usize,
    /// Most files that are looked at in a folder.
    pub files: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(20),
            silence: Duration::from_secs(90),
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(120),
            body: 1 << 20,
            item: 8 << 10,
            files: 100_000,
        }
    }
}

/// What is wrong with a source, or with something that it gave.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Not an address that can be asked.
    #[error("source {url}: not a usable address: {why}; write http://… or https://…")]
    BadUrl {
        /// As configured.
        url: String,
        /// Why.
        why: String,
    },
    /// The HTTP client can't be made.
    #[error("no HTTP client for sources: {0}; are the system's certificates in order?")]
    Client(String),
    /// No answer, or it broke off.
    #[error("{url}: no whole answer: {why}; it is asked again")]
    NoAnswer {
        /// Address.
        url: String,
        /// Why.
        why: String,
    },
    /// An answer other than 200.
    #[error("{url}: HTTP status {status}; it is asked again: check the address if that stays")]
    Status {
        /// Address.
        url: String,
        /// The status.
        status: u16,
    },
    /// Too long an answer.
    #[error("{url}: the answer has more than {limit} bytes and is not read; is it a list of bulletins?")]
    TooLarge {
        /// Address.
        url: String,
        /// Most bytes.
        limit: usize,
    },
    /// Something else than JSON.
    #[error("{url}: the answer is no list of bulletins: {why}; check the address")]
    NotAList {
        /// Address.
        url: String,
        /// Why.
        why: String,
    },
    /// Something else than events.
    #[error("{url}: the answer is \"{found}\", not text/event-stream; check the address, or poll it as http")]
    NotEvents {
        /// Address.
        url: String,
        /// Its content type.
        found: String,
    },
    /// An event stream that says nothing, not even comments.
    #[error("{url}: nothing in {seconds} s, not even a comment; it is connected to again")]
    Silent {
        /// Address.
        url: String,
        /// How long was waited.
        seconds: u64,
    },
    /// An event stream without an event.
    #[error("{url}: the stream ended without an event; it is connected to again")]
    Ended {
        /// Address.
        url: String,
    },
    /// An event without an end.
    #[error("{url}: an event went on for more than {limit} bytes; it is connected to again")]
    Endless {
        /// Address.
        url: String,
        /// Most bytes.
        limit: usize,
    },
    /// The folder can't be read.
    #[error("folder {path}: {why}; it is looked at again")]
    Folder {
        /// The folder.
        path: String,
        /// Why.
        why: String,
    },
    /// A folder with too much in it.
    #[error("folder {path}: more than {limit} files; the others are not looked at: move old ones away")]
    TooManyFiles {
        /// The folder.
        path: String,
        /// Most files.
        limit: usize,
    },
    /// Something that isn't a bulletin.
    #[error("{place}: {why}")]
    BadItem {
        /// Where it was.
        place: String,
        /// Why it isn't one.
        why: ItemError,
    },
    /// More of it.
    #[error("{place}: more than {most} things that are no bulletins; further ones are left out without a word")]
    MoreBadItems {
        /// Where they were.
        place: String,
        /// How many were reported.
        most: usize,
    },
}

crate::code::codes!(SourceError {
    BadUrl = 641,
    Client = 642,
    NoAnswer = 643,
    Status = 644,
    TooLarge = 645,
    NotAList = 646,
    NotEvents = 647,
    Silent = 648,
    Ended = 649,
    Endless = 650,
    Folder = 651,
    TooManyFiles = 652,
    BadItem = 653,
    MoreBadItems = 654,
});

/// Why something that was read isn't a bulletin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ItemError {
    /// Its content.
    #[error(transparent)]
    Bulletin(#[from] BulletinError),
    /// Its size.
    #[error("it has more than {limit} bytes and is not read; a bulletin has fewer")]
    TooLong {
        /// Most bytes.
        limit: usize,
    },
    /// The file system's words.
    #[error("it can't be read: {0}; check its permissions")]
    Unreadable(String),
}

crate::code::codes!(ItemError { TooLong = 655, Unreadable = 656; Bulletin });

/// A source that is ready to be asked.
#[derive(Debug)]
pub(super) enum Source {
    Http(http::Http),
    Sse(sse::Sse),
    Dir(dir::Dir, Duration, Limits),
}

impl Source {
    /// Checks a configuration; asks nothing yet.
    ///
    /// # Errors
    /// [`SourceError::BadUrl`] and [`SourceError::Client`].
    pub(super) fn open(config: &SourceConfig, limits: Limits) -> Result<Self, SourceError> {
        Ok(match (config, config.url()?) {
            (SourceConfig::Http { every, .. }, Some(url)) => Self::Http(http::Http::new(url, *every, limits)?),
            (SourceConfig::Sse { .. }, Some(url)) => Self::Sse(sse::Sse::new(url, limits)?),
            (SourceConfig::Dir { path, every }, _) => Self::Dir(dir::Dir::new(path.clone(), limits), *every, limits),
            (SourceConfig::Http { url, .. } | SourceConfig::Sse { url }, None) => {
                return Err(SourceError::BadUrl { url: one_line(url), why: "it is none".into() });
            }
        })
    }

    /// Asks until nobody listens any more. May be dropped at any point.
    pub(super) async fn run(self, outlet: Outlet) {
        match self {
            Self::Http(http) => http.run(outlet).await,
            Self::Sse(sse) => sse.run(outlet).await,
            Self::Dir(dir, every, limits) => dir::run(dir, every, limits, outlet).await,
        }
    }
}

/// An HTTP client that isn't led far astray. It has no time-out for a whole answer: event streams have no end.
fn client(limits: Limits) -> Result<reqwest::Client, SourceError> {
    crate::chain::install_tls();
    reqwest::Client::builder()
        .connect_timeout(limits.answer)
        .redirect(reqwest::redirect::Policy::limited(3))
        .user_agent(concat!("zugzwang/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .build()
        .map_err(|e| SourceError::Client(one_line(&e.to_string())))
}

/// The innermost of an HTTP error's reasons, which says most; reqwest's own words repeat the address.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it took too long".into();
    }
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    one_line(&inner.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_before_anything_is_asked() {
        let http = |url: &str| SourceConfig::Http { url: url.into(), every: Duration::from_secs(1) };
        let sse = |url: &str| SourceConfig::Sse { url: url.into() };
        let cases = [
            (http("http://127.0.0.1:1/bulletins"), None),
            (sse("https://example.org/events"), None),
            (SourceConfig::Dir { path: "/nowhere".into(), every: Duration::ZERO }, None),
            (http(""), Some("not a usable address")),
            (http("bulletins"), Some("not a usable address")),
            (sse("ftp://example.org/"), Some("ftp is neither http nor https")),
            (sse("file:///etc/passwd"), Some("file is neither http nor https")),
        ];
        for (config, says) in cases {
            match (Source::open(&config, Limits::default()), says) {
                (Ok(_), None) => {}
                (Err(error), Some(says)) => assert!(error.to_string().contains(says), "{error}"),
                (opened, _) => panic!("{config:?}: {opened:?}"),
            }
        }
    }
}
