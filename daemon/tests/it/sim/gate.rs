//! Where a daemon waits for the world: before each request, around each commit, between turns, while a proof is made. Nothing of
//! it goes on until the world lets it, one step at a time, so that the seed alone decides the order.

use std::{fmt, sync::Arc};

use alloy::{rpc::json_rpc::ResponsePacket, transports::TransportErrorKind};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use zugzwang::{
    chain::rpc::{Answer, Failure, Request, Wire},
    engine::Priority,
    prover::{Made, Making, Order, Place, ProveError, Tell, Ticket, Workshop, prove_and_check},
    store::Moment,
};

/// What a daemon waits for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// An answer of an endpoint.
    Rpc {
        endpoint: usize,
        request: Value,
    },
    Commit(Moment),
    /// The next turn; `behind` if there is more to read at once.
    Idle {
        behind: bool,
    },
    Proof,
    /// Nothing more: it has ended by itself.
    Ended(String),
}

/// How it goes on.
#[derive(Debug)]
pub(super) enum Pass {
    On,
    Said(Result<Value, Fault>),
}

/// What becomes of a request that gets no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection breaks, or nothing comes in time.
    Broken(&'static str),
    /// An HTTP status.
    Status(u16),
}

/// A daemon that waits.
#[derive(Debug)]
pub(super) struct Wait {
    pub(super) daemon: usize,
    /// How often it had been started.
    pub(super) life: u32,
    pub(super) what: What,
    pub(super) go: oneshot::Sender<Pass>,
}

/// A daemon's side.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    pub(super) daemon: usize,
    pub(super) life: u32,
    pub(super) inbox: mpsc::UnboundedSender<Wait>,
}

impl Gate {
    /// Waits until the world lets it pass; for ever, if the world has cut the power.
    pub(super) async fn pass(&self, what: What) -> Pass {
        let (go, passed) = oneshot::channel();
        // The world is gone only when the run is over.
        let _ = self.inbox.send(Wait { daemon: self.daemon, life: self.life, what, go });
        match passed.await {
            Ok(pass) => pass,
            Err(_) => std::future::pending().await,
        }
    }
}

/// An endpoint as a daemon sees it.
pub(super) struct SimWire {
    name: String,
    endpoint: usize,
    gate: Gate,
}

impl SimWire {
    pub(super) fn wire(endpoint: usize, gate: Gate) -> Arc<dyn Wire> {
        Arc::new(Self { name: format!("http://node-{endpoint}"), endpoint, gate })
    }
}

impl fmt::Debug for SimWire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Wire for SimWire {
    fn name(&self) -> &str {
        &self.name
    }

    fn send(&self, request: Request) -> Answer {
        let (gate, endpoint) = (self.gate.clone(), self.endpoint);
        Box::pin(async move {
            let text = request.serialize().map_err(Failure::ser_err)?;
            let request: Value = serde_json::from_str(text.get()).map_err(Failure::ser_err)?;
            match gate.pass(What::Rpc { endpoint, request }).await {
                Pass::Said(Ok(said)) => {
                    let text = said.to_string();
                    serde_json::from_str::<ResponsePacket>(&text).map_err(|e| Failure::deser_err(e, text))
                }
                Pass::Said(Err(Fault::Status(status))) => {
                    Err(TransportErrorKind::http_error(status, "too much".into()))
                }
                Pass::Said(Err(Fault::Broken(why))) => Err(TransportErrorKind::custom_str(why)),
                Pass::On => Err(TransportErrorKind::custom_str("the world gave no answer")),
            }
        })
    }
}

/// Answers a request, or a batch of them, with what `answer` says to each.
pub(super) fn answered(
    request: &Value,
    answer: &mut dyn FnMut(&str, &Value) -> Result<Value, super::node::Failure>,
) -> Value {
    if let Value::Array(batch) = request {
        return Value::Array(batch.iter().map(|one| answered(one, answer)).collect());
    }
    let none = Value::Null;
    let method = request.get("method").and_then(Value::as_str).unwrap_or_default();
    match answer(method, request.get("params").unwrap_or(&none)) {
        Ok(result) => json!({"jsonrpc": "2.0", "id": request["id"], "result": result}),
        Err(failure) => {
            let mut error = json!({"code": failure.code, "message": failure.message});
            if let Some(data) = failure.data {
                error["data"] = json!(data);
            }
            json!({"jsonrpc": "2.0", "id": request["id"], "error": error})
        }
    }
}

/// Makes proofs when the world says that their time is over.
#[derive(Debug)]
pub(super) struct SimWorkshop {
    gate: Gate,
    /// A semaphore's worth of places.
    places: Arc<tokio::sync::Semaphore>,
}

impl SimWorkshop {
    pub(super) fn workshop(places: usize, gate: Gate) -> Arc<dyn Workshop> {
        Arc::new(Self { gate, places: Arc::new(tokio::sync::Semaphore::new(places)) })
    }
}

impl Workshop for SimWorkshop {
    fn admit(&self, _: Priority) -> Option<Place> {
        self.places.clone().try_acquire_owned().ok().map(Place::holding)
    }

    fn prove(&self, place: Place, order: Order, ticket: Ticket, _: Tell) -> Making {
        let gate = self.gate.clone();
        Box::pin(async move {
            let _place = place;
            gate.pass(What::Proof).await;
            if !ticket.is_wanted() {
                return Err(ProveError::Stopped);
            }
            let proof = prove_and_check(order.prover.as_ref(), &order.input, order.request, &|_| ())?;
            Ok(Made { proof, took: std::time::Duration::from_millis(1500), worker: None })
        })
    }
}
