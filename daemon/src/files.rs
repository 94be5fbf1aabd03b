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

/// Refuses a file that others than its owner can read or write, where the system knows such. What root lets a group read, such
/// as the secrets that Kubernetes mounts for a process that isn't root, is taken: it couldn't be read otherwise. A file that
/// isn't there is left to whoever opens it.
///
/// # Errors
/// What is wrong and what to do, in one line.
pub fn refuse_exposed(path: &Path) -> Result<(), String> {
    #[cfg(unix)]
    if let Ok(metadata) = std::fs::metadata(path) {
        use std::os::unix::fs::MetadataExt;

        let mode = metadata.mode() & 0o777;
        let ours = std::fs::metadata("/proc/self").map_or(0, |process| process.uid());
        if !is_private(mode, metadata.uid(), ours) {
            let shown = path.display();
            return Err(format!("{shown} is open to others (mode {mode:o}); run `chmod 600 {shown}`"));
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Whether a file of this mode and owner is nobody's business but this user's.
#[cfg(unix)]
fn is_private(mode: u32, owner: u32, user: u32) -> bool {
    let granted_by_root = owner == 0 && user != 0;
    mode & 0o077 == 0 || (granted_by_root && mode & 0o037 == 0)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_root_may_let_a_group_read_a_secret() {
        let cases = [
            (0o600, 1000, 1000, true),
            (0o400, 0, 0, true),
            (0o640, 1000, 1000, false),
            (0o440, 1000, 1001, false),
            (0o440, 0, 0, false),
            (0o440, 0, 1000, true),
            (0o460, 0, 1000, false),
            (0o444, 0, 1000, false),
            (0o604, 1000, 1000, false),
        ];
        for (mode, owner, user, private) in cases {
            assert_eq!(is_private(mode, owner, user), private, "{mode:o} {owner} {user}");
        }
    }
}
