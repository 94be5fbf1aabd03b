//! The connection to NATS, and what is set up there.
//!
//! It comes back by itself whenever it is lost; until then nothing is asked of it, and whoever waits is told.

use std::time::Duration;

use async_nats::{
    Client, ConnectOptions, Event,
    jetstream::{
        self, Context,
        consumer::{AckPolicy, PullConsumer, pull},
        kv, object_store,
        object_store::ObjectStore,
        stream::{self, DiscardPolicy, RetentionPolicy, StorageType, Stream},
    },
};
use tokio::sync::watch;

use super::{FleetError, message::Names, one_line};
use crate::{
    chain::types::B256,
    config::{Access, FleetConfig},
    engine::Priority,
};

/// Longest wait for an answer of the server.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);
/// Time between a worker's signs of life.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(5);
/// Results and jobs that nobody asks for any more are kept so long.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// A message that is sent again within this time, because its confirmation was lost, counts once. What keeps a question from
/// standing in the queue twice is that the queue takes one message of a subject.
const AGAIN: Duration = Duration::from_secs(3);

/// A connection. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) client: Client,
    pub(super) context: Context,
    pub(super) names: Names,
    connected: watch::Receiver<bool>,
}

/// What is set up on the server.
#[derive(Clone)]
pub(super) struct Stores {
    pub(super) jobs: Stream,
    pub(super) results: Stream,
    pub(super) workers: kv::Store,
    pub(super) models: ObjectStore,
}

impl std::fmt::Debug for Stores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stores")
    }
}

impl Link {
    /// Begins to connect, and returns before it has: a server that is away is waited for.
    ///
    /// # Errors
    /// [`FleetError::File`] for credentials and certificates that can't be read, [`FleetError::Connection`] for addresses and
    /// certificates that can't be used.
    pub(super) async fn open(config: &FleetConfig) -> Result<Self, FleetError> {
        crate::chain::install_tls();
        let (told, connected) = watch::channel(false);
        let urls = config.urls.join(", ");
        let shown = urls.clone();
        let options = options(&config.access).await?;
        let options = options
            .name(format!("zugzwang {} {}", env!("CARGO_PKG_VERSION"), config.name))
            .retry_on_initial_connect()
            .connection_timeout(TIMEOUT)
            .request_timeout(Some(TIMEOUT))
            .ping_interval(HEARTBEAT)
            .require_tls(config.urls.iter().any(|url| url.starts_with("tls://")))
            .event_callback(move |event| {
                let (told, urls) = (told.clone(), shown.clone());
                async move {
                    match event {
                        Event::Connected => {
                            tracing::info!(urls, "connected to NATS");
                            told.send_replace(true);
                        }
                        Event::Disconnected | Event::Closed => {
                            tracing::warn!(urls, "NATS is away; connecting again");
                            told.send_replace(false);
                        }
                        Event::LameDuckMode | Event::Draining => {}
                        // Each try to connect that fails.
                        Event::ClientError(error) => tracing::debug!(urls, "NATS: {error}"),
                        trouble => tracing::warn!(urls, "NATS: {trouble}"),
                    }
                }
            });
        let failed = |e: async_nats::ConnectError| FleetError::Connection { urls: urls.clone(), why: one_line(&e) };
        let client = options.connect(config.urls.as_slice()).await.map_err(failed)?;
        let context = jetstream::new(client.clone());
        Ok(Self { client, context, names: Names::new(&config.prefix), connected })
    }

    /// Waits until the server is there or isn't.
    pub(super) async fn until(&self, up: bool) {
        // The sender lives in the client, which lives in this.
        let _ = self.connected.clone().wait_for(|connected| *connected == up).await;
    }

