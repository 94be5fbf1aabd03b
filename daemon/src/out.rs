//! Standard output, whose reader may leave before the end: `zugzwang bench | head -1` is done then, not broken.
//!
//! Everything that people or programs read goes through [`line`] or [`part`]. The first write that finds nobody reading
//! ends the command through [`closed`], which [`cli::main`](crate::cli::main) races against it: what it holds is dropped
//! (a local chain too), and the exit code is 0. Notes go to standard error through [`note`], where nobody reading is no
//! reason to stop.

use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;

use tokio::sync::Notify;

/// Why nothing can be written any more.
static CLOSED: OnceLock<ErrorKind> = OnceLock::new();
/// Wakes whoever waits for that.
static BELL: Notify = Notify::const_new();

/// Writes a line to standard output.
pub fn line(text: &str) {
    part(&format!("{text}\n"));
}

/// Writes text without a line's end to standard output, at once.
pub fn part(text: &str) {
    if CLOSED.get().is_some() {
        return;
    }
    let mut out = io::stdout().lock();
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        let _ = CLOSED.set(error.kind());
        BELL.notify_one();
    }
}

/// Writes a line to standard error, if anybody reads it.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Waits until standard output can't be written: nobody reads it ([`ErrorKind::BrokenPipe`]), or the disk is full, say.
pub async fn closed() -> ErrorKind {
    loop {
        if let Some(kind) = failed() {
            return kind;
        }
        BELL.notified().await;
    }
}

/// Why standard output can't be written, if it can't.
pub fn failed() -> Option<ErrorKind> {
    CLOSED.get().copied()
}
