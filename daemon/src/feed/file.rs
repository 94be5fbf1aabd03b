//! A bulletin in a file: its JSON on one line, at most 8 KiB.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use super::{
    bulletin::Bulletin,
    source::{ItemError, Limits, dir},
};

/// Why a file can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is no bulletin.
    #[error("{path}: {why}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        why: ItemError,
    },
    /// Another one is there.
    #[error(
        "{0}: the file exists and is not replaced: two bulletins under one number contradict each other; name another file"
    )]
    Exists(String),
    /// The file system's words.
    #[error("{path}: {why}; name a file in a folder that can be written")]
    Write {
        /// The file.
        path: String,
        /// Why.
        why: std::io::Error,
    },
}

crate::code::codes!(FileError { Read = 661, Exists = 662, Write = 663 });

/// Reads a bulletin. Whose it is isn't checked.
///
/// # Errors
/// [`FileError::Read`].
pub fn read(path: &Path) -> Result<Bulletin, FileError> {
    dir::read(path, Limits::default().item)
        .map_err(|(_, why)| FileError::Read { path: path.display().to_string(), why })
}

/// Writes a bulletin to a file that wasn't there; in a folder it is named by its number, in 20 digits. A reader sees
/// all of it or nothing. Gives the file's path.
///
/// # Errors
/// [`FileError::Exists`] and [`FileError::Write`].
pub fn write_new(bulletin: &Bulletin, path: &Path) -> Result<PathBuf, FileError> {
    let path = if path.is_dir() { path.join(format!("{:020}.json", bulletin.sequence)) } else { path.to_path_buf() };
    let shown = || path.display().to_string();
    let failed = |why| FileError::Write { path: shown(), why };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let draft = folder.join(format!(".{}.{}.tmp", bulletin.hash(), std::process::id()));
    let written = fs::File::create_new(&draft)
        .and_then(|mut file| {
            file.write_all(format!("{}\n", bulletin.to_json()).as_bytes())?;
            file.sync_all()
        })
        // Unlike a rename, it replaces nothing.
        .and_then(|()| fs::hard_link(&draft, &path));
    // The draft is there or not; nothing depends on it.
    let _ = fs::remove_file(&draft);
    match written {
        Ok(()) => Ok(path),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(FileError::Exists(shown())),
        Err(error) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        chain::{Key, types::B256},
        feed::bulletin::Text,
    };

    #[test]
    fn files_come_back_and_none_is_replaced() {
        let dir = tempfile::tempdir().expect("folder");
        let key = Key::from_bytes(B256::repeat_byte(1)).expect("key");
        let bulletin = |sequence, text: &[u8]| {
            Bulletin::sign(&key, B256::ZERO, sequence, 5, Text::new(text).expect("text")).expect("bulletin")
        };
        let first = bulletin(3, b"home");
        let path = write_new(&first, dir.path()).expect("written");
        assert_eq!(path, dir.path().join("00000000000000000003.json"));
        assert_eq!(read(&path).expect("read"), first);
        let error = write_new(&bulletin(3, b"away"), dir.path()).expect_err("it exists").to_string();
        assert!(error.contains("not replaced"), "{error}");
        assert_eq!(read(&path).expect("read"), first);
        let named = dir.path().join("named");
        assert_eq!(write_new(&bulletin(4, b"x"), &named).expect("written"), named);
        assert_eq!(fs::read_dir(dir.path()).expect("folder").count(), 2, "no drafts are left");

        fs::write(&named, vec![b' '; 9000]).expect("write");
        assert!(read(&named).expect_err("long").to_string().contains("more than 8192 bytes"));
        assert!(read(&dir.path().join("none")).expect_err("none").to_string().contains("can't be read"));
        let error = write_new(&first, &dir.path().join("no/folder.json")).expect_err("no folder").to_string();
        assert!(error.contains("can be written"), "{error}");
    }
}
