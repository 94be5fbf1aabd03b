//! A disk that is full: the daemon says so, and goes on once there is room.

use std::{
    fs::{File, create_dir},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tokio::time::Instant;

use super::{
    House, Players, Tally,
    house::{Kept, spawn},
};
use crate::process::zugzwang;

/// A folder with 8 MiB of room, and none left once it is filled.
struct Room {
    path: PathBuf,
}

impl Room {
    /// `None` where mounting isn't allowed.
    fn mount(path: &Path) -> Option<Self> {
        create_dir(path).expect("folder");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"]).arg(path).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self { path: path.to_owned() })
    }

    fn filler(&self) -> PathBuf {
        self.path.join("filler")
    }

    fn fill(&self) {
        let mut file = File::create(self.filler()).expect("file");
        let chunk = [7u8; 4096];
        while file.write_all(&chunk).is_ok() {}
        // To the last byte.
        while file.write_all(&chunk[..1]).is_ok() {}
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).output();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_loses_nothing() {
    let house = House::new().await;
    let room = Room::mount(&house.dir.path().join("room"));
    let store = if room.is_some() { "room/disk.db" } else { "disk.db" };
    let config = house.config_with_store("disk", &house.chain.url, "confirmations = 1", store);
    let players = Players::sit_down(&house, 2, Some(1)).await;

    // With room for the first moves.
    let mut limited = zugzwang(&config, &["run"]);
    if room.is_none() {
        // Blocks of 512 bytes: a database with a few jobs has more, and its file must not grow.
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; ulimit -f 300; exec \"$@\"", "sh"]).arg(limited.get_program());
        shell.args(limited.get_args()).current_dir(limited.get_current_dir().expect("folder"));
        limited = shell;
    }
    let mut child = spawn(limited, &config);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    if let Some(room) = &room {
        room.fill();
    }
    let started = Instant::now();
    // It goes on and tries again, or ends: in either case with a word of the disk.
    let last = loop {
        let said = std::fs::read_to_string(config.with_extension("log")).expect("log");
        if let Some(line) = said.lines().rev().find(|line| line.contains("store") && line.contains("disk")) {
            break line.to_owned();
        }
        assert!(started.elapsed() < Duration::from_secs(120), "it says nothing of the disk");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    // A limit on the size of files ends with the process that has it.
    if room.is_none() {
        child.kill().expect("kill");
        child.wait().expect("wait");
    }
    if let Some(room) = &room {
        std::fs::remove_file(room.filler()).expect("remove");
    }

    let gone_on = room.is_some() && child.try_wait().expect("child").is_none();
    let mut daemon = if gone_on { Kept::of(&config, child) } else { Kept::start(&config) };
    let played = players.finish(async || ()).await;
    let name = store.trim_end_matches(".db");
    let tally = Tally::check(&house, &played, &[name], async || ()).await;
    assert!(!daemon.look(), "it ended by itself: {:?}", daemon.ends);
    assert_eq!((tally.reverted, tally.dropped), (0, 0), "nothing goes wrong on the chain");
    assert_eq!(tally.transactions, tally.answers as u64, "one transaction for each answer");
    let how = if room.is_some() { "a full tmpfs" } else { "a limit on file sizes" };
    tally.print("disk full", &format!("{how}, then room again; it had said: {last}"));
    drop(daemon);
}
