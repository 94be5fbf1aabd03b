//! `zugzwang feed`, as a publisher uses it.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use zugzwang::{
    chain::{Key, types::B256},
    config::PasswordSource,
    feed::{Bulletin, SourceConfig, feed_id, file},
    files,
};

use super::{OFTEN, put, quick, signed, watched};
use crate::process::zugzwang;

/// A process that doesn't outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It has mostly ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder with a configuration, a key and its password.
struct Desk {
    dir: tempfile::TempDir,
    publisher: String,
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("folder");
        let path = |name: &str| dir.path().join(name);
        files::new_secret(&path("password"), "correct horse\n").expect("write");
        let (keystore, password) = (path("key.json"), path("password"));
        let hex = B256::repeat_byte(1).to_string();
        let key = Key::import(&hex, &keystore, &PasswordSource::File(password.clone())).expect("key");
        let text =
            format!("[key]\nkeystore = \"{}\"\npassword_file = \"{}\"\n", keystore.display(), password.display());
        fs::write(path("zugzwang.toml"), text).expect("write");
        Self { publisher: key.address().to_string(), dir }
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        zugzwang(Path::new(&self.path("zugzwang.toml")), &[&["feed"], arguments].concat())
    }

    /// Standard output of a command that succeeds.
    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().expect("the binary");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// A command that fails, with its exit code and a part of its last line.
    fn fails(&self, arguments: &[&str], code: i32, says: &str) {
        let output = self.command(arguments).output().expect("the binary");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        assert!(error.contains(says) && !error.contains("bug"), "{arguments:?}: {error}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn bulletins_are_signed_and_verified() {
    let desk = Desk::new();
    let sign = |more: &[&'static str]| [&["sign", "--feed", "football", "--sequence", "7"], more].concat();
    let football = feed_id("football").expect("id");

    let shown = desk.ok(&sign(&["--timestamp", "1700000000", "--text", "FULL TIME: Arsenal 2-1 Chelsea"]));
    let bulletin = Bulletin::from_json(shown.as_bytes()).expect("a bulletin");
    assert_eq!((bulletin.feed_id, bulletin.sequence, bulletin.timestamp), (football, 7, 1_700_000_000));
    assert_eq!(bulletin.publisher().expect("signed").to_string(), desk.publisher);

    // From a file, to a folder, by the feed's id.
    let (text, feed, id) = (desk.path("text"), desk.path("feed"), football.to_string());
    fs::create_dir(&feed).expect("folder");
    fs::write(&text, "HALF TIME: 0-0\r\n").expect("write");
    let arguments = ["sign", "--feed", &id, "--sequence", "8", "--file", &text, "--out", &feed, "--json"];
    let said: serde_json::Value = serde_json::from_str(&desk.ok(&arguments)).expect("JSON");
    let path = format!("{feed}/00000000000000000008.json");
    assert_eq!(said["file"].as_str(), Some(&*path));
    let by = said["publisher"].as_str().expect("an address");
    assert!(by.eq_ignore_ascii_case(&desk.publisher), "{by}");
    let written = file::read(Path::new(&path)).expect("a bulletin");
    assert_eq!((written.text.as_str(), said["hash"].as_str()), ("HALF TIME: 0-0", Some(&*written.hash().to_string())));
    assert!(written.timestamp > 1_700_000_000, "now");
    desk.fails(&arguments, 1, "not replaced");

    let verified = desk.ok(&["verify", &path, "--publisher", &desk.publisher, "--feed", "football"]);
    assert!(verified.contains("HALF TIME: 0-0") && verified.contains("bulletin 8"), "{verified}");
    let stranger = format!("0x{:040x}", 1);
    desk.fails(&["verify", &path, "--publisher", &stranger], 1, "is the publisher");
    desk.fails(&["verify", &path, "--publisher", &desk.publisher, "--feed", "chess"], 1, "check --feed");
    fs::write(&path, written.to_json().replace("0-0", "1-0")).expect("write");
    desk.fails(&["verify", &path, "--publisher", &desk.publisher], 1, "or was altered");
    fs::write(&path, "{").expect("write");
    desk.fails(&["verify", &path, "--publisher", &desk.publisher], 1, "no bulletin in JSON");
}

#[test]
fn mistakes_are_named() {
    let desk = Desk::new();
    let sign = |more: &[&str], code, says: &str| {
        desk.fails(&[&["sign", "--feed", "football", "--sequence", "1"], more].concat(), code, says);
    };
    let (long, none) = ("x".repeat(249), desk.path("none"));
    sign(&["--text", ""], 2, "text is empty");
    sign(&["--text", &long], 2, "has 249 bytes; write at most 248");
    sign(&["--text", "2–1"], 2, "the byte 0xe2 at 1");
    sign(&["--text", "a\nb"], 2, "the byte 0x0a at 1");
    sign(&["--file", &none], 1, "name a file with the text");
    sign(&["--text", "x", "--file", &none], 2, "cannot be used with");
    sign(&[], 2, "required");
    sign(&["--text", "x", "--key", &none], 4, "there is no such file");
    sign(&["--text", "x", "--out", &format!("{none}/x.json")], 1, "can be written");
    desk.fails(&["sign", "--feed", "0x12", "--sequence", "1", "--text", "x"], 2, "64 hex digits");
    desk.fails(&["sign", "--feed", "x", "--sequence", "-1", "--text", "x"], 2, "--sequence");
    desk.fails(&["serve", "--dir", &none], 1, "name the folder of the bulletins");
    desk.fails(&["serve", "--dir", ".", "--listen", "nowhere"], 2, "write a port");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
    let port = taken.local_addr().expect("address").port().to_string();
    let folder = desk.dir.path().display().to_string();
    desk.fails(&["serve", "--dir", &folder, "--listen", &port], 1, "choose another port");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_served_until_the_signal() {
    for signal in ["-INT", "-TERM"] {
        let desk = Desk::new();
        let feed = desk.dir.path().join("feed");
        fs::create_dir(&feed).expect("folder");
        put(&feed, &signed(1, 1, "first"));
        let mut command = desk.command(&["serve", "--dir", &feed.display().to_string(), "--json"]);
        let mut child = Running(command.stderr(Stdio::null()).spawn().expect("the binary"));
        let mut line = String::new();
        BufReader::new(child.0.stdout.as_mut().expect("output")).read_line(&mut line).expect("a line");
        let said: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(said["bulletins"], 1);
        let url = said["url"].as_str().expect("an address");
        let sources = vec![
            SourceConfig::Http { url: format!("{url}/bulletins"), every: OFTEN },
            SourceConfig::Sse { url: format!("{url}/events") },
        ];
        let mut watched = watched(sources, quick());
        assert!(watched.bulletins(2, 1).await.values().all(|got| got == &[signed(1, 1, "first")]));
        put(&feed, &signed(1, 2, "second"));
        assert!(watched.bulletins(2, 1).await.values().all(|got| got == &[signed(1, 2, "second")]));
        let killed = Command::new("kill").args([signal, &child.0.id().to_string()]).status().expect("kill");
        assert!(killed.success());
        let status = tokio::task::spawn_blocking(move || child.0.wait()).await.expect("no panic").expect("wait");
        assert_eq!(status.code(), Some(0), "{signal}");
    }
}
