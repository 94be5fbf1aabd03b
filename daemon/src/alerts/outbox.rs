//! Delivery: a bounded queue for each webhook, tries with pauses that grow, and no address in any log.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use reqwest::{Client, StatusCode, header::RETRY_AFTER};
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{Kind, Message};
use crate::config::Webhook;

/// Messages that wait for one webhook; further ones are dropped and counted.
const QUEUE: usize = 256;
/// Tries for one message.
const TRIES: u32 = 8;
/// The first pause between tries; each is twice the one before.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause, also if the webhook asks for more.
const LONGEST: Duration = Duration::from_secs(120);
/// How long an answer is waited for.
const ANSWER: Duration = Duration::from_secs(10);

/// Why an alert was not delivered. The address is shown without its path, which is a secret.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// The client can't be made.
    #[error("alerts: no HTTP client: {0}; are the system's certificates in order?")]
    Client(String),
    /// An answer that another try doesn't change.
    #[error("alert to {webhook}: refused with status {status}; check alerts.webhooks")]
    Refused {
        /// Where to.
        webhook: Webhook,
        /// The HTTP status.
        status: u16,
    },
    /// No good answer to any try.
    #[error("alert to {webhook}: not delivered in {tries} tries: {why}; the message is dropped")]
    Undelivered {
        /// Where to.
        webhook: Webhook,
        /// How often it was tried.
        tries: u32,
        /// What came of the last try.
        why: String,
    },
    /// Too many messages wait.
    #[error("alert to {webhook}: {QUEUE} messages wait already; this one is dropped: is the webhook reachable?")]
    Full {
        /// Where to.
        webhook: Webhook,
    },
}

crate::code::codes!(AlertError { Client = 811, Refused = 812, Undelivered = 813, Full = 814 });

/// Messages that are remembered.
const RECENT: usize = 500;

/// A message that was told.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its number.
    id: u64,
    /// When, unix milliseconds.
    pub at_ms: i64,
    /// What it is about.
    pub kind: Kind,
    /// Its words.
    pub text: String,
    /// What became of it.
    pub delivery: Delivery,
    /// Webhooks that haven't taken it yet.
    waiting: usize,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// There is no webhook.
    Nobody,
    /// Some webhook hasn't taken it yet.
    UnderWay,
    /// All have.
    Taken,
    /// Some webhook didn't.
    Lost,
}

/// The newest messages, oldest first.
#[derive(Debug, Default)]
struct Recent {
    told: VecDeque<Told>,
    count: u64,
}

impl Recent {
    fn add(&mut self, message: &Message, at_ms: i64, webhooks: usize) -> u64 {
        self.count += 1;
        let delivery = if webhooks == 0 { Delivery::Nobody } else { Delivery::UnderWay };
        let (id, kind, text) = (self.count, message.kind, message.text.clone());
        self.told.push_back(Told { id, at_ms, kind, text, delivery, waiting: webhooks });
        if self.told.len() > RECENT {
            self.told.pop_front();
        }
        id
    }

    /// A webhook has taken a message, or never will.
    fn ended(&mut self, id: u64, taken: bool) {
        let Some(told) = self.told.iter_mut().find(|told| told.id == id) else { return };
        told.waiting = told.waiting.saturating_sub(1);
        told.delivery = match (told.delivery, taken, told.waiting) {
            (Delivery::Lost, ..) | (_, false, _) => Delivery::Lost,
            (_, true, 0) => Delivery::Taken,
            (_, true, _) => Delivery::UnderWay,
        };
    }
}

/// A webhook with its queue of numbered messages.
type Queue = (Webhook, mpsc::Sender<(u64, Message)>);

/// Takes messages and sends them in the background.
#[derive(Debug)]
pub struct Outbox {
    queues: Mutex<Vec<Queue>>,
    senders: tokio::sync::Mutex<JoinSet<()>>,
    recent: Arc<Mutex<Recent>>,
}

