//! A wire that answers by a script, and endpoints over such wires in virtual time.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use alloy::{
    rpc::json_rpc::{Id, Request as Call, RequestPacket},
    transports::TransportErrorKind,
};
use serde_json::{Value, json};
use tower_service::Service;
use zugzwang::{
    chain::rpc::{Answer, Endpoints, Failure, Policy, Request, Response, Wire, WireError},
    clock::Clock,
};

/// What an endpoint says.
#[derive(Clone, Debug)]
pub(super) enum Say {
    Result(Value),
    Error(i64, &'static str),
    Status(u16, Option<u64>),
    TimeOut,
    Broken,
    /// The result of another request.
    OtherId,
}

type Script = Box<dyn Fn(&str, &Value) -> Say + Send + Sync>;

/// How many requests are under way, over all wires of a test.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    now: AtomicUsize,
    most: AtomicUsize,
}

/// A scripted endpoint.
pub(super) struct Scripted {
    name: String,
    script: Mutex<Script>,
    traffic: Arc<Traffic>,
    /// The methods that it was asked, without those that tell which chain it is on.
    asked: Mutex<Vec<String>>,
    /// Its own part of the chain.
    pub(super) chain_id: Mutex<u64>,
    pub(super) genesis: Mutex<u8>,
    pub(super) head: Mutex<u64>,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A block as far as endpoints look at it.
pub(super) fn block(number: u64, hash: u8) -> Value {
    json!({"number": format!("{number:#x}"), "hash": format!("0x{}", format!("{hash:02x}").repeat(32))})
}

impl Scripted {
    /// What it says from now on to anything but the question which chain it is on.
    pub(super) fn says(&self, script: impl Fn(&str, &Value) -> Say + Send + Sync + 'static) {
        *self.script.lock().expect("script") = Box::new(script);
    }

    /// What it was asked since the last look.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().expect("asked"))
    }

    fn say(&self, method: &str, params: &Value) -> Say {
        let number = |value: &u64| format!("{value:#x}");
        match (method, params[0].as_str()) {
            ("eth_chainId", _) => return Say::Result(json!(number(&self.chain_id.lock().expect("id")))),
            ("eth_getBlockByNumber", Some("0x0")) => {
                return Say::Result(block(0, *self.genesis.lock().expect("genesis")));
            }
            _ => {}
        }
        self.asked.lock().expect("asked").push(method.to_owned());
        let said = (self.script.lock().expect("script"))(method, params);
        match (&said, method, params[0].as_str()) {
            (Say::Result(Value::Null), "eth_getBlockByNumber", Some("latest")) => {
                Say::Result(block(*self.head.lock().expect("head"), 1))
            }
            _ => said,
        }
    }
}

#[derive(Debug)]
struct Shared(Arc<Scripted>);

impl Wire for Shared {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn send(&self, request: Request) -> Answer {
        let wire = self.0.clone();
        Box::pin(async move {
            let traffic = wire.traffic.clone();
            let now = traffic.now.fetch_add(1, Ordering::SeqCst) + 1;
            traffic.most.fetch_max(now, Ordering::SeqCst);
            // So that others could begin meanwhile.
            for _ in 0..8 {
                tokio::task::yield_now().await;
            }
            traffic.now.fetch_sub(1, Ordering::SeqCst);
            let single = request.as_single().expect("a single request");
            let params: Value = serde_json::from_str(single.params().map_or("[]", |raw| raw.get())).expect("params");
            let id = json!(single.id());
            answer(wire.say(single.method(), &params), &id)
        })
    }
}

fn answer(said: Say, id: &Value) -> Result<Response, Failure> {
    let response = match said {
        Say::Result(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Say::Error(code, message) => json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}),
        Say::OtherId => json!({"jsonrpc": "2.0", "id": 987_654, "result": "0x"}),
        Say::Status(status, retry) => {
            let retry = retry.map(Duration::from_secs);
            return Err(TransportErrorKind::http_error_with_retry_after(status, String::new(), retry));
        }
        Say::TimeOut => return Err(WireError::TimedOut { ms: 10_000 }.into()),
        Say::Broken => return Err(WireError::Connection("connection reset".into()).into()),
    };
    Ok(serde_json::from_value(response).expect("answer"))
}

/// Scripted endpoints as one, and the clock that they wait by.
pub(super) struct Net {
    pub(super) wires: Vec<Arc<Scripted>>,
    pub(super) endpoints: Endpoints,
    pub(super) clock: Clock,
    traffic: Arc<Traffic>,
}

impl Net {
    /// So many endpoints, all well and at height 100.
    pub(super) fn new(number: usize, policy: Policy) -> Self {
        Self::limited(number, policy, None)
    }

    pub(super) fn limited(number: usize, policy: Policy, rate: Option<u32>) -> Self {
        let (clock, traffic) = (Clock::manual(1_700_000_000_000), Arc::new(Traffic::default()));
        let wires: Vec<Arc<Scripted>> = (0..number)
            .map(|i| {
                Arc::new(Scripted {
                    name: format!("https://{}.example", char::from(b'a' + u8::try_from(i).expect("few"))),
                    script: Mutex::new(Box::new(|_, _| Say::Result(Value::Null))),
                    traffic: traffic.clone(),
                    asked: Mutex::default(),
                    chain_id: Mutex::new(7),
                    genesis: Mutex::new(9),
                    head: Mutex::new(100),
                })
            })
            .collect();
        let rate = rate.and_then(std::num::NonZeroU32::new);
        let shared = |wire: &Arc<Scripted>| -> (Arc<dyn Wire>, _) { (Arc::new(Shared(wire.clone())), rate) };
        let endpoints = Endpoints::limited(wires.iter().map(shared).collect(), policy, clock.clone());
        Self { wires, endpoints, clock, traffic }
    }

    pub(super) async fn ask(&self, method: &'static str, params: Value) -> Result<Response, String> {
        let request = Call::new(method, Id::Number(1), params).serialize().expect("request");
        self.endpoints.clone().call(RequestPacket::Single(request)).await.map_err(|e| e.to_string())
    }

    /// The result or the error in words.
    pub(super) async fn hear(&self, method: &'static str, params: Value) -> String {
        match self.ask(method, params).await {
            Ok(response) => match response.first_payload().expect("payload").as_success() {
                Some(result) => result.get().to_owned(),
                None => response.first_error_message().expect("an error").to_owned(),
            },
            Err(error) => format!("no answer: {error}"),
        }
    }

    /// How often each endpoint was asked a method since the last look.
    pub(super) fn counts(&self, method: &str) -> Vec<usize> {
        self.wires.iter().map(|wire| wire.asked().iter().filter(|asked| *asked == method).count()).collect()
    }

    /// The most requests that were under way at a time since the last look.
    pub(super) fn at_a_time(&self) -> usize {
        self.traffic.most.swap(0, Ordering::SeqCst)
    }
}
