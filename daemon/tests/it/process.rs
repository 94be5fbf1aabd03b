//! The binary itself, as an operator uses it, with a real model, killed with SIGKILL.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use alloy::signers::local::PrivateKeySigner;
use shakmaty::{Chess, Color, Position};
use zugzwang::{
    apps::chess::{self, arena::Arena},
    chain::{
        Client, Key, Wallet,
        types::{Address, U256, random},
    },
    demo::anvil::Anvil,
    files,
    store::{State, Store},
};
use zugzwang_circuits::srs::Srs;

use crate::{logs, world::prices};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub(crate) fn zugzwang(config: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zugzwang"));
    command.current_dir(root()).arg("--config").arg(config).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Several run at the same time: no server, unless the file says where. A worker has none.
    let worker = arguments.first() == Some(&"worker");
    if !worker && !std::fs::read_to_string(config).is_ok_and(|text| text.contains("[http]")) {
        command.env("ZUGZWANG__HTTP__LISTEN", "");
    }
    command
}

pub(crate) fn json(config: &Path, arguments: &[&str]) -> serde_json::Value {
    let output = zugzwang(config, arguments).arg("--json").output().expect("the binary");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

pub(crate) fn run(config: &Path) -> Child {
    let mut command = zugzwang(config, &["run"]);
    command.env("ZUGZWANG__LOG__FILTER", logs::FILTER).stdout(Stdio::null()).stderr(logs::of_process());
    command.spawn().expect("the daemon")
}

fn state_of(jobs: &[zugzwang::store::Job]) -> Vec<State> {
    jobs.iter().map(|job| job.state).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployed_daemon_that_is_killed_while_proving_answers_once() {
    let dir = tempfile::tempdir().expect("folder");
    let chain = Anvil::start(None, &[]).await.expect("anvil");
    let client = Client::connect(&chain.url, Duration::from_secs(10)).await.expect("client");
    let path = |name: &str| dir.path().join(name).display().to_string();
    files::new_secret(&dir.path().join("password"), "correct horse\n").expect("write");
    logs::secret("correct horse");
    let text = |chain_section: &str| {
        format!(
            "{chain_section}[model]\ndir = \"models/chess-s\"\ncache = \"{}\"\n[key]\nkeystore = \"{}\"\npassword_file = \"{}\"\n[store]\npath = \"{}\"\n",
            path("cache"),
            path("key.json"),
            path("password"),
            path("z.db")
        )
    };
    let config = dir.path().join("zugzwang.toml");
    std::fs::write(&config, text(&format!("[chain]\nrpc = \"{}\"\n", chain.url))).expect("write");
    let npc: Address = json(&config, &["key", "new"])["address"].as_str().expect("address").parse().expect("address");
    let key = PrivateKeySigner::decrypt_keystore(path("key.json"), "correct horse").expect("keystore");
    logs::secret(&format!("{:x}", key.to_bytes()));
    let human = Wallet::new(client.clone(), Key::from_bytes(random()).expect("key"), prices());
    for account in [npc, human.address()] {
        client.raw("anvil_setBalance", serde_json::json!([account, U256::from(u128::MAX)])).await.expect("balance");
    }
    let deployed = json(&config, &["deploy"]);
    let arena: Address = deployed["arena"].as_str().expect("arena").parse().expect("address");
    let offer: U256 = deployed["offer"].as_str().expect("offer").parse().expect("number");
    std::fs::write(
        &config,
        text(&format!(
            "[chess]\narena = \"{arena}\"\n[chain]\nrpc = \"{}\"\nconfirmations = 0\nfinality = 2\npoll_ms = 50\n",
            chain.url
        )),
    )
    .expect("write");
    let before = client.nonce(npc).await.expect("nonce");

    let (game, _) = human.create_game(arena, offer, true, U256::ZERO).await.expect("game");
    let first = Chess::default().legal_moves()[0];
    human.play_human(arena, game, 0, chess::word(first)).await.expect("move");
    // Killed at ever later moments, until twice it was while proving.
    let mut while_proving = 0;
    let mut pause = Duration::from_millis(200);
    while while_proving < 2 {
        let mut daemon = run(&config);
        tokio::time::sleep(pause).await;
        daemon.kill().expect("kill");
        daemon.wait().expect("wait");
        let store = Store::open(&dir.path().join("z.db")).await.expect("store");
        let states = state_of(&store.jobs().await.expect("jobs"));
        store.close().await;
        assert!(
            !states.contains(&State::Final) && pause < Duration::from_secs(60),
            "it was never killed while proving: {states:?}"
        );
        if states == [State::Proving] {
            while_proving += 1;
        } else {
            pause += Duration::from_millis(150);
        }
    }
    let mut daemon = run(&config);
    let arena = Arena::open(client.clone(), arena).await.expect("arena");
    let mut played = false;
    for _ in 0..1200 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if arena.game(game, None).await.expect("game").ply == 2 {
            played = true;
            break;
        }
    }
    assert!(played, "no answer within a minute");
    client.raw("anvil_mine", serde_json::json!([4])).await.expect("mine");
    tokio::time::sleep(Duration::from_millis(500)).await;
    daemon.kill().expect("kill");
    daemon.wait().expect("wait");

    let view = arena.game(game, None).await.expect("game");
    let position = chess::unpack(&view.board, Color::White).expect("position");
    assert_eq!((view.ply, position.turn()), (2, Color::White));
    assert_eq!(client.nonce(npc).await.expect("nonce"), before + 1, "one transaction");
    let store = Store::open(&dir.path().join("z.db")).await.expect("store");
    assert_eq!(state_of(&store.jobs().await.expect("jobs")), [State::Final]);
}

#[test]
fn mistakes_are_one_line_and_an_exit_code() {
    let dir = tempfile::tempdir().expect("folder");
    let check = |toml: &str, arguments: &[&str], code: &str, exit: i32, says: &str| {
        let config = dir.path().join("zugzwang.toml");
        std::fs::write(&config, toml).expect("write");
        let output = zugzwang(&config, arguments).output().expect("the binary");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(error.starts_with(&format!("zugzwang: {code}: ")) && error.contains(says), "{arguments:?}: {error}");

        let output = zugzwang(&config, arguments).arg("--json").output().expect("the binary");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(exit), 0), "{arguments:?}");
        let error = &serde_json::from_slice::<serde_json::Value>(&output.stderr).expect("one line of JSON")["error"];
        assert_eq!((&error["code"], &error["exit"]), (&code.into(), &exit.into()), "{error}");
        assert!(error["message"].as_str().expect("message").contains(says), "{error}");
        assert!(root().join(error["page"].as_str().expect("page")).is_file(), "{error}");
    };
    let arena = "[chess]\narena = \"0x00000000000000000000000000000000000000aa\"\n";
    check("[chain]\nrpcc = \"x\"", &["check"], "ZZ-102", 2, "did you mean `chain.rpc`?");
    check("[chain", &["check"], "ZZ-101", 2, "zugzwang.toml");
    check("", &["check"], "ZZ-103", 2, "chess.arena");
    let store = format!("[store]\npath = \"{}\"\n", dir.path().join("z.db").display());
    check(
        &format!("{arena}{store}[key]\nkeystore = \"/nowhere/key.json\""),
        &["run"],
        "ZZ-401",
        4,
        "there is no such file",
    );
    check("", &["model", "inspect", "/nowhere"], "ZZ-590", 5, "/nowhere");
    check(
        "",
        &["model", "prove", "models/chess-s", "--fen", "8/8/8/8/8/8/8/8 w - - 0 1"],
        "ZZ-110",
        2,
        "give a legal chess position",
    );
    check("", &["model", "prove", "models/chess-s", "--shape", "3"], "ZZ-501", 5, "LANES,KERNELS,K");
}

