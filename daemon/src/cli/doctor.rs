//! `zugzwang doctor` and `check --online`: everything that could be wrong, one line each, with what to do about it.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use serde::Serialize;

use super::{CliError, Output, run};
use crate::{
    alerts::ether,
    apps::{self, Ground},
    chain::{ChainError, Client as Node, Keys, signer},
    clock::Clock,
    code::{Code, Coded},
    config::{ChainConfig, Config, PasswordSource, SignerConfig},
    http::{Client, Running},
    prover::Models,
    store::{Place, Store},
};

/// Room on the disk below which the store may stop the daemon.
const ROOM: u64 = 1 << 30;
/// How far the chain's clock may be ahead of ours.
const AHEAD: u64 = 15;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Grade {
    /// As it should be.
    Good,
    /// It works, but shouldn't stay so.
    Warning,
    /// It doesn't work.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
struct Finding {
    what: &'static str,
    grade: Grade,
    said: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip)]
    error: Option<Code>,
}

/// What was found so far.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn good(&mut self, what: &'static str, said: impl Into<String>) {
        self.0.push(Finding { what, grade: Grade::Good, said: said.into(), code: None, error: None });
    }

    fn warn(&mut self, what: &'static str, said: impl Into<String>) {
        self.0.push(Finding { what, grade: Grade::Warning, said: said.into(), code: None, error: None });
    }

    fn bad(&mut self, what: &'static str, code: Code, said: impl Into<String>) {
        let (said, shown) = (said.into(), Some(code.to_string()));
        self.0.push(Finding { what, grade: Grade::Bad, said, code: shown, error: Some(code) });
    }

    fn failed(&mut self, what: &'static str, error: &impl Coded) {
        self.bad(what, error.code(), error.to_string());
    }
}

/// Looks at everything.
pub(super) async fn doctor(files: &[PathBuf], output: Output) -> Result<(), CliError> {
    let mut findings = Findings::default();
    for file in files {
        file_permissions(&mut findings, file);
    }
    for config in run::configs(files)? {
        let daemon = daemon(&mut findings, &config).await;
        disk(&mut findings, &config);
        store(&mut findings, &config, daemon.is_some()).await;
        secrets(&mut findings, &config);
        models(&mut findings, &config);
        online(&mut findings, &config).await;
        if config.alerts.webhooks.is_empty() {
            findings.warn("alerts", "nobody is told when the daemon needs a person; set alerts.webhooks");
        } else {
            findings.good("alerts", format!("{} webhooks", config.alerts.webhooks.len()));
        }
    }
    conclude(findings, output)
}

/// Looks at what a run needs: store, key, models, endpoints, contracts.
pub(super) async fn check_online(configs: &[Config], output: Output) -> Result<(), CliError> {
    let mut findings = Findings::default();
    for config in configs {
        let running = Client::find(&Running::file_of(config)).await?.is_some();
        store(&mut findings, config, running).await;
        models(&mut findings, config);
        online(&mut findings, config).await;
    }
    conclude(findings, output)
}

