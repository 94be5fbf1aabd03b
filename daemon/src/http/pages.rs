//! The pages, which are part of the binary: built from `daemon/web`, with nothing from elsewhere, under a strict policy.

use std::sync::{Arc, OnceLock};

use axum::{
    Router,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
            X_FRAME_OPTIONS,
        },
    },
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};

use super::{
    answer::{ApiError, Tag},
    routes::Shared,
};
use crate::chain::types::keccak256;

/// Each file's path below `dist`, and what is in it.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));
/// Pages for everybody, with their files. The console and the assets are served in any case: they hold nothing, and all that
/// the console shows needs the token.
const PUBLIC: [(&str, &str); 4] =
    [("/", "index.html"), ("/world", "world.html"), ("/markets", "markets.html"), ("/guards", "guards.html")];
const CONSOLE: &str = "console.html";

/// The policy of every page: scripts and styles of our own files alone, and no asking of anybody but us and `nodes`.
pub(super) fn policy(nodes: &[String]) -> String {
    let nodes: String = nodes.iter().map(|node| format!(" {node}")).collect();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'{nodes}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// The origin of an address, as a policy names it.
pub(super) fn origin(url: &str) -> Option<String> {
    let origin = reqwest::Url::parse(url).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

/// The pages' routes.
pub(super) fn routes(shared: &Shared) -> Router<Shared> {
    let mut router = Router::new()
        .route("/console", get(|headers: HeaderMap| async move { file(CONSOLE, &headers) }))
        .route("/assets/{*path}", get(asset));
    for (path, name) in PUBLIC {
        let page = move |State(shared): State<Shared>, headers: HeaderMap| async move {
            match (shared.is_public(), path) {
                (true, _) => file(name, &headers),
                (false, "/") => Redirect::temporary("/console").into_response(),
                (false, _) => ApiError::NoPath.into_response(),
            }
        };
        router = router.route(path, get(page));
    }
    router.layer(from_fn_with_state(shared.clone(), guarded))
}

async fn asset(axum::extract::Path(path): axum::extract::Path<String>, headers: HeaderMap) -> Response {
    file(&format!("assets/{path}"), &headers)
}

/// A file, or that the client has it.
fn file(name: &str, headers: &HeaderMap) -> Response {
    let Some((index, (_, bytes))) = FILES.iter().enumerate().find(|(_, (path, _))| *path == name) else {
        return ApiError::NoPath.into_response();
    };
    let tag = &tags()[index];
    if tag.is_known(headers) {
        return tag.unchanged();
    }
    let headers = [(CONTENT_TYPE, kind(name)), (CACHE_CONTROL, "no-cache")];
    let mut response = (StatusCode::OK, headers, *bytes).into_response();
    if let Ok(value) = tag.text().parse() {
        response.headers_mut().insert(ETAG, value);
    }
    response
}

/// The files' tags, in their order.
fn tags() -> &'static [Tag] {
    static TAGS: OnceLock<Vec<Tag>> = OnceLock::new();
    TAGS.get_or_init(|| FILES.iter().map(|(_, bytes)| Tag::of(&[&keccak256(bytes)])).collect())
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Puts the policy, and what else keeps a page to itself, on each answer.
async fn guarded(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&shared.policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The policy for some chains' nodes.
pub(super) fn policy_of<'a>(nodes: impl Iterator<Item = &'a str>) -> Arc<str> {
    let mut origins: Vec<String> = nodes.filter_map(origin).collect();
    origins.sort();
    origins.dedup();
    policy(&origins).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_nodes_by_their_origin_and_allows_nothing_inline() {
        let policy = policy_of(["https://node.example/key?x=1", "http://127.0.0.1:8545", "no url"].into_iter());
        assert!(policy.contains("connect-src 'self' http://127.0.0.1:8545 https://node.example;"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("key"), "{policy}");
    }

    /// Whatever the build makes of the sources: what the policy forbids must not be in a page, or the page is broken.
    #[test]
    fn pages_hold_nothing_inline_and_nothing_from_elsewhere() {
        for (name, bytes) in FILES.iter().filter(|(name, _)| name.ends_with(".html")) {
            let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
            for banned in ["style=", "<style", "javascript:", " onclick", " onload", "http://", "https://"] {
                assert!(!text.contains(banned), "{name} holds {banned}");
            }
            for script in text.split("<script").skip(1) {
                let tag = script.split('>').next().unwrap_or_default();
                assert!(tag.contains("src=\"/assets/"), "{name} has a script of its own: {tag}");
            }
        }
    }
}
