//! Workers and servers that go, and daemons that come back.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_in_mid_proof_loses_no_job() {
    let nats = Server::nats();
    // Large enough for a proof to take a moment.
    let daemon = Daemon::join(&nats.url, &loaded("chess-s"), |raw| raw.ack_wait_s = SOON).await;
    daemon.is_up().await;
    // More with ZUGZWANG_KILLS, for `docs/reliability.md`.
    let wanted = kills();
    let mut done = 0;
    for n in 0..20 * wanted {
        let mut first = Process::with(&nats.url, |raw| raw.fleet.ack_wait_s = SOON);
        let proof = daemon.ask(n, &Ticket::default());
        first.says("proving").await;
        first.child.kill().expect("killed");
        first.child.wait().expect("killed");
        let was_done = first.count("proved ") > 0;
        let second = Process::with(&nats.url, |raw| raw.fleet.ack_wait_s = SOON);
        let made = must("a proof", proof).await.expect("no panic").expect("a proof");
        daemon.check(n, &made.proof);
        if !was_done {
            // What counts is that it isn't the dead one that answered.
            assert!(second.count("proved ") > 0, "{:?}", second.said);
            done += 1;
        }
        if done == wanted {
            println!("{done} workers killed in mid-proof, {} questions, each answered once", n + 1);
            return;
        }
    }
    panic!("only {done} were killed in mid-proof");
}

