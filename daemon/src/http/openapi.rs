//! The API's document, made of its handlers. The committed copy is `web/openapi.json`, from which the pages' types are made.

use std::sync::OnceLock;

use axum::{
    http::{HeaderMap, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use utoipa::{
    OpenApi,
    openapi::{
        Content, HeaderBuilder, Object, Ref, RefOr, ResponseBuilder,
        path::Operation,
        schema::Type,
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use super::{
    answer::{Problem, Tag},
    routes,
};

/// The name of the token's scheme.
const TOKEN: &str = "token";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Zugzwang",
        description = "What everybody may see of a daemon's chains, apps and jobs, and what its operator can do. Big integers are decimal \
                       strings, hashes and addresses 0x-hex, times that end in `_ms` Unix milliseconds, other times Unix seconds. \
                       Lists have `items` and `next`, which is the `cursor` of the next page. Errors are `application/problem+json` \
                       with a stable code. Answers with an ETag can be asked for with If-None-Match.",
        license(name = "GPL-3.0-or-later", identifier = "GPL-3.0-or-later")
    ),
    components(schemas(Problem)),
    tags(
        (name = "info", description = "Chains, apps and models"),
        (name = "chess", description = "Games against the NPC"),
        (name = "world", description = "Games of the World against the NPC"),
        (name = "market", description = "Markets that signed bulletins decide"),
        (name = "guard", description = "Vaults whose large withdrawals a model judges"),
        (name = "operator", description = "Behind the bearer token"),
    )
)]
struct Frame;

/// The document without its paths.
pub(super) fn frame() -> utoipa::openapi::OpenApi {
    Frame::openapi()
}

/// The document with what holds for all paths: errors, and the token of the operator's part.
pub(super) fn finished(mut document: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    document.components.get_or_insert_default().add_security_scheme(TOKEN, scheme);
    for (path, item) in &mut document.paths.paths {
        let guarded = path.starts_with("/api/v1/operator/");
        for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
            with_errors(operation, guarded);
        }
    }
    document
}

fn with_errors(operation: &mut Operation, guarded: bool) {
    let problem = |what: &str| {
        let schema = RefOr::Ref(Ref::from_schema_name("Problem"));
        let mut content = Content::default();
        content.schema = Some(schema);
        ResponseBuilder::new().description(what).content("application/problem+json", content)
    };
    let wait =
        || HeaderBuilder::new().schema(Object::with_type(Type::Integer)).description(Some("Seconds to wait")).build();
    let all = &mut operation.responses.responses;
    let mut add = |status: &str, response: ResponseBuilder| {
        all.entry(status.to_owned()).or_insert_with(|| response.build().into());
    };
    add("400", problem("It can't be read."));
    add("404", problem("It isn't there, or isn't public."));
    add("429", problem("Too many requests, or too many streams.").header("Retry-After", wait()));
    add("503", problem("The service, its node or its store isn't ready.").header("Retry-After", wait()));
    if guarded {
        add("401", problem("No token, or another one."));
        operation.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>(TOKEN, [])]);
    }
}

/// The document as text: what the repository holds, and what is served.
pub fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| routes::document().to_pretty_json().unwrap_or_default() + "\n")
}

pub(super) async fn served(headers: HeaderMap) -> Response {
    let tag = Tag::of(&[&"openapi"]);
    if tag.is_known(&headers) {
        return tag.unchanged();
    }
    ([(CONTENT_TYPE.as_str(), "application/json"), ("etag", tag.text())], text()).into_response()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_committed_document_is_what_the_handlers_say() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/openapi.json");
        if std::env::var_os("ZUGZWANG_BLESS").is_some() {
            std::fs::write(&path, text()).expect("write");
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(written == text(), "daemon/web/openapi.json is old: run this test with ZUGZWANG_BLESS=1");
    }

    #[test]
    fn operations_have_names_of_their_own_and_the_operators_need_the_token() {
        let document = routes::document();
        let mut names = Vec::new();
        for (path, item) in &document.paths.paths {
            for operation in [&item.get, &item.post].into_iter().flatten() {
                names.push(operation.operation_id.clone().unwrap_or_default());
                assert_eq!(operation.security.is_some(), path.contains("/operator/"), "{path}");
                assert!(operation.responses.responses.contains_key("429"), "{path}");
            }
        }
        let count = names.len();
        names.sort();
        names.dedup();
        assert!(count > 10 && names.len() == count, "{names:?}");
    }
}
