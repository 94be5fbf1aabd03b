//! Files that are nobody else's.

use std::{fs::OpenOptions, io::Write, path::Path};

/// Writes a file that was not there and that only its owner can read, where the system knows such.
///
/// # Errors
/// Whatever the file system answers; fails if the file exists.
pub fn new_secret(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