    /// Makes streams and buckets where they aren't.
    ///
    /// # Errors
    /// [`FleetError::Server`], also if something else has taken one of the names.
    pub(super) async fn set_up(&self) -> Result<Stores, FleetError> {
        let names = &self.names;
        let stream = async |config: stream::Config| {
            let name = config.name.clone();
            let made = self.context.get_or_create_stream(config).await;
            made.map_err(|e| FleetError::server(format!("stream {name}"))(e.into()))
        };
        let jobs = stream(stream::Config {
            name: names.jobs(),
            subjects: vec![names.all_jobs()],
            retention: RetentionPolicy::WorkQueue,
            // One copy of a question, until it is done.
            max_messages_per_subject: 1,
            discard: DiscardPolicy::New,
            discard_new_per_subject: true,
            duplicate_window: AGAIN,
            max_age: KEPT,
            storage: StorageType::File,
            num_replicas: 1,
            ..Default::default()
        });
        let results = stream(stream::Config {
            name: names.results(),
            subjects: vec![names.all_results()],
            max_messages_per_subject: 1,
            duplicate_window: AGAIN,
            max_age: KEPT,
            storage: StorageType::File,
            num_replicas: 1,
            ..Default::default()
        });
        let (jobs, results) = (jobs.await?, results.await?);
        let workers = match self.context.get_key_value(names.workers()).await {
            Ok(workers) => workers,
            Err(_) => {
                // As `create_key_value` makes it, which asks for account figures that servers before 2.10 don't give.
                stream(stream::Config {
                    name: format!("KV_{}", names.workers()),
                    subjects: vec![format!("$KV.{}.>", names.workers())],
                    max_messages_per_subject: 1,
                    max_age: 3 * HEARTBEAT,
                    storage: StorageType::Memory,
                    discard: DiscardPolicy::New,
                    duplicate_window: AGAIN,
                    allow_rollup: true,
                    deny_delete: true,
                    allow_direct: true,
                    num_replicas: 1,
                    ..Default::default()
                })
                .await?;
                let made = self.context.get_key_value(names.workers()).await;
                made.map_err(|e| FleetError::server(format!("bucket {}", names.workers()))(e.into()))?
            }
        };
        let models = match self.context.get_object_store(names.models()).await {
            Ok(models) => models,
            Err(_) => {
                let config = object_store::Config { bucket: names.models(), num_replicas: 1, ..Default::default() };
                let made = self.context.create_object_store(config).await;
                made.map_err(|e| FleetError::server(format!("object store {}", names.models()))(e.into()))?
            }
        };
        Ok(Stores { jobs, results, workers, models })
    }

    /// The consumer of a model's jobs, which daemon and workers make alike.
    ///
    /// # Errors
    /// [`FleetError::Server`].
    pub(super) async fn consumer(
        &self,
        jobs: &Stream,
        priority: Priority,
        model: B256,
        ack_wait: Duration,
    ) -> Result<PullConsumer, FleetError> {
        let name = self.names.consumer(priority, model);
        let config = pull::Config {
            durable_name: Some(name.clone()),
            filter_subject: self.names.jobs_of(priority, model),
            ack_policy: AckPolicy::Explicit,
            ack_wait,
            // A job that its workers don't survive is counted by the next one, which tells the daemon.
            max_deliver: -1,
            ..Default::default()
        };
        let made = jobs.get_or_create_consumer(&name, config).await;
        made.map_err(|e| FleetError::server(format!("consumer {name}"))(e.into()))
    }
}

async fn options(access: &Access) -> Result<ConnectOptions, FleetError> {
    let failed = |key, path: &std::path::Path| {
        let path = path.to_owned();
        move |source| FleetError::File { key, path, source }
    };
    let mut options = ConnectOptions::new();
    if let Some(path) = &access.credentials {
        options = options.credentials_file(path).await.map_err(failed("fleet.credentials", path))?;
    }
    if let Some(path) = &access.token {
        options = options.token(first_line(path).await.map_err(failed("fleet.token_file", path))?);
    }
    if let Some((user, path)) = &access.user {
        let password = first_line(path).await.map_err(failed("fleet.password_file", path))?;
        options = options.user_and_password(user.clone(), password);
    }
    if let Some(path) = &access.authorities {
        check_readable("fleet.ca_file", path)?;
        options = options.add_root_certificates(path.clone());
    }
    if let Some((certificate, key)) = &access.certificate {
        check_readable("fleet.cert_file", certificate)?;
        check_readable("fleet.cert_key_file", key)?;
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    Ok(options)
}

async fn first_line(path: &std::path::Path) -> std::io::Result<String> {
    let text = tokio::fs::read_to_string(path).await?;
    Ok(text.lines().next().unwrap_or_default().trim().to_owned())
}

/// Connecting is tried for ever, so that a wrong path would never show.
fn check_readable(key: &'static str, path: &std::path::Path) -> Result<(), FleetError> {
    std::fs::File::open(path).map(drop).map_err(|source| FleetError::File { key, path: path.to_owned(), source })
}
