//! Processes that live no longer than ours, however ours ends.

use std::{path::Path, process::Stdio};

use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Runs the program and ends it (SIGTERM) as soon as standard input closes; gives the program's exit code. The watcher keeps
/// nothing but the pipe, so that whoever reads the program's output sees its end.
const SCRIPT: &str = r#"exec 3<&0
"$@" </dev/null 3<&- & child=$!
(cat <&3; kill $child) >/dev/null 2>&1 & watcher=$!
exec 3<&-
wait $child; code=$?
kill $watcher 2>/dev/null
exit $code"#;

/// A running program. It ends when this value goes, and also when this process is killed: a shell waits on a pipe from us.
#[derive(Debug)]
pub(super) struct Tied {
    shell: Child,
    /// Kept apart: waiting for a child closes the pipe that is still in it.
    pipe: Option<ChildStdin>,
}

/// A command to which arguments may be added, for [`Tied::start`]. A terminal's Ctrl-C doesn't reach what it starts, so that that can
/// be ended in its turn.
pub(super) fn tied(program: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", SCRIPT, "sh"]).arg(program).stdin(Stdio::piped()).process_group(0);
    command
}

impl Tied {
    /// Starts it.
    pub(super) fn start(mut command: Command) -> std::io::Result<Self> {
        let mut shell = command.spawn()?;
        let pipe = shell.stdin.take();
        Ok(Self { shell, pipe })
    }

    /// Its output, if that goes to us; once.
    pub(super) fn output(&mut self) -> Option<ChildStdout> {
        self.shell.stdout.take()
    }

    /// Waits until it ends by itself.
    pub(super) async fn ended(&mut self) {
        // There is nothing to be done about a process that can't be waited for.
        let _ = self.shell.wait().await;
    }

    /// Ends it and waits until it is gone.
    pub(super) async fn end(mut self) {
        drop(self.pipe.take());
        self.ended().await;
    }
}