fn conclude(findings: Findings, output: Output) -> Result<(), CliError> {
    output.print(&findings.0, || {
        let mark = |grade| match grade {
            Grade::Good => "ok  ",
            Grade::Warning => "warn",
            Grade::Bad => "BAD ",
        };
        let line = |f: &Finding| {
            let code = f.code.as_ref().map(|code| format!("{code}: ")).unwrap_or_default();
            format!("{} {}: {code}{}", mark(f.grade), f.what, f.said)
        };
        findings.0.iter().map(line).collect::<Vec<_>>().join("\n")
    })?;
    let bad: Vec<&Finding> = findings.0.iter().filter(|finding| finding.grade == Grade::Bad).collect();
    match bad.first().and_then(|finding| finding.error) {
        Some(code) => Err(CliError::new(code, format!("{} of {} findings are bad", bad.len(), findings.0.len()))),
        None => Ok(()),
    }
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).ok().map(|meta| meta.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode(_: &Path) -> Option<u32> {
    None
}

fn file_permissions(findings: &mut Findings, file: &Path) {
    match mode(file) {
        Some(mode) if mode & 0o022 != 0 => findings.warn(
            "configuration",
            format!("{}: others can change it (mode {mode:03o}); `chmod go-w` it", file.display()),
        ),
        _ => findings.good("configuration", file.display().to_string()),
    }
}

/// Files that only the daemon's user should read.
fn secrets(findings: &mut Findings, config: &Config) {
    let mut files = Vec::new();
    for key in &config.keys {
        if let SignerConfig::Keystore { path, password } = &key.signer {
            files.push(path.clone());
            if let PasswordSource::File(path) = password {
                files.push(path.clone());
            }
        }
    }
    files.extend(config.http.token_file.clone());
    for path in files {
        match mode(&path) {
            None => {}
            Some(mode) if mode & 0o077 != 0 => findings.warn(
                "permissions",
                format!("{}: others can read it (mode {mode:03o}); `chmod 600` it", path.display()),
            ),
            Some(_) => findings.good("permissions", path.display().to_string()),
        }
    }
}

/// The daemon that runs, if one does.
async fn daemon(findings: &mut Findings, config: &Config) -> Option<Client> {
    let file = Running::file_of(config);
    match Client::find(&file).await {
        Ok(Some(client)) => {
            let all =
                client.get::<crate::http::answer::List<crate::monitor::Status>>("status").await.map(|all| all.items);
            match all.map(|all| all.into_iter().find(|status| status.chain_id == config.chain.chain_id)) {
                Ok(Some(status)) if status.ready => {
                    findings.good("daemon", format!("runs as process {}, at {}", client.pid(), client.address()));
                }
                Ok(Some(status)) => {
                    findings.warn("daemon", format!("runs, and isn't ready: {}", status.why.join("; ")))
                }
                Ok(None) => findings.warn("daemon", "the one that runs doesn't serve this chain"),
                Err(error) => findings.failed("daemon", &error),
            }
            Some(client)
        }
        Ok(None) => {
            let left =
                if file.exists() { "; a killed one left its address, which the next start replaces" } else { "" };
            findings.good("daemon", format!("none runs{left}"));
            None
        }
        Err(error) => {
            findings.failed("daemon", &error);
            None
        }
    }
}

/// The nearest folder above a path that exists.
fn existing(path: &Path) -> PathBuf {
    let folder = |path: &Path| if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() };
    path.ancestors().map(folder).find(|path| path.is_dir()).unwrap_or_else(|| PathBuf::from("."))
}

fn disk(findings: &mut Findings, config: &Config) {
    let mut places = vec![("disk of the keys", &config.model.cache)];
    if let Place::File(path) = &config.store.place {
        places.push(("disk of the store", path));
    }
    for (what, path) in places {
        let folder = existing(path);
        match room(&folder) {
            Some(room) if room < ROOM => findings.warn(
                what,
                format!("only {} MiB are left in {}; a full disk stops the daemon", room >> 20, folder.display()),
            ),
            Some(room) => findings.good(what, format!("{} MiB are left in {}", room >> 20, folder.display())),
            None => findings.warn(what, format!("how much room is left in {} can't be told (df)", folder.display())),
        }
    }
}

/// Bytes that are left where a folder is, as POSIX' df says.
fn room(folder: &Path) -> Option<u64> {
    let output = Command::new("df").arg("-Pk").arg(folder).output().ok()?;
    available(&String::from_utf8(output.stdout).ok()?)
}

/// The fourth column of df's second line, in bytes.
fn available(df: &str) -> Option<u64> {
    let line = df.lines().nth(1)?;
    let numbers: Vec<u64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    // Blocks, used, available; a device's name may hold blanks, and so may the folder's.
    numbers.get(2)?.checked_mul(1024)
}

async fn store(findings: &mut Findings, config: &Config, running: bool) {
    if running {
        findings.good("store", "the daemon that runs has its lock");
        return;
    }
    match Store::open(config.store.place.clone()).await {
        Ok(store) => {
            match store.try_write(config.chain.chain_id).await {
                Ok(()) => {
                    findings.good("store", format!("{} can be written, and nobody holds its lock", config.store.place))
                }
                Err(error) => findings.failed("store", &error),
            }
            store.close().await;
        }
        Err(error) => findings.failed("store", &error),
    }
}

fn models(findings: &mut Findings, config: &Config) {
    for folder in config.model_folders() {
        if folder.join("model.toml").is_file() {
            findings.good("model", folder.display().to_string());
        } else {
            let why = format!(
                "{}: there is no model.toml; name a model's folder, or run from the right one",
                folder.display()
            );
            findings.bad("model", Code::MODEL, why);
        }
    }
    let cached = std::fs::read_dir(&config.model.cache).map(|entries| entries.flatten().count()).unwrap_or(0);
    match cached {
        0 => findings.warn(
            "keys of models",
            format!("{} holds none yet; the first run makes them, which takes minutes", config.model.cache.display()),
        ),
        n => findings.good("keys of models", format!("{n} files in {}", config.model.cache.display())),
    }
}

