//! How the API answers: lists by the page, what hasn't changed by its tag alone, and what went wrong as `application/problem+json`.

use axum::{
    extract::{FromRequest, FromRequestParts, Request, rejection::JsonRejection},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, IF_NONE_MATCH, RETRY_AFTER, WWW_AUTHENTICATE,
        },
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::{IntoParams, ToSchema};

use super::Told;
use crate::{
    apps::AppError,
    chain::ChainError,
    code::{Code, Coded},
    service::OrderError,
    store::StoreError,
};

/// Most rows of a page.
pub const MOST_ROWS: u32 = 200;
/// Rows of a page where nobody says.
const ROWS: u32 = 50;
/// Where the pages of the codes are.
const PAGES: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/");

/// Why a request to the API isn't answered.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// It can't be read.
    #[error("{0}")]
    Malformed(String),
    /// It bears no token, or another one.
    #[error("send the token as `Authorization: Bearer …`: that of http.token_file, or of the file beside the store")]
    Token,
    /// No such path.
    #[error("there is no such path; /api/v1/openapi.json lists those that there are")]
    NoPath,
    /// A path that takes other methods.
    #[error("this path takes other methods; /api/v1/openapi.json lists them")]
    Method,
    /// The body is too large.
    #[error("the body is larger than is read here; send less")]
    TooLarge,
    /// Nothing of this chain is public.
    #[error("nothing of chain {chain_id} is public here; its operator can set web.public = true")]
    NotPublic {
        /// The chain that was asked for.
        chain_id: u64,
    },
    /// It isn't there.
    #[error("there is no {what} here; it may not be in a block yet")]
    NotThere {
        /// What was asked for.
        what: String,
    },
    /// One client asks too often.
    #[error("too many requests from your address; ask again in {seconds} s")]
    TooMany {
        /// When there is room again.
        seconds: u64,
    },
    /// Too many follow.
    #[error("there are {streams} event streams, more than are served; close some, or try again in {seconds} s")]
    TooManyStreams {
        /// How many there may be.
        streams: usize,
        /// When to try again.
        seconds: u64,
    },
    /// The service doesn't run yet, or not any more.
    #[error("the service isn't ready: {why}; try again in a few seconds")]
    NotReady {
        /// Why, or where to look.
        why: String,
    },
    /// Anything else, with its own code.
    #[error(transparent)]
    Told(#[from] Told),
    /// The node.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An order.
    #[error(transparent)]
    Order(#[from] OrderError),
}

crate::code::codes!(ApiError {
    Malformed = 817,
    Token = 802,
    NoPath = 807,
    Method = 818,
    TooLarge = 819,
    NotPublic = 808,
    NotThere = 809,
    TooMany = 810,
    TooManyStreams = 815,
    NotReady = 816;
    Chain, Store, Order, Told
});

impl From<AppError> for ApiError {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Chain(error) => error.into(),
            AppError::Store(error) => error.into(),
            error @ AppError::Lacking { .. } => Self::NotReady { why: error.to_string() },
        }
    }
}

impl ApiError {
    /// What was asked for isn't there.
    pub fn not_there(what: impl Into<String>) -> Self {
        Self::NotThere { what: what.into() }
    }

    /// Our own fault.
    pub fn bug(error: &dyn std::fmt::Display) -> Self {
        Self::Told(Told { code: Code::BUG, message: format!("{error}; report this as a bug") })
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Token => StatusCode::UNAUTHORIZED,
            Self::NoPath | Self::NotPublic { .. } | Self::NotThere { .. } => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::TooManyStreams { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::NotReady { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Told(_) => StatusCode::INTERNAL_SERVER_ERROR,
            // The node's fault, and likely to pass.
            Self::Chain(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Order(error) => match error {
                OrderError::NoJob { .. } | OrderError::NoTransaction { .. } => StatusCode::NOT_FOUND,
                OrderError::NotEnded { .. }
                | OrderError::NotOpen { .. }
                | OrderError::NotLive { .. }
                | OrderError::NotRead { .. } => StatusCode::CONFLICT,
                OrderError::Stopping => StatusCode::SERVICE_UNAVAILABLE,
                OrderError::Service(_) => StatusCode::BAD_GATEWAY,
            },
        }
    }

    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooMany { seconds } | Self::TooManyStreams { seconds, .. } => Some(*seconds),
            Self::NotReady { .. } | Self::Chain(_) | Self::Store(_) => Some(2),
            _ => None,
        }
    }
}