impl Outbox {
    /// Starts a sender for each webhook.
    ///
    /// # Errors
    /// If there are webhooks and no HTTP client can be made.
    pub fn start(webhooks: &[Webhook]) -> Result<Self, AlertError> {
        Self::with_pause(webhooks, PAUSE)
    }

    fn with_pause(webhooks: &[Webhook], pause: Duration) -> Result<Self, AlertError> {
        let (mut queues, mut senders) = (Vec::new(), JoinSet::new());
        let recent = Arc::new(Mutex::new(Recent::default()));
        if webhooks.is_empty() {
            return Ok(Self { queues: queues.into(), senders: senders.into(), recent });
        }
        crate::chain::install_tls();
        let client = Client::builder()
            .timeout(ANSWER)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|e| AlertError::Client(e.without_url().to_string()))?;
        for webhook in webhooks {
            let (sender, receiver) = mpsc::channel(QUEUE);
            queues.push((webhook.clone(), sender));
            senders.spawn(serve(client.clone(), webhook.clone(), receiver, pause, recent.clone()));
        }
        Ok(Self { queues: queues.into(), senders: senders.into(), recent })
    }

    /// Queues a message for every webhook, and remembers it. Never waits.
    pub fn send(&self, message: &Message, at_ms: i64) {
        let kind = message.kind.name();
        tracing::warn!(alert = kind, "{}", message.text);
        let queues = self.queues();
        let id = lock(&self.recent).add(message, at_ms, queues.len());
        for (webhook, queue) in queues.iter() {
            if let Err(TrySendError::Full(_)) = queue.try_send((id, message.clone())) {
                lock(&self.recent).ended(id, false);
                metrics::counter!("zugzwang_alerts_dropped_total", "kind" => kind).increment(1);
                tracing::error!("{}", AlertError::Full { webhook: webhook.clone() });
            }
        }
    }

    /// Takes no more messages, and sends what waits, for at most `patience`.
    pub async fn close(&self, patience: Duration) {
        self.queues().clear();
        let mut senders = self.senders.lock().await;
        // What isn't sent by then is lost, and was logged.
        let _ = timeout(patience, async { while senders.join_next().await.is_some() {} }).await;
    }

    /// The newest messages, newest first.
    pub fn recent(&self) -> Vec<Told> {
        lock(&self.recent).told.iter().rev().cloned().collect()
    }

    fn queues(&self) -> MutexGuard<'_, Vec<Queue>> {
        lock(&self.queues)
    }
}

/// A list is whole whatever happened to whoever held it.
fn lock<T>(list: &Mutex<T>) -> MutexGuard<'_, T> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(
    client: Client,
    webhook: Webhook,
    mut queue: mpsc::Receiver<(u64, Message)>,
    pause: Duration,
    recent: Arc<Mutex<Recent>>,
) {
    while let Some((id, message)) = queue.recv().await {
        let kind = message.kind.name();
        let delivered = deliver(&client, &webhook, &message, pause).await;
        lock(&recent).ended(id, delivered.is_ok());
        match delivered {
            Ok(()) => metrics::counter!("zugzwang_alerts_sent_total", "kind" => kind).increment(1),
            Err(error) => {
                metrics::counter!("zugzwang_alerts_failed_total", "kind" => kind).increment(1);
                tracing::error!(code = %crate::code::Coded::code(&error), "{error}");
            }
        }
    }
}

