//! What a node's error means. The wordings are those of nodes and providers; new ones go into the tables.

use std::time::Duration;

/// The pause after a refusal for too many requests that names none.
pub(super) const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause that a node's word is taken for.
const LONGEST: Duration = Duration::from_secs(300);

/// What an error means for who is asked next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It answers the question: others would say the same.
    Final,
    /// The endpoint doesn't have or can't do this; it may be well otherwise.
    NotHere,
    /// The endpoint has had too many requests, and wants a pause.
    Throttled(Duration),
    /// Something broke at the endpoint.
    Broken,
}

const THROTTLED: &[&str] = &[
    "rate limit",
    "rate-limit",
    "ratelimit",
    "rate exceeded",
    "too many requests",
    "request limit",
    "requests per second",
    "compute units per second",
    "credits limited",
    "daily request count exceeded",
    "quota exceeded",
    "maximum number of concurrent requests",
    "capacity exceeded",
];

const RANGE: &[&str] = &[
    "query returned more than",
    "returned more than",
    "more than 10000 results",
    "too many results",
    "too many logs",
    "range too large",
    "range is too large",
    "range too wide",
    "range is too wide",
    "block range",
    "blocks range",
    "range of blocks",
    "exceed maximum block range",
    "exceeds the range",
    "exceeds max results",
    "max results",
    "limited to a",
    "limited to 0 - ",
    "response size exceeded",
    "response size should not",
    "response is too big",
    "log response size",
    "query timeout",
    "query exceeds",
    "too large",
    "try with this block range",
    "limit exceeded",
];

const NOT_HERE: &[&str] = &[
    "header not found",
    "unknown block",
    "block not found",
    "not found for block",
    "cannot query unfinalized data",
    "missing trie node",
    "state not available",
    "state is not available",
    "state histories haven't been fully indexed",
    "historical state",
    "is not available",
    "not yet available",
    "pruned",
    "after last accepted block",
    "beyond current head",
    "greater than latest",
    "could not find block",
    "unfinalized",
    "txpool is full",
    "transaction pool is full",
    "pool limit",
];

const BROKEN: &[&str] = &[
    "timeout",
    "timed out",
    "upstream",
    "temporarily unavailable",
    "service unavailable",
    "overloaded",
    "server error",
    "connection",
    "no available",
    "try again",
    "internal error",
    "unauthorized",
    "authenticat",
    "api key",
    "project id",
    "forbidden",
];

fn says(message: &str, words: &[&str]) -> bool {
    let message = message.to_lowercase();
    words.iter().any(|word| message.contains(word))
}

/// Reads a JSON-RPC error.
pub(super) fn meaning(method: &str, code: i64, message: &str) -> Meaning {
    // A contract may say anything in its words: what it refuses is nobody's failure.
    if code == 3 || message.to_lowercase().contains("revert") {
        return Meaning::Final;
    }
    if method == "eth_getLogs" && is_range(code, message) {
        return Meaning::Final;
    }
    if matches!(code, 429 | -32005 | -32007 | -32029 | -32055 | -32097 | 1008) || says(message, THROTTLED) {
        return Meaning::Throttled(wait(message));
    }
    if matches!(code, -32601 | -32001 | -32004) || says(message, NOT_HERE) {
        return Meaning::NotHere;
    }
    if matches!(code, -32603 | -32002 | -32700) || says(message, BROKEN) {
        return Meaning::Broken;
    }
    Meaning::Final
}

/// Whether a refusal of logs says that the range was too large.
pub(in crate::chain) fn is_range(code: i64, message: &str) -> bool {
    // Throttling in the same words: "rate limit exceeded", "daily request count exceeded".
    !says(message, THROTTLED) && (code == -32005 || says(message, RANGE))
}

/// Whether a refusal only asks to be left alone for a while.
pub(in crate::chain) fn is_pause(code: i64, message: &str) -> bool {
    matches!(meaning("", code, message), Meaning::Throttled(_))
}

