//! A server that knows who may do what: the rights that `docs/fleet.md` names are enough, and no more than enough.

use async_nats::jetstream;

use super::*;

/// A row of the table in `docs/fleet.md`: the subjects of its second and its third column.
fn rights(who: &str) -> String {
    let text = std::fs::read_to_string(root().join("docs/fleet.md")).expect("the page");
    let row = text.lines().find(|line| line.starts_with(&format!("| {who} | `"))).expect("its row");
    let list = |column: &str| {
        let quoted = column.split(", ").map(|subject| format!("\"{}\"", subject.trim().trim_matches('`')));
        quoted.collect::<Vec<_>>().join(", ")
    };
    let columns: Vec<&str> = row.trim_matches(['|', ' ']).split(" | ").collect();
    format!("{{ publish: [{}], subscribe: [{}] }}", list(columns[1]), list(columns[2]))
}

#[tokio::test(flavor = "multi_thread")]
async fn daemon_and_worker_need_the_rights_that_are_named_and_no_others() {
    let folder = tempfile::tempdir().expect("folder");
    let path = |name: &str| folder.path().join(name);
    let users = ["daemon", "worker"].map(|who| {
        std::fs::write(path(who), format!("the {who}'s password\n")).expect("written");
        format!("{{ user: {who}, password: \"the {who}'s password\", permissions: {} }}", rights(who))
    });
    let config = path("nats.conf");
    std::fs::write(&config, format!("authorization {{ users: [ {} ] }}\n", users.join(", "))).expect("written");
    let nats = Server::nats_with(&config);
    let log_in = |raw: &mut RawFleet, who: &str| {
        (raw.user, raw.password_file) = (who.into(), path(who).display().to_string());
    };

    let daemon = Daemon::join(&nats.url, &loaded("lending"), |raw| log_in(raw, "daemon")).await;
    daemon.is_up().await;
    let stranger = Process::start(&nats.url);
    stranger.says("uthorization").await;
    let worker = Process::with(&nats.url, |raw| {
        log_in(&mut raw.fleet, "worker");
        raw.log.filter = "debug".into();
    });
    let made = daemon.answer(0).await;
    assert!(made.worker.is_some_and(|name| name.starts_with("worker-")));
    daemon.is_served().await;
    let ticket = Ticket::default();
    let moot = daemon.ask(1, &ticket);
    ticket.cancel();
    assert!(must("it ends", moot).await.expect("no panic").is_err());
    worker.signal("-TERM");
    worker.says("stopped").await;
    for text in ["ermissions Violation", "ermissions violation", "the worker's password"] {
        assert_eq!(worker.count(text), 0, "{text}");
    }

    // A worker can't ask for proofs, nor change models.
    let options = async_nats::ConnectOptions::with_user_and_password("worker".into(), "the worker's password".into());
    let context = jetstream::new(options.connect(&nats.url).await.expect("a connection"));
    for subject in ["zugzwang.jobs.normal.x.y", "$O.zugzwang-models.C.x"] {
        let sent = context.publish(subject, "x".into()).await.expect("sent");
        let confirmed = tokio::time::timeout(Duration::from_secs(3), sent.into_future()).await;
        assert!(!matches!(confirmed, Ok(Ok(_))), "{subject}");
    }
}
