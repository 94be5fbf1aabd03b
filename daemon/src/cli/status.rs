//! `zugzwang status`, `tail` and `replay`: what a daemon does, has done, and is to do again.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    CliError, Output, job,
    reach::{Reach, ago, look},
    run,
};
use crate::{
    config::Config,
    http::{Client, Running, answer::List, views},
    monitor::Status,
    out,
    service::{OrderDone, orders::Order},
};

/// The state of the daemons of some configurations.
pub(super) async fn status(configs: Vec<Config>, output: Output) -> Result<(), CliError> {
    let mut all = Vec::new();
    for config in &configs {
        let status = match look(config).await? {
            Reach::Running(client) => {
                let served: Vec<Status> = client.get::<List<Status>>("status").await?.items;
                let own = served.into_iter().find(|status| status.chain_id == config.chain.chain_id);
                own.ok_or_else(|| CliError::failed("the daemon that runs doesn't serve this chain"))?
            }
            Reach::Stopped(store) => {
                let status = views::stopped(config, &store).await?;
                store.close().await;
                status
            }
        };
        all.push(status);
    }
    output.print(&all, || all.iter().map(in_words).collect::<Vec<_>>().join("\n\n"))
}

fn in_words(status: &Status) -> String {
    let stands = match (status.running, status.ready) {
        (true, true) => "runs and is ready".to_owned(),
        (true, false) => format!("runs and is not ready: {}", status.why.join("; ")),
        (false, _) => match status.alive_at {
            Some(at) => format!("is stopped; last alive {}", ago(at)),
            None => "is stopped".to_owned(),
        },
    };
    let mut lines = vec![format!("chain {}: the daemon {stands}", status.chain_id)];
    if let Some(signer) = &status.signer {
        let balance = status.balance_ether.as_ref().map(|ether| format!(", {ether} ether")).unwrap_or_default();
        lines.push(format!("signer    {signer}{balance}"));
    }
    for app in &status.apps {
        lines.push(format!("app       {app}"));
    }
    let block = |block: Option<u64>| block.map_or("none".to_owned(), |block| block.to_string());
    match status.head {
        Some(head) => lines.push(format!("blocks    head {head}, read up to {}", block(status.cursor))),
        None => lines.push(format!("blocks    read up to {}", block(status.cursor))),
    }
    let counts = |counts: &BTreeMap<String, u64>| {
        let some: Vec<String> =
            counts.iter().filter(|(_, n)| **n > 0).map(|(state, n)| format!("{n} {state}")).collect();
        if some.is_empty() { "none".to_owned() } else { some.join(", ") }
    };
    lines.push(format!("jobs      {}", counts(&status.jobs)));
    lines.push(format!("sent      {}", counts(&status.transactions)));
    for alert in &status.alerts {
        lines.push(format!("alert     {alert}"));
    }
    lines.join("\n")
}

/// Follows what the daemon does, until it ends.
pub(super) async fn tail(config: Config, output: Output) -> Result<(), CliError> {
    let client = Client::must_find(&Running::file_of(&config)).await?;
    let print = |text: &str| {
        if output.json {
            out::line(text);
        } else if let Ok(event) = serde_json::from_str::<Value>(text) {
            out::line(&event_in_words(&event));
        }
    };
    Ok(client.follow(print).await?)
}

/// An event as one line: its time of day, its kind, and whatever it carries.
fn event_in_words(event: &Value) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    let mut line = String::new();
    if let Some(ms) = event["time_ms"].as_u64() {
        let second = ms / 1000 % 86_400;
        line.push_str(&format!("{:02}:{:02}:{:02} ", second / 3600, second / 60 % 60, second % 60));
    }
    line.push_str(event["event"].as_str().unwrap_or("?"));
    if let (Some(app), Some(subject)) = (event["app"].as_str(), event["subject"].as_str()) {
        line.push_str(&format!(" {app} {subject}"));
    }
    let shown = ["time_ms", "event", "app", "subject"];
    let rest: BTreeMap<&String, &Value> = event.as_object().into_iter().flatten().collect();
    for (key, value) in rest.into_iter().filter(|(key, _)| !shown.contains(&key.as_str())) {
        line.push_str(&format!(" {key}={}", text(value)));
    }
    line
}

#[derive(Debug, clap::Args)]
pub(super) struct ReplayArgs {
    /// The block whose logs are read again.
    #[arg(long)]
    block: u64,
    /// Only say what they ask.
    #[arg(long)]
    dry_run: bool,
}

/// Reads a block's logs again, and does what they ask. What has a job already isn't doubled.
pub(super) async fn replay(args: ReplayArgs, config: Config, output: Output) -> Result<(), CliError> {
    let ReplayArgs { block, dry_run } = args;
    let done: OrderDone = match Client::find(&Running::file_of(&config)).await? {
        Some(client) => {
            let path = format!("replay?chain={}", config.chain.chain_id);
            client.post(&path, &json!({ "block": block, "dry_run": dry_run })).await?
        }
        None => {
            // What a log asks depends on the models, so that they are loaded as for a run.
            let (mut service, store) = run::once(config).await?;
            let done = service.obey(Order::Replay { block, dry_run }).await;
            store.close().await;
            done?
        }
    };
    job::said(&done, output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_one_line_each() {
        let cases = [
            (
                json!({ "event": "proved", "chain_id": 1, "time_ms": 3_661_000u64, "app": "chess", "subject": "7", "round": 3, "ms": 900 }),
                "01:01:01 proved chess 7 chain_id=1 ms=900 round=3",
            ),
            (json!({ "event": "missed", "count": 5 }), "missed count=5"),
            (json!({ "event": "ready", "apps": ["a 0x1", "b 0x2"] }), "ready apps=a 0x1, b 0x2"),
        ];
        for (event, expected) in cases {
            assert_eq!(event_in_words(&event), expected);
        }
    }
}