/// Endpoints, chain id, clock, contracts, key and balance.
async fn online(findings: &mut Findings, config: &Config) {
    let chain = &config.chain;
    let mut best: Option<(Node, crate::chain::client::Header)> = None;
    let mut heads = Vec::new();
    for endpoint in &chain.rpc {
        // Each alone, so that none hides behind another.
        let alone = ChainConfig { rpc: vec![endpoint.clone()], quorum: 1, ..chain.clone() };
        let begun = Instant::now();
        let asked = async {
            let node = Node::open(&alone).await?;
            let head = node.head().await?;
            Ok::<_, ChainError>((node, head))
        };
        match asked.await {
            Ok((node, head)) => {
                heads.push((node.url(), head.block.number, begun.elapsed()));
                if best.as_ref().is_none_or(|(_, known)| known.block.number < head.block.number) {
                    best = Some((node, head));
                }
            }
            Err(error) => findings.failed("endpoint", &error),
        }
    }
    let top = best.as_ref().map_or(0, |(_, head)| head.block.number);
    for (name, head, took) in heads {
        let (lag, ms) = (top.saturating_sub(head), took.as_millis());
        if lag > chain.max_lag {
            findings.warn("endpoint", format!("{name}: {lag} blocks behind the best one; it may be syncing"));
        } else {
            findings.good("endpoint", format!("{name}: chain {}, block {head}, {ms} ms", chain.chain_id));
        }
    }
    let Some((node, head)) = best else { return };
    clock(findings, config, head.timestamp);
    if head.base_fee >= config.submit.max_fee {
        let why = format!("the base fee is {} wei, above submit.max_fee_gwei; nothing would be mined", head.base_fee);
        findings.bad("fees", Code::new(209), why);
    } else {
        findings.good("fees", format!("the base fee is {:.3} gwei", head.base_fee as f64 / 1e9));
    }
    let keys = match Keys::open(&config.keys, config.chain.chain_id).await {
        Ok(keys) => keys,
        Err(error) => return findings.failed("key", &error),
    };
    for (name, address) in keys.addresses() {
        findings.good("key", format!("{name}: {address}"));
        match node.balance(address).await {
            Ok(wei) if wei < config.alerts.low_balance || wei.is_zero() => {
                findings.warn("balance", format!("{} ether; send some to {address}", ether(wei)));
            }
            Ok(wei) => findings.good("balance", format!("{} ether", ether(wei))),
            Err(error) => findings.failed("balance", &error),
        }
    }
    contracts(findings, config, node, &keys).await;
}

async fn contracts(findings: &mut Findings, config: &Config, node: Node, keys: &Keys) {
    // Contracts are asked without models and without the daemon's store, which may be in use.
    let place = std::env::temp_dir().join(format!("zugzwang-doctor-{}.db", std::process::id()));
    let store = match Store::open(Place::File(place.clone())).await {
        Ok(store) => store,
        Err(error) => return findings.failed("contracts", &error),
    };
    let signer = match keys.get(signer::DEFAULT) {
        Ok(signer) => signer.address(),
        Err(error) => return findings.failed("key", &error),
    };
    let (signers, models) = (keys.addresses(), Models::default());
    let ground = Ground { client: node, signer, signers, models, store: store.clone() };
    match apps::open(config, &ground).await {
        Ok(apps) => {
            let names: Vec<String> = apps.iter().map(|app| format!("{} {}", app.name(), app.contract())).collect();
            findings.good("contracts", names.join(", "));
        }
        Err(error) => findings.failed("contracts", &error),
    }
    store.close().await;
    for ending in ["db", "db-wal", "db-shm", "lock"] {
        // It was ours alone; what isn't there needs no removal.
        let _ = std::fs::remove_file(place.with_extension(ending));
    }
}

fn clock(findings: &mut Findings, config: &Config, newest: u64) {
    let now = u64::try_from(Clock::system().now_ms()).unwrap_or(0) / 1000;
    if newest > now.saturating_add(AHEAD) {
        let ahead = newest - now;
        findings.warn("clock", format!("the newest block is {ahead} s ahead of this machine's clock; set it by NTP"));
        return;
    }
    let age = Duration::from_secs(now.saturating_sub(newest));
    match config.http.head_age {
        Some(limit) if age > limit => findings.warn(
            "clock",
            format!("the newest block is {} s old: the node is behind, or this clock is ahead", age.as_secs()),
        ),
        _ => findings.good("clock", format!("the newest block is {} s old", age.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn df_is_read() {
        let df = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 100 60 40 60% /\n";
        assert_eq!(available(df), Some(40 * 1024));
        assert_eq!(available("Filesystem\n"), None);
    }
}
