//! The HTTP API of a daemon that plays on a real local chain: its shapes, its refusals, its streams, and that the operator's
//! part is the operator's.

mod errors;
mod operator;
mod public;
mod streams;

use std::{sync::Arc, time::Duration};

use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::Value;
use zugzwang::prover::{Models, Prove};

use crate::{
    stage::{Daemon, Served},
    world::{StandIn, World},
};

/// How long anything is waited for; a limit against hanging, not a measurement.
const PATIENCE: Duration = Duration::from_secs(60);

/// A world whose daemon serves everybody.
pub(super) struct Site {
    world: World,
    _daemon: Daemon,
    served: Served,
    http: reqwest::Client,
}

/// An answer, read to its end.
pub(super) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// Status and code of a refusal, which must be a whole problem.
    fn refusal(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        let problem = self.json();
        let code = problem["code"].as_str().expect("code").to_owned();
        assert_eq!(problem["status"], self.status.as_u16(), "{problem}");
        assert!(problem["type"].as_str().is_some_and(|page| page.ends_with(&format!("/docs/errors/{code}.md"))));
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        (self.status.as_u16(), code)
    }
}

impl Site {
    /// With a stand-in for the prover.
    async fn new() -> Self {
        Self::of(World::new().await, Arc::new(StandIn::default())).await
    }

    async fn of(mut world: World, prover: Arc<dyn Prove>) -> Self {
        world.config.http.listen = Some("127.0.0.1:0".parse().expect("address"));
        world.config.web.public = true;
        // Tests ask as often as they like; that there are limits is tested by itself.
        (world.config.web.limits.rate, world.config.web.limits.burst) = (1e6, 1e6);
        Self::as_configured(world, prover).await
    }

    async fn as_configured(world: World, prover: Arc<dyn Prove>) -> Self {
        let (daemon, served) = world.serve_with(&Models::of([prover])).await;
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        Self { world, _daemon: daemon, served, http: http.build().expect("client") }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("http://{}{path}", self.served.address)).timeout(PATIENCE)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, text: response.text().await.expect("text") }
    }

    /// Below `/api/v1/`, without the token.
    async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, &format!("/api/v1/{path}"))).await
    }

    /// The JSON below `/api/v1/chains/31337/`, which must be there.
    async fn chain(&self, path: &str) -> Value {
        let answer = self.get(&format!("chains/31337/{path}")).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    /// Below `/api/v1/operator/`, with the token.
    async fn operator(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, &format!("/api/v1/operator/{path}")).bearer_auth(&self.served.token)).await
    }
}
