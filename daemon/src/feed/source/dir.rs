//! A folder of bulletins, looked at again and again.

use std::{
    collections::HashMap,
    fs,
    io::Read,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{ItemError, Limits, Outlet, SHORTEST_PAUSE, SourceError, backoff::Backoff, outlet::Gone};
use crate::feed::bulletin::Bulletin;

/// Files `*.json` of a folder.
#[derive(Debug)]
pub(in crate::feed) struct Dir {
    path: PathBuf,
    limits: Limits,
    files: HashMap<PathBuf, File>,
}

/// What a file was at the last look.
#[derive(Debug)]
struct File {
    stamp: Stamp,
    /// What was wrong with it. It is reported if it still is at the next look: it may have been in the writing.
    wrong: Option<(Vec<u8>, ItemError)>,
}

/// What changes with a file's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

/// What one look found.
#[derive(Debug, Default)]
pub(in crate::feed) struct Found {
    /// Bulletins of files that are new or have changed, by the files' names.
    pub(in crate::feed) bulletins: Vec<Bulletin>,
    /// What is wrong: where, what was read, and why.
    pub(in crate::feed) bad: Vec<(String, Vec<u8>, ItemError)>,
    /// Whether there are more files than are looked at.
    pub(in crate::feed) more: bool,
}

impl Dir {
    pub(in crate::feed) fn new(path: PathBuf, limits: Limits) -> Self {
        Self { path, limits, files: HashMap::new() }
    }

    /// Looks once. Blocks on the disk.
    ///
    /// # Errors
    /// [`SourceError::Folder`]; what is wrong with single files is in the result.
    pub(in crate::feed) fn look(&mut self) -> Result<Found, SourceError> {
        let folder =
            |e: std::io::Error| SourceError::Folder { path: self.path.display().to_string(), why: e.to_string() };
        let mut paths = Vec::new();
        let mut found = Found::default();
        for entry in fs::read_dir(&self.path).map_err(folder)? {
            let path = entry.map_err(folder)?.path();
            if !is_json(&path) {
                continue;
            }
            if paths.len() == self.limits.files {
                found.more = true;
                break;
            }
            paths.push(path);
        }
        paths.sort();
        let mut before = std::mem::take(&mut self.files);
        for path in paths {
            // Gone again, or no file.
            let Some(stamp) = stamp(&path) else { continue };
            let file = match before.remove(&path).filter(|file| file.stamp == stamp) {
                Some(File { wrong: Some((bytes, why)), .. }) => {
                    found.bad.push((path.display().to_string(), bytes, why));
                    File { stamp, wrong: None }
                }
                Some(file) => file,
                None => match read(&path, self.limits.item) {
                    Ok(bulletin) => {
                        found.bulletins.push(bulletin);
                        File { stamp, wrong: None }
                    }
                    Err(wrong) => File { stamp, wrong: Some(wrong) },
                },
            };
            self.files.insert(path, file);
        }
        Ok(found)
    }

    /// [`look`](Self::look) where it blocks nobody.
    ///
    /// # Errors
    /// [`SourceError::Folder`].
    pub(in crate::feed) async fn look_aside(self) -> (Self, Result<Found, SourceError>) {
        let (path, limits) = (self.path.clone(), self.limits);
        let mut dir = self;
        let looked = tokio::task::spawn_blocking(move || {
            let found = dir.look();
            (dir, found)
        });
        looked.await.unwrap_or_else(|error| {
            let error = SourceError::Folder { path: path.display().to_string(), why: error.to_string() };
            (Self::new(path, limits), Err(error))
        })
    }
}

/// Looks until nobody listens any more.
pub(super) async fn run(mut dir: Dir, every: Duration, limits: Limits, mut outlet: Outlet) {
    let (every, mut backoff) = (every.max(SHORTEST_PAUSE), Backoff::new(limits));
    loop {
        let path = dir.path.display().to_string();
        let (same, found) = dir.look_aside().await;
        dir = same;
        let done = match found {
            Ok(found) => {
                backoff.reset();
                deliver(found, path, limits, &mut outlet).await.map(|()| every)
            }
            Err(error) => outlet.failure(error).await.map(|()| backoff.next(&mut rand::thread_rng())),
        };
        match done {
            Ok(pause) => tokio::time::sleep(pause).await,
            Err(Gone) => return,
        }
    }
}

async fn deliver(found: Found, path: String, limits: Limits, outlet: &mut Outlet) -> Result<(), Gone> {
    outlet.begin();
    for bulletin in found.bulletins {
        outlet.bulletin(bulletin).await?;
    }
    for (place, bytes, why) in found.bad {
        outlet.bad_item(place.clone(), &[place.as_bytes(), &bytes].concat(), why).await?;
    }
    if found.more {
        outlet.failure(SourceError::TooManyFiles { path, limit: limits.files }).await
    } else {
        outlet.works();
        Ok(())
    }
}

fn is_json(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    // Names with a dot in front are of files in the writing.
    name.ends_with(".json") && !name.starts_with('.')
}

fn stamp(path: &Path) -> Option<Stamp> {
    let data = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&data);
    #[cfg(not(unix))]
    let inode = 0;
    Some(Stamp { bytes: data.len(), modified: data.modified().ok(), inode })
}

/// Reads a file of at most `limit` bytes; with what is wrong comes what was read.
pub(in crate::feed) fn read(path: &Path, limit: usize) -> Result<Bulletin, (Vec<u8>, ItemError)> {
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let opened = fs::File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    match opened {
        Err(error) => Err((bytes, ItemError::Unreadable(error.to_string()))),
        Ok(_) if bytes.len() > limit => Err((bytes, ItemError::TooLong { limit })),
        Ok(_) => Bulletin::from_json(&bytes).map_err(|error| (bytes, error.into())),
    }
}
