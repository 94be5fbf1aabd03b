//! What the tests' daemons log is kept, with the secrets that must not be in it: `scripts/no-secrets` looks for them after
//! all tests have run. Nothing is kept unless `ZUGZWANG_TEST_LOGS` names a folder, as `make test` does.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    path::PathBuf,
    process::Stdio,
    sync::{
        Once,
        atomic::{AtomicU32, Ordering},
    },
};

use tracing_subscriber::EnvFilter;

/// Everything that the daemon itself says, and what its libraries say short of whole messages.
pub(crate) const FILTER: &str = "debug,zugzwang=trace";

fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("ZUGZWANG_TEST_LOGS")?);
    std::fs::create_dir_all(&folder).expect("the folder for logs");
    Some(folder)
}

fn create(name: &str) -> Option<File> {
    Some(File::create(folder()?.join(name)).expect("a log file"))
}

/// Keeps the log of what runs in this process.
pub(crate) fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if let Some(file) = create(&format!("tests-{}.log", std::process::id())) {
            let subscriber = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(FILTER)).with_ansi(false);
            // A test that runs the command line in this process has set another one: then that one's output is read.
            let _ = subscriber.with_writer(std::sync::Mutex::new(file)).try_init();
        }
    });
}

/// Where a process of its own writes its log.
pub(crate) fn of_process() -> Stdio {
    file_of_process().map_or_else(Stdio::null, Stdio::from)
}

/// The same, for who reads a process' log and passes it on.
pub(crate) fn file_of_process() -> Option<File> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    create(&format!("process-{}-{number}.log", std::process::id()))
}

/// Something that no log may have, in whatever case: a password, or a key in hex without 0x.
pub(crate) fn secret(text: &str) {
    if let Some(folder) = folder() {
        let file = OpenOptions::new().create(true).append(true).open(folder.join("secrets"));
        // One write, so that lines of several threads don't mix.
        file.and_then(|mut file| file.write_all(format!("{text}\n").as_bytes())).expect("the list of secrets");
    }
}