/// The pause that a message asks for.
fn wait(message: &str) -> Duration {
    let message = message.to_lowercase();
    let asked = ["try again in ", "retry after ", "retry in "].iter().find_map(|words| {
        let after = message.split_once(words)?.1;
        let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let number: u64 = after[..digits].parse().ok()?;
        match after[digits..].trim_start() {
            unit if unit.starts_with("ms") || unit.starts_with("milli") => Some(Duration::from_millis(number)),
            unit if unit.starts_with('m') => Some(Duration::from_secs(number.saturating_mul(60))),
            _ => Some(Duration::from_secs(number)),
        }
    });
    bounded(asked)
}

/// A pause that a node asked for, within bounds.
pub(super) fn bounded(asked: Option<Duration>) -> Duration {
    asked.unwrap_or(PAUSE).clamp(Duration::from_millis(1), LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wordings_of_nodes_and_providers() {
        let throttled = |ms| Meaning::Throttled(Duration::from_millis(ms));
        let (logs, call, send) = ("eth_getLogs", "eth_call", "eth_sendRawTransaction");
        let cases = [
            // Ranges: a smaller one is asked for.
            (
                logs,
                -32005,
                "query returned more than 10000 results. Try with this block range [0x1, 0x2].",
                Meaning::Final,
            ),
            (logs, -32602, "block range too large", Meaning::Final),
            (logs, -32005, "limit exceeded", Meaning::Final),
            (logs, -32600, "eth_getLogs is limited to a 10,000 range", Meaning::Final),
            (
                logs,
                -32602,
                "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range",
                Meaning::Final,
            ),
            (logs, -32000, "exceed maximum block range: 5000", Meaning::Final),
            (logs, -32614, "eth_getLogs is limited to a 5,000 range", Meaning::Final),
            (logs, -32000, "query timeout exceeded", Meaning::Final),
            // Too many requests.
            (logs, -32005, "daily request count exceeded, request rate limited", throttled(1000)),
            (call, -32005, "limit exceeded", throttled(1000)),
            (call, 429, "Your app has exceeded its compute units per second capacity", throttled(1000)),
            (call, -32007, "50/second request limit reached - reduce calls per second", throttled(1000)),
            (call, -32000, "rate limit exceeded, try again in 250ms", throttled(250)),
            (call, -32000, "too many requests, retry after 7 seconds", throttled(7000)),
            (call, -32000, "too many requests, try again in 2 minutes", throttled(120_000)),
            (call, -32000, "too many requests, try again in 99999999 s", throttled(300_000)),
            // Not at this endpoint, or not yet.
            (call, -32000, "header not found", Meaning::NotHere),
            (logs, -32000, "unknown block", Meaning::NotHere),
            (call, -32000, "missing trie node 1234 (path )", Meaning::NotHere),
            (call, -32601, "the method eth_maxPriorityFeePerGas does not exist/is not available", Meaning::NotHere),
            (send, -32000, "txpool is full", Meaning::NotHere),
            // Broken.
            (call, -32603, "Internal error", Meaning::Broken),
            (call, -32000, "upstream request timeout", Meaning::Broken),
            (call, -32000, "no available upstreams", Meaning::Broken),
            (call, -32000, "invalid project id", Meaning::Broken),
            // Answers.
            (call, 3, "execution reverted: rate limit", Meaning::Final),
            (call, -32603, "VM Exception: reverted with reason string 'timeout'", Meaning::Final),
            (call, -32000, "insufficient funds for gas * price + value", Meaning::Final),
            (send, -32000, "nonce too low", Meaning::Final),
            (send, -32000, "already known", Meaning::Final),
            (send, -32000, "replacement transaction underpriced", Meaning::Final),
            (call, -32602, "invalid argument 0: hex string without 0x prefix", Meaning::Final),
        ];
        for (method, code, message, expected) in cases {
            assert_eq!(meaning(method, code, message), expected, "{method} {code} {message}");
        }
    }

    #[test]
    fn only_a_range_is_halved() {
        let cases = [
            (-32005, "query returned more than 10000 results", true),
            (-32000, "block range is too wide", true),
            (-32005, "limit exceeded", true),
            (-32005, "project ID request rate exceeded", false),
            (-32602, "invalid argument", false),
            (-32000, "unknown block", false),
        ];
        for (code, message, expected) in cases {
            assert_eq!(is_range(code, message), expected, "{code} {message}");
        }
    }
}
