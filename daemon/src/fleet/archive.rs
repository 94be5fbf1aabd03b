//! A model's folder as one piece: what its prover needs and no more.
//!
//! `ZZM1`, then the shape of the circuit, then each file as name and content; every piece after its length as eight bytes.

use std::path::{Path, PathBuf};

use zugzwang_circuits::{model, net::package};

/// First bytes.
const MAGIC: &[u8; 4] = b"ZZM1";
/// Most bytes of an archive that is unpacked.
pub(super) const LARGEST: usize = 1 << 30;
/// Most files of one.
const MOST_FILES: usize = 16;
/// The seed that hides a private model's weights, in its folder.
const SEED: &str = "weights.seed";

/// Packs what is needed to prove a model; whether it is a private one.
///
/// # Errors
/// In words, if the folder can't be read.
pub(super) fn pack(dir: &Path, shape: &str) -> Result<(Vec<u8>, bool), String> {
    let read = |name: &str| {
        let path = dir.join(name);
        std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (manifest, file, private) = if dir.join(package::MANIFEST).is_file() {
        let bytes = read(package::MANIFEST)?;
        let manifest: package::Manifest = toml::from_str(&text(&bytes)).map_err(|e| e.message().to_owned())?;
        ((package::MANIFEST, bytes), manifest.net.file, manifest.privacy.model.is_private())
    } else {
        let bytes = read(model::MANIFEST)?;
        let manifest: model::Manifest = toml::from_str(&text(&bytes)).map_err(|e| e.message().to_owned())?;
        ((model::MANIFEST, bytes), manifest.graph.file, false)
    };
    let content = read(&file)?;
    let mut packed = MAGIC.to_vec();
    piece(&mut packed, shape.as_bytes());
    for (name, content) in [(manifest.0, manifest.1), (&file, content)] {
        piece(&mut packed, name.as_bytes());
        piece(&mut packed, &content);
    }
    if private {
        piece(&mut packed, SEED.as_bytes());
        piece(&mut packed, &read(SEED)?);
    }
    Ok((packed, private))
}

fn piece(packed: &mut Vec<u8>, bytes: &[u8]) {
    packed.extend((bytes.len() as u64).to_be_bytes());
    packed.extend(bytes);
}

/// Unpacks into a folder that is made; the shape of the circuit. Files of a private model are their owner's only.
///
/// # Errors
/// In words, if it isn't an archive or the folder can't be written. Names with folders in them are refused.
pub(super) fn unpack(packed: &[u8], dir: &Path) -> Result<String, String> {
    let mut rest = packed.strip_prefix(MAGIC.as_slice()).ok_or("it is no archive of a model")?;
    let mut next = || {
        let (length, after) = rest.split_first_chunk::<8>().ok_or("it is cut off")?;
        let length = usize::try_from(u64::from_be_bytes(*length)).map_err(|_| "it is cut off")?;
        let (piece, after) = after.split_at_checked(length).ok_or("it is cut off")?;
        rest = after;
        Ok::<(&[u8], bool), String>((piece, after.is_empty()))
    };
    let name = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| "a name in it is no text".to_owned());
    let shape = name(next()?.0)?;
    let mut files = Vec::new();
    let mut done = false;
    while !done {
        let file = name(next()?.0)?;
        let plain = file.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if !plain || file.starts_with('.') || file.is_empty() || files.len() == MOST_FILES {
            return Err(format!("it has a file {file:?}, which no model has"));
        }
        let (content, last) = next()?;
        files.push((file, content));
        done = last;
    }
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |e: std::io::Error| format!("{path}: {e}")
    };
    std::fs::create_dir_all(dir).map_err(failed(dir))?;
    // The manifest comes first in the archive and last here: a folder without one is no model.
    for (file, content) in files.iter().rev() {
        let (place, beside) = (dir.join(file), beside(dir, file));
        let _ = std::fs::remove_file(&beside);
        secret(&beside, content).and_then(|()| std::fs::rename(&beside, &place)).map_err(failed(&place))?;
    }
    Ok(shape)
}

fn beside(dir: &Path, file: &str) -> PathBuf {
    dir.join(format!(".{file}.new"))
}

/// A file that only its owner can read, where the system knows such.
fn secret(path: &Path, content: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../models")
    }

    #[test]
    fn what_is_packed_is_a_model_again() {
        for (model, shape) in [("lending", ""), ("chess-s", "2,1,14")] {
            let (packed, private) = pack(&models().join(model), shape).expect(model);
            let dir = tempfile::tempdir().expect("folder");
            assert_eq!(unpack(&packed, dir.path()).expect(model), shape);
            assert!(!private);
            let again = pack(dir.path(), shape).expect("the same");
            assert!(again.0 == packed, "{model}: what is needed is there, and the ONNX file is not");
        }
    }

    #[test]
    fn archives_of_strangers_write_nothing_outside() {
        let outer = tempfile::tempdir().expect("folder");
        let dir = outer.path().join("model");
        let archive = |name: &str| {
            let mut packed = MAGIC.to_vec();
            for bytes in [b"".as_slice(), name.as_bytes(), b"content"] {
                piece(&mut packed, bytes);
            }
            packed
        };
        for name in ["../x", "/etc/x", "a/b", "", ".hidden", "..", "a\\b", "a\0b"] {
            let refused = unpack(&archive(name), &dir).expect_err(name);
            assert!(refused.contains("no model has"), "{refused}");
        }
        assert!(!outer.path().join("x").exists() && !dir.exists());
        let good = archive("net.toml");
        for cut in 0..good.len() {
            assert!(unpack(&good[..cut], &dir).is_err(), "cut at {cut}");
        }
        assert!(unpack(&[good, vec![1]].concat(), &dir).is_err());
    }
}
