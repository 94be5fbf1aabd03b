//! Somebody with access to the fleet's subjects who isn't a worker of ours.

use async_nats::jetstream::{
    self,
    consumer::{PullConsumer, pull},
};
use futures_util::StreamExt;
use zugzwang::{
    chain::types::B256,
    fleet::{Job, Outcome, Shown},
};

use super::*;

/// The queue of a daemon's model, from outside.
pub(super) struct Queue {
    context: jetstream::Context,
    model: String,
}

impl Queue {
    pub(super) async fn open(url: &str, daemon: &Daemon) -> Self {
        let client = async_nats::connect(url).await.expect("a server");
        let model = B256::from(daemon.prover.model_id()).to_string().trim_start_matches("0x").to_owned();
        Self { context: jetstream::new(client), model }
    }

    async fn stream(&self) -> jetstream::stream::Stream {
        self.context.get_stream("zugzwang-jobs").await.expect("the queue")
    }

    /// How many jobs wait or are worked on.
    pub(super) async fn waiting(&self) -> u64 {
        self.stream().await.cached_info().state.messages
    }

    pub(super) async fn purge(&self) {
        self.stream().await.purge().await.expect("purged");
    }

    /// Takes question `n`'s job.
    pub(super) async fn take(&self, n: u64) -> (jetstream::Message, Job) {
        let priority = if n.is_multiple_of(2) { "normal" } else { "urgent" };
        let name = format!("{priority}-{}", self.model);
        let consumer: PullConsumer = self.stream().await.get_consumer(&name).await.expect("its consumer");
        let taking = async {
            loop {
                let mut batch = consumer.fetch().max_messages(1).messages().await.expect("the queue");
                if let Some(message) = batch.next().await {
                    let message = message.expect("a job");
                    let job: Job = serde_json::from_slice(&message.payload).expect("a job");
                    return (message, job);
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        must("a job", taking).await
    }

    /// Answers a job as a worker would.
    async fn answer(&self, taken: (jetstream::Message, Job), outcome: &Outcome) {
        let (message, job) = taken;
        let subject = format!("zugzwang.results.{}", job.id());
        let payload = serde_json::to_vec(outcome).expect("JSON");
        self.context.publish(subject, payload.into()).await.expect("sent").await.expect("stored");
        message.double_ack().await.expect("done");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cheating_worker_is_named_and_its_job_is_given_to_another() {
    let nats = Server::nats();
    let daemon = Daemon::join(&nats.url, &loaded("lending"), |_| ()).await;
    daemon.is_up().await;
    let queue = Queue::open(&nats.url, &daemon).await;
    let prover = daemon.prover.clone();
    let honest = |input: u64, asked: u64| {
        Shown::from(prover.prove(&daemon.input(input), request(asked), &|_| ()).expect("a proof"))
    };

    let cheats: [(&str, Shown); 3] = [
        // What a contract would refuse, and a verifier alone would not: right, for the same request, of another input.
        ("of another input", honest(1, 0)),
        ("of another question", honest(2, 2)),
        ("with a byte changed", {
            let Shown { proof, instances } = honest(0, 0);
            let mut bytes = proof.to_vec();
            bytes[100] ^= 1;
            Shown { proof: bytes.into(), instances }
        }),
    ];
    for (n, (what, shown)) in cheats.into_iter().enumerate() {
        let ticket = Ticket::default();
        let proof = daemon.ask(0, &ticket);
        let cheater = format!("cheater-{n}");
        queue.answer(queue.take(0).await, &Outcome::new(&cheater, Duration::ZERO, Ok(shown))).await;
        until(what, async || daemon.heard(&cheater)).await;
        // It is in the queue again, and whoever takes it knows whom it isn't for.
        let (message, job) = queue.take(0).await;
        assert_eq!(job.avoid, [cheater]);
        message.ack_with(jetstream::AckKind::Nak(None)).await.expect("given back");
        assert!(!proof.is_finished(), "{what}");
        ticket.cancel();
        assert!(matches!(must("it ends", proof).await.expect("no panic"), Err(ProveError::Stopped)));
        until("it is taken back", async || queue.waiting().await == 0).await;
    }

    // One that cheats first, and then an honest worker.
    let proof = daemon.ask(0, &Ticket::default());
    let shown = honest(1, 0);
    queue.answer(queue.take(0).await, &Outcome::new("cheater", Duration::ZERO, Ok(shown))).await;
    let _worker = Process::start(&nats.url);
    let made = must("a proof", proof).await.expect("no panic").expect("a proof");
    daemon.check(0, &made.proof);
    assert!(made.worker.is_some_and(|worker| worker.starts_with("worker-")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_with_nothing_but_wrong_proofs_ends_with_an_error() {
    let nats = Server::nats();
    let daemon = Daemon::join(&nats.url, &loaded("lending"), |_| ()).await;
    daemon.is_up().await;
    let queue = Queue::open(&nats.url, &daemon).await;
    let proof = daemon.ask(0, &Ticket::default());
    for n in 0..3 {
        let nothing = Shown { proof: vec![].into(), instances: vec![] };
        let outcome = Outcome::new(&format!("cheater-{n}"), Duration::ZERO, Ok(nothing));
        queue.answer(queue.take(0).await, &outcome).await;
    }
    let error = must("an end", proof).await.expect("no panic").expect_err("no proof");
    assert!(matches!(error, ProveError::Wrong { wrong: 3, .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn strange_messages_stop_neither_workers_nor_daemons() {
    let nats = Server::nats();
    let daemon = Daemon::join(&nats.url, &loaded("lending"), |_| ()).await;
    daemon.is_up().await;
    let queue = Queue::open(&nats.url, &daemon).await;
    let worker = Process::start(&nats.url);
    worker.says("serving").await;
    let client = async_nats::connect(&nats.url).await.expect("a server");
    for (name, payload) in [("nonsense", b"}{".to_vec()), ("empty", vec![]), ("future", b"{\"version\":99}".to_vec())] {
        let subject = format!("zugzwang.jobs.normal.{}.{name}", queue.model);
        queue.context.publish(subject, payload.into()).await.expect("sent").await.expect("stored");
    }
    until("they are out of the queue", async || queue.waiting().await == 0).await;
    for subject in ["zugzwang.cancel.nobody", "zugzwang.results.nobody"] {
        client.publish(subject, vec![0xff; 64].into()).await.expect("sent");
    }
    // A model that is none.
    let store = queue.context.get_object_store("zugzwang-models").await.expect("the models");
    let name = format!("{}.{}", "ab".repeat(32), "cd".repeat(32));
    store.put(name.as_str(), &mut [1u8; 1000].as_slice()).await.expect("put");
    let made = daemon.answer(0).await;
    assert!(made.worker.is_some());
}

/// A consumer's configuration is part of what an operator's KEDA reads.
#[tokio::test(flavor = "multi_thread")]
async fn queues_have_the_names_that_the_chart_uses() {
    let nats = Server::nats();
    let daemon = Daemon::join(&nats.url, &loaded("lending"), |_| ()).await;
    daemon.is_up().await;
    let queue = Queue::open(&nats.url, &daemon).await;
    for priority in ["normal", "urgent"] {
        let name = format!("{priority}-{}", queue.model);
        let mut consumer: jetstream::consumer::Consumer<pull::Config> =
            queue.stream().await.get_consumer(&name).await.expect("a consumer");
        let config = consumer.info().await.expect("its state").config.clone();
        assert_eq!(config.filter_subject, format!("zugzwang.jobs.{priority}.{}.*", queue.model));
        assert_eq!(config.ack_wait, Duration::from_secs(ACK_WAIT));
    }
}
