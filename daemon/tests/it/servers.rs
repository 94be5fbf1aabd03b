//! Servers of a test's own: `scripts/servers` starts them, and they end with the test.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};

/// A running server. It ends when its input ends: when this is dropped, or with the process of the tests.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// Where it listens.
    pub(crate) url: String,
}

impl Server {
    /// A PostgreSQL that nobody else uses.
    pub(crate) fn postgres() -> Self {
        Self::run(&["postgres"])
    }

    /// A NATS with JetStream that nobody else uses.
    pub(crate) fn nats() -> Self {
        Self::run(&["nats"])
    }

    /// The same, configured further by a file.
    pub(crate) fn nats_with(config: &Path) -> Self {
        Self::run(&["nats", &config.display().to_string()])
    }

    fn run(kind: &[&str]) -> Self {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
        let mut child = Command::new(repository.join("scripts/servers"))
            .arg("run")
            .args(kind)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("scripts/servers");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let mut server = Self { child, input, output, url: String::new() };
        server.url = server.line();
        assert!(!server.url.is_empty(), "{kind:?} doesn't start: run `scripts/servers`, which `make test` does first");
        server
    }

    /// `stop`, `kill`, `start` or `restart`; waits until it is done.
    pub(crate) fn tell(&mut self, command: &str) {
        writeln!(self.input.as_mut().expect("its input"), "{command}").expect("a running server");
        assert_eq!(self.line(), format!("{command}: done"));
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("its output");
        line.trim_end().to_owned()
    }

    /// A new database on a PostgreSQL.
    pub(crate) async fn database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::SeqCst));
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(&self.url).await.expect("a running server");
        connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.expect("a new database");
        connection.close().await.expect("goodbye");
        self.url.replace("/postgres?", &format!("/{name}?"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        // What it says at its end is of no use to anybody.
        let _ = self.child.wait();
    }
}

/// A PostgreSQL that many tests share, each with a database of its own.
pub(crate) fn shared_postgres() -> &'static Server {
    static SERVER: LazyLock<Server> = LazyLock::new(Server::postgres);
    &SERVER
}