#[test]
fn a_misspelt_command_is_shown_with_advice_and_a_code() {
    let none = Path::new("none.toml");
    let output = zugzwang(none, &["chekc"]).output().expect("the binary");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("'check'") && error.contains("zugzwang: ZZ-100: "), "{error}");
    let output = zugzwang(none, &["--json", "chekc"]).output().expect("the binary");
    let error: serde_json::Value = serde_json::from_slice(&output.stderr).expect("one line of JSON");
    assert_eq!(error["error"]["code"], "ZZ-100", "{error}");
    assert!(error["error"]["message"].as_str().expect("message").contains("chekc"), "{error}");
}

/// Writes parameters of 2^k rows whose τ everybody can know.
fn local_set_up(path: &Path, k: u32) {
    Srs::insecure_local(k, 7).store(path).expect("write");
}

#[test]
fn a_set_up_is_imported_and_proofs_depend_on_it() {
    let dir = tempfile::tempdir().expect("folder");
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (config, cache) = (dir.path().join("none.toml"), path("cache"));
    std::fs::write(&config, "").expect("write");
    let import = |file: &str, more: &[&str]| {
        json(&config, &[&["srs", "import", file, "--cache", &cache, "--out", &path("imported.params")], more].concat())
    };
    let ptau = import("circuits/tests/data/power6.ptau", &["--k", "5"]);
    assert_eq!((&ptau["largest"], &ptau["k"]), (&6.into(), &5.into()));
    assert_eq!(ptau["sha256"], "10dbf243e2debb6b390c9e5fdf351e5cec2744ef12a0f062595f353235f0b55e");
    assert_eq!(ptau["contributions"].as_array().expect("a list").len(), 2);
    assert_eq!(ptau["built_in"], false);
    let said =
        zugzwang(&config, &["srs", "import", "circuits/srs/g1_65536.point", "--g2", "circuits/srs/g2.point.powerOf2"])
            .args(["--k", "9", "--cache", &cache, "--out", &path("nine.params")])
            .output()
            .expect("the binary");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("ceremony: Perpetual Powers of Tau, the built-in set-up"), "{said}");
    assert!(said.contains("size: 2^16 powers, 2^9 imported (k = 9)"), "{said}");

    let model = |command: &[&str], srs: &str| {
        let output = zugzwang(&config, &["model"])
            .args(command)
            .args(["--cache", &cache, "--shape", "1,1,15"])
            .args((!srs.is_empty()).then_some(["--srs", srs]).into_iter().flatten())
            .output()
            .expect("the binary");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let proof = path("proof.json");
    let prove = ["prove", "models/chess-s", "--out", &proof];
    let (code, error) = model(&prove, &path("imported.params"));
    assert_eq!(code, Some(5), "{error}");
    assert!(error.contains("2^5 powers, 2^15 are wanted; import a larger one"), "{error}");

    local_set_up(&dir.path().join("local.params"), 15);
    let local = import(&path("local.params"), &[]);
    assert_eq!((&local["format"], &local["k"]), (&"halo2 raw parameters".into(), &15.into()));
    assert_eq!(local["sha256"], local["out_sha256"]);
    let (code, error) = model(&prove, &path("imported.params"));
    assert_eq!(code, Some(0), "{error}");
    assert!(error.contains("whoever knows its tau can prove anything"), "{error}");
    let verify = ["verify", "models/chess-s", &proof];
    let (code, error) = model(&verify, &path("imported.params"));
    assert_eq!(code, Some(0), "{error}");
    let (code, error) = model(&verify, "");
    assert_eq!(code, Some(1), "a proof of one set-up against another: {error}");
    assert!(error.contains("it is of model"), "{error}");
}

#[test]
fn output_that_nobody_reads_ends_quietly() {
    let dir = tempfile::tempdir().expect("folder");
    let config = dir.path().join("none.toml");
    std::fs::write(&config, "").expect("write");
    let checked = ["srs", "import", "circuits/tests/data/power6.ptau", "--out"];
    let stored = dir.path().join("stored").display().to_string();
    let commands: [&[&str]; 5] = [
        &["check", "--template"],
        &["model", "inspect", "models/chess-s"],
        &["model", "inspect", "models/chess-s", "--json"],
        &[&checked[..], &[&stored]].concat(),
        // It would play for minutes.
        &["demo", "--model", "models/chess-s"],
    ];
    for arguments in commands {
        let mut child = zugzwang(&config, arguments).spawn().expect("the binary");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("the binary");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {error}");
        assert!(!error.contains("bug") && !error.contains("Broken pipe"), "{arguments:?}: {error}");
    }
    // Nor does anything break where nobody reads the notes.
    let mut child = zugzwang(&config, &["check"]).spawn().expect("the binary");
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().expect("the binary").code(), Some(2), "a wrong configuration is still one");
}