/// How often something is killed.
fn kills() -> u64 {
    std::env::var("ZUGZWANG_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(1).max(1)
}

#[tokio::test(flavor = "multi_thread")]
async fn while_workers_and_nats_are_killed_each_question_is_answered_once() {
    let mut nats = Server::nats();
    let daemon = Daemon::join(&nats.url, &loaded("lending"), |raw| raw.ack_wait_s = SOON).await;
    daemon.is_up().await;
    let url = nats.url.clone();
    let start = || Process::with(&url, |raw| raw.fleet.ack_wait_s = SOON);
    let mut workers = [start(), start()];
    let rounds = 2 * kills();
    let (mut asked, mut proofs, mut dead) = (Vec::new(), 0, 0);
    for round in 0..rounds {
        asked.extend((0..4).map(|n| 4 * round + n).map(|n| (n, daemon.ask(n, &Ticket::default()))));
        // Whatever they are at.
        let before: usize = workers.iter().map(|worker| worker.count("proving")).sum();
        until("somebody is at work", async || workers.iter().map(|w| w.count("proving")).sum::<usize>() > before).await;
        if round.is_multiple_of(2) {
            let killed = std::mem::replace(&mut workers[(round / 2 % 2) as usize], start());
            proofs += killed.count("proved ");
            dead += 1;
        } else {
            nats.tell("kill");
            nats.tell("start");
        }
    }
    for (n, proof) in asked {
        daemon.check(n, &must("a proof", proof).await.expect("no panic").expect("a proof").proof);
    }
    proofs += workers.iter().map(|worker| worker.count("proved ")).sum::<usize>();
    println!("{} questions answered; {dead} workers and {} servers killed; {proofs} proofs", 4 * rounds, rounds - dead);
    assert!(proofs as u64 >= 4 * rounds - dead, "a dead worker's last words may be lost, no more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_no_worker_survives_is_reported() {
    let nats = Server::nats();
    let daemon = Daemon::join(&nats.url, &loaded("lending"), |raw| raw.ack_wait_s = SOON).await;
    daemon.is_up().await;
    let proof = daemon.ask(0, &Ticket::default());
    let queue = super::cheats::Queue::open(&nats.url, &daemon).await;
    // Two that take it and are not heard of again.
    for _ in 0..2 {
        queue.take(0).await;
    }
    let _worker = Process::with(&nats.url, |raw| raw.fleet.deliveries = 2);
    let error = must("an end", proof).await.expect("no panic").expect_err("no proof");
    assert!(error.to_string().contains("2 times and none was heard of again"), "{error}");
    // The job is tried again, and a worker that lives proves it.
    daemon.answer(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_killed_and_back_loses_nothing_and_proves_nothing_twice() {
    let mut nats = Server::nats();
    let daemon = Daemon::join(&nats.url, &loaded("lending"), |_| ()).await;
    daemon.is_up().await;
    let asked: Vec<_> = (0..8).map(|n| (n, daemon.ask(n, &Ticket::default()))).collect();
    let queue = super::cheats::Queue::open(&nats.url, &daemon).await;
    until("all are in the queue", async || queue.waiting().await == 8).await;
    nats.tell("kill");
    until("it is known to be away", async || !daemon.fleet.is_up()).await;
    nats.tell("start");
    daemon.is_up().await;
    let worker = Process::start(&nats.url);
    for (n, proof) in asked {
        daemon.check(n, &must("a proof", proof).await.expect("no panic").expect("a proof").proof);
    }
    assert_eq!(worker.count("proved "), 8, "the queue was stored, and each question is in it once");
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_killed_while_a_worker_proves_costs_no_proof() {
    let mut nats = Server::nats();
    let daemon = Daemon::join(&nats.url, &loaded("chess-s"), |_| ()).await;
    daemon.is_up().await;
    let worker = Process::start(&nats.url);
    let proof = daemon.ask(0, &Ticket::default());
    worker.says("proving").await;
    nats.tell("kill");
    worker.says("proved ").await;
    nats.tell("start");
    let made = must("a proof", proof).await.expect("no panic").expect("a proof");
    daemon.check(0, &made.proof);
    assert_eq!(worker.count("proved "), 1, "the proof was kept until the server was back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_has_lost_everything_is_filled_again() {
    let nats = Server::nats();
    let daemon = Daemon::join(&nats.url, &loaded("lending"), |_| ()).await;
    daemon.is_up().await;
    let proof = daemon.ask(0, &Ticket::default());
    let queue = super::cheats::Queue::open(&nats.url, &daemon).await;
    until("it is in the queue", async || queue.waiting().await == 1).await;
    queue.purge().await;
    let _worker = Process::start(&nats.url);
    let made = must("a proof", proof).await.expect("no panic").expect("a proof");
    daemon.check(0, &made.proof);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_comes_back_finds_what_was_proven_meanwhile() {
    let nats = Server::nats();
    let models = loaded("lending");
    let before = Daemon::join(&nats.url, &models, |_| ()).await;
    before.is_up().await;
    let ticket = Ticket::default();
    let waiting = before.ask(0, &ticket);
    let queue = super::cheats::Queue::open(&nats.url, &before).await;
    until("it is in the queue", async || queue.waiting().await == 1).await;
    ticket.leave();
    assert!(matches!(must("it ends", waiting).await.expect("no panic"), Err(ProveError::Stopped)));
    drop(before);
    let worker = Process::start(&nats.url);
    until("its proof is there", async || queue.waiting().await == 0).await;
    drop(worker);
    // No worker is there any more: only the stored result can be the answer.
    let after = Daemon::join(&nats.url, &models, |_| ()).await;
    assert!(after.answer(0).await.worker.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_nats_proofs_are_made_here_or_wait() {
    let mut nats = Server::nats();
    let models = loaded("lending");
    let local = Daemon::join(&nats.url, &models, |raw| raw.fallback = "local".into()).await;
    let waits = Daemon::join(&nats.url, &models, |_| ()).await;
    local.is_up().await;
    waits.is_up().await;
    nats.tell("kill");
    until("it is known to be away", async || !local.fleet.is_up() && !waits.fleet.is_up()).await;
    let waiting = waits.ask(2, &Ticket::default());
    let here = local.answer(0).await;
    assert_eq!(here.worker, None);
    assert!(local.heard("NATS is away"), "{:?}", local.troubles);
    until("it says that it waits", async || waits.heard("its proof waits")).await;
    assert!(!waiting.is_finished());
    nats.tell("start");
    // It is there, and nobody to do the work.
    local.is_up().await;
    assert_eq!(local.answer(4).await.worker, None);
    assert!(local.heard("no worker of the fleet serves the model"));
    let _worker = Process::start(&nats.url);
    let made = must("a proof", waiting).await.expect("no panic").expect("a proof");
    assert!(made.worker.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_moot_leaves_the_queue_and_stops_its_worker() {
    let nats = Server::nats();
    let daemon = Daemon::join(&nats.url, &loaded("chess-s"), |_| ()).await;
    daemon.is_up().await;
    let queue = super::cheats::Queue::open(&nats.url, &daemon).await;
    let ticket = Ticket::default();
    let proof = daemon.ask(0, &ticket);
    until("it is in the queue", async || queue.waiting().await == 1).await;
    ticket.cancel();
    assert!(matches!(must("it ends", proof).await.expect("no panic"), Err(ProveError::Stopped)));
    assert_eq!(queue.waiting().await, 0, "nobody is to prove it");

    let worker = Process::start(&nats.url);
    for n in 1..20 {
        let ticket = Ticket::default();
        let proof = daemon.ask(n, &ticket);
        until("it is at work", async || worker.count("proving") >= n as usize).await;
        ticket.cancel();
        assert!(matches!(must("it ends", proof).await.expect("no panic"), Err(ProveError::Stopped)));
        until("it has ended", async || worker.count("called off") + worker.count("proved ") >= n as usize).await;
        if worker.count("called off") > 0 {
            return;
        }
    }
    panic!("no proof was stopped");
}