async fn deliver(client: &Client, webhook: &Webhook, message: &Message, pause: Duration) -> Result<(), AlertError> {
    let body = serde_json::json!({ "text": message.text }).to_string();
    let mut wait = pause;
    let mut why = String::new();
    for attempt in 1..=TRIES {
        let sent = client
            .post(webhook.reveal().clone())
            .header("content-type", "application/json")
            .body(body.clone())
            .send()
            .await;
        let mut asked = None;
        match sent {
            Ok(response) if response.status().is_success() => return Ok(()),
            Ok(response) => {
                let status = response.status();
                let again = status.is_server_error()
                    || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
                if !again {
                    return Err(AlertError::Refused { webhook: webhook.clone(), status: status.as_u16() });
                }
                why = format!("status {}", status.as_u16());
                asked = response.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok()?.parse().ok());
            }
            Err(error) => why = crate::chain::error::one_line(&error.without_url().to_string()),
        }
        if attempt < TRIES {
            sleep(asked.map_or(wait, Duration::from_secs).min(LONGEST)).await;
            wait = (wait * 2).min(LONGEST);
        }
    }
    Err(AlertError::Undelivered { webhook: webhook.clone(), tries: TRIES, why })
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    };

    use axum::{Router, http::StatusCode, routing::post};
    use tokio::net::TcpListener;

    use super::*;

    /// A webhook that answers the n-th request with the n-th status, then with 200, and keeps the bodies that it took.
    async fn webhook(answers: Vec<u16>) -> (String, Arc<Mutex<Vec<String>>>) {
        let taken = Arc::new(Mutex::new(Vec::new()));
        let (kept, count) = (taken.clone(), Arc::new(AtomicUsize::new(0)));
        let router = Router::new().route(
            "/services/s3cret",
            post(move |body: String| async move {
                let nth = count.fetch_add(1, Ordering::SeqCst);
                let status = StatusCode::from_u16(answers.get(nth).copied().unwrap_or(200)).expect("status");
                if status.is_success() {
                    kept.lock().expect("bodies").push(body);
                }
                status
            }),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
        let url = format!("http://{}/services/s3cret", listener.local_addr().expect("address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        (url, taken)
    }

    async fn check(answers: Vec<u16>, messages: usize, expected: &[&str]) {
        let (url, taken) = webhook(answers).await;
        let parsed = Webhook::parse(&url).expect("webhook");
        let outbox = Outbox::with_pause(&[parsed], Duration::from_millis(1)).expect("outbox");
        for n in 0..messages {
            outbox.send(&Message { kind: Kind::Trouble, text: format!("message {n}") }, n as i64);
        }
        outbox.close(Duration::from_secs(30)).await;
        assert_eq!(*taken.lock().expect("bodies"), expected);
        // What is remembered agrees with what was taken.
        let recent = outbox.recent();
        assert_eq!(recent.len(), messages);
        for told in recent {
            let taken = expected.iter().any(|body| body.contains(&told.text));
            assert_eq!(told.delivery, if taken { Delivery::Taken } else { Delivery::Lost }, "{told:?}");
        }
    }

    #[tokio::test]
    async fn messages_are_tried_again_and_in_order() {
        check(vec![], 2, &[r#"{"text":"message 0"}"#, r#"{"text":"message 1"}"#]).await;
        check(vec![500, 503, 429], 1, &[r#"{"text":"message 0"}"#]).await;
        // What is refused is not tried again, and holds up nobody.
        check(vec![404], 2, &[r#"{"text":"message 1"}"#]).await;
        check(vec![500; TRIES as usize], 2, &[r#"{"text":"message 1"}"#]).await;
    }

    #[tokio::test]
    async fn the_secret_of_an_address_is_in_no_error() {
        let (url, _) = webhook(vec![403]).await;
        crate::chain::install_tls();
        let client = Client::new();
        let message = Message { kind: Kind::Trouble, text: "x".into() };
        for url in [url, "http://127.0.0.1:1/services/s3cret".to_owned()] {
            let webhook = Webhook::parse(&url).expect("webhook");
            let error = deliver(&client, &webhook, &message, Duration::from_millis(1)).await.unwrap_err();
            for said in [error.to_string(), format!("{error:?}"), format!("{webhook:?}")] {
                assert!(said.contains("127.0.0.1") && !said.contains("s3cret"), "{said}");
            }
        }
    }
}
