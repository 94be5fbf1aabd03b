//! The operator's part: what the store holds, what the process has, and orders. All of it behind the token.

mod events;
mod machine;
mod orders;
mod rows;
mod series;

use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Panel, answer::ApiError, routes::Shared};

pub use machine::{AlertView, EndpointView, KeyView, LoadedModel, WorkerView};
pub use series::Series;

/// Its routes.
pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(machine::status))
        .routes(routes!(machine::endpoints))
        .routes(routes!(machine::keys))
        .routes(routes!(machine::workers))
        .routes(routes!(machine::models))
        .routes(routes!(machine::alerts))
        .routes(routes!(series::metrics))
        .routes(routes!(events::events))
        .routes(routes!(rows::jobs))
        .routes(routes!(rows::job))
        .routes(routes!(rows::transactions))
        .routes(routes!(orders::retry))
        .routes(routes!(orders::drop_job))
        .routes(routes!(orders::bump))
        .routes(routes!(orders::cancel))
        .routes(routes!(orders::replay))
}

/// Which chain is meant.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ChainQuery {
    /// The chain's id; needed where the process serves several.
    chain: Option<u64>,
}

/// The chain that a request names; where there is one only, it needs no name.
fn panel(shared: &Shared, chain: Option<u64>) -> Result<&Panel, ApiError> {
    match (chain, shared.panels.as_slice()) {
        (None, [only]) => Ok(only),
        (None, _) => Err(ApiError::Malformed("there are several chains: say which, with ?chain=ID".into())),
        (Some(id), panels) => panels
            .iter()
            .find(|panel| panel.monitor.chain_id() == id)
            .ok_or_else(|| ApiError::Malformed(format!("no service of this process follows chain {id}"))),
    }
}
