//! Delivery: a bounded queue for each webhook, tries with pauses that grow, and no address in any log.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use reqwest::{Client, StatusCode, header::RETRY_AFTER};
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    task::JoinSet,
    time::{sleep, timeout},
};

use super::Message;
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

/// Takes messages and sends them in the background.
#[derive(Debug)]
pub struct Outbox {
    queues: Mutex<Vec<(Webhook, mpsc::Sender<Message>)>>,
    senders: tokio::sync::Mutex<JoinSet<()>>,
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
        if webhooks.is_empty() {
            return Ok(Self { queues: queues.into(), senders: senders.into() });
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
            senders.spawn(serve(client.clone(), webhook.clone(), receiver, pause));
        }
        Ok(Self { queues: queues.into(), senders: senders.into() })
    }

    /// Queues a message for every webhook. Never waits.
    pub fn send(&self, message: &Message) {
        let kind = message.kind.name();
        tracing::warn!(alert = kind, "{}", message.text);
        for (webhook, queue) in self.queues().iter() {
            if let Err(TrySendError::Full(_)) = queue.try_send(message.clone()) {
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

    fn queues(&self) -> MutexGuard<'_, Vec<(Webhook, mpsc::Sender<Message>)>> {
        // A list of senders is whole whatever happened to whoever held it.
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(client: Client, webhook: Webhook, mut queue: mpsc::Receiver<Message>, pause: Duration) {
    while let Some(message) = queue.recv().await {
        let kind = message.kind.name();
        match deliver(&client, &webhook, &message, pause).await {
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

    use super::{super::Kind, *};

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
            outbox.send(&Message { kind: Kind::Trouble, text: format!("message {n}") });
        }
        outbox.close(Duration::from_secs(30)).await;
        assert_eq!(*taken.lock().expect("bodies"), expected);
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