/// What went wrong, as RFC 9457 has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// The page of the code: causes, and what to do.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What, where, what to do.
    pub detail: String,
    /// The stable code, such as `ZZ-809`.
    pub code: String,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = (self.status(), self.code());
        if status.is_server_error() {
            tracing::debug!(%code, "a request to the API: {self}");
        }
        let problem = Problem {
            kind: format!("{PAGES}{}", code.page()),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: self.to_string(),
            code: code.to_string(),
        };
        let body = serde_json::to_string(&problem).unwrap_or_default() + "\n";
        let mut response = (status, [(CONTENT_TYPE, "application/problem+json")], body).into_response();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        if matches!(self, Self::Token) {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// A JSON answer.
pub fn json(body: &impl Serialize) -> Result<Response, ApiError> {
    let text = serde_json::to_string(body).map_err(|e| ApiError::bug(&e))?;
    Ok(([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], text + "\n").into_response())
}

/// A file to be kept.
pub fn csv(name: &str, text: String) -> Response {
    let disposition = format!("attachment; filename=\"{name}.csv\"");
    ([(CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (CONTENT_DISPOSITION, disposition)], text).into_response()
}

/// A cell of a CSV file. One that a spreadsheet would take for a formula is marked as text.
pub fn cell(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// What an answer depends on, as the client may know it already.
#[derive(Clone, Debug)]
pub struct Tag(String);

impl Tag {
    /// A tag of everything that the answer is made of: a block's hash, a row's change.
    pub fn of(parts: &[&dyn std::fmt::Display]) -> Self {
        use crate::chain::types::keccak256;
        let text = parts.iter().fold(env!("CARGO_PKG_VERSION").to_owned(), |text, part| format!("{text}|{part}"));
        let hash = keccak256(text.as_bytes());
        Self(format!("W/\"{}\"", hash[..12].iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
    }

    /// As a header has it.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether the client has this very answer: then it isn't made again.
    pub fn is_known(&self, headers: &HeaderMap) -> bool {
        let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        let given = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        given.flat_map(|value| value.split(',')).any(|tag| tag.trim() == "*" || strong(tag) == strong(&self.0))
    }

    /// "Not modified".
    pub fn unchanged(&self) -> Response {
        (StatusCode::NOT_MODIFIED, [(ETAG, self.0.clone()), (CACHE_CONTROL, "no-cache".to_owned())]).into_response()
    }

    /// The answer with its tag. A cache must ask each time whether it still holds.
    pub fn on(&self, body: &impl Serialize) -> Result<Response, ApiError> {
        let mut response = json(body)?;
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if let Ok(tag) = HeaderValue::from_str(&self.0) {
            headers.insert(ETAG, tag);
        }
        Ok(response)
    }
}

/// Some rows of a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    /// The rows.
    pub items: Vec<T>,
    /// What the next page is asked with as `cursor`; null if this is the last one.
    pub next: Option<String>,
}

impl<T> List<T> {
    /// All there is.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

/// Which page of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// `next` of the page before; none for the first page.
    pub cursor: Option<String>,
    /// Most rows of the page; 50 if left out.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

impl PageQuery {
    /// Rows of the page.
    pub fn limit(&self) -> Result<u32, ApiError> {
        limit(self.limit)
    }

    /// Where it begins: a row's number, below which the page's rows are.
    pub fn before(&self) -> Result<Option<u64>, ApiError> {
        before(self.cursor.as_deref())
    }
}

/// Rows of a page, from 1 to [`MOST_ROWS`].
pub fn limit(asked: Option<u32>) -> Result<u32, ApiError> {
    match asked {
        None => Ok(ROWS),
        Some(limit @ 1..=MOST_ROWS) => Ok(limit),
        Some(limit) => {
            Err(ApiError::Malformed(format!("limit = {limit} is out of range: ask for 1 to {MOST_ROWS} rows")))
        }
    }
}

/// The row that a cursor names.
pub fn before(cursor: Option<&str>) -> Result<Option<u64>, ApiError> {
    let wrong = || ApiError::Malformed("cursor is none of ours: take `next` of the page before, as it is".into());
    let number = |text: &str| text.parse().ok().filter(|row| *row <= i64::MAX as u64).ok_or_else(wrong);
    cursor.map(number).transpose()
}

/// The query of a request, with what is wrong with it in words.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let read = axum::extract::Query::try_from_uri(&parts.uri);
        read.map(|axum::extract::Query(value)| Self(value)).map_err(|e| ApiError::Malformed(e.body_text()))
    }
}

/// The parts of a path, with what is wrong with them in words.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let read = axum::extract::Path::from_request_parts(parts, state).await;
        read.map(|axum::extract::Path(value)| Self(value)).map_err(|e| ApiError::Malformed(e.body_text()))
    }
}

/// A body of JSON.
#[derive(Clone, Copy, Debug)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match axum::Json::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(JsonRejection::BytesRejection(e)) if e.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(ApiError::TooLarge)
            }
            Err(error) => Err(ApiError::Malformed(error.body_text())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_text_and_one_cell() {
        for (text, shown) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"yes\"", "\"say \"\"yes\"\"\""),
            ("=1+1", "'=1+1"),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(cell(text), shown);
        }
    }

    #[test]
    fn tags_are_compared_weakly() {
        let tag = Tag::of(&[&"0x12", &7]);
        let asked = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, value.parse().expect("value"));
            tag.is_known(&headers)
        };
        let bare = tag.0.trim_start_matches("W/").to_owned();
        assert!(asked(&tag.0) && asked(&bare) && asked(&format!("\"x\", {}", tag.0)) && asked("*"));
        assert!(!asked("\"x\"") && !tag.is_known(&HeaderMap::new()));
        assert_ne!(tag.0, Tag::of(&[&"0x12", &8]).0);
    }

    #[test]
    fn limits_and_cursors_are_checked() {
        assert_eq!((limit(None).expect("default"), limit(Some(200)).expect("most")), (50, 200));
        assert!(limit(Some(0)).is_err() && limit(Some(201)).is_err());
        assert_eq!(before(Some("7")).expect("a row"), Some(7));
        for wrong in ["", "-1", "x", "9223372036854775808"] {
            assert!(before(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
