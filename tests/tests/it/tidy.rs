//! What must hold of the repository's files.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

use zugzwang_tests::repository;

/// Most lines of a source file.
const LINES: usize = 700;

/// Texts that must not stand in a folder's files, written so that this file is not one of them.
const BANNED: [(&str, &str, &[&str]); 10] = [
    (
        "",
        ".rs",
        &[concat!("to", "do!("), concat!("unimple", "mented!("), concat!("#[ig", "nore"), concat!("should", "_panic")],
    ),
    ("circuits/src/", ".rs", &["std::net", "tokio::", "reqwest", "alloy", "shakmaty"]),
    ("contracts/src/", ".rs", &["shakmaty", "std::net", "std::fs"]),
    ("daemon/src/engine/", ".rs", &["std::time::Instant", "SystemTime", "tokio::", "sqlx", "std::fs", "alloy::"]),
    ("daemon/src/service/", ".rs", &["alloy::", "shakmaty", "chess", "world::", "market::", "guard::"]),
    ("daemon/src/apps/", "mod.rs", &["alloy::"]),
    (
        "daemon/src/http/",
        ".rs",
        &["alloy::", "shakmaty", "apps::chess", "apps::world", "apps::market", "apps::guard", "apps::oracle"],
    ),
    ("daemon/src/feed/", ".rs", &["alloy::", "shakmaty", "apps::"]),
    ("daemon/src/demo/", ".rs", &["alloy::"]),
    ("daemon/src/store/", ".rs", &["alloy::", "shakmaty"]),
];

/// Files under version control; without git, all that isn't built or installed.
fn files() -> Vec<PathBuf> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(repository()).output();
    if let Ok(output) = listed
        && output.status.success()
    {
        let names = String::from_utf8(output.stdout).expect("file names");
        return names.split('\0').filter(|n| !n.is_empty()).map(PathBuf::from).collect();
    }
    let mut found = Vec::new();
    walk(Path::new(""), &mut found);
    found
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(repository().join(folder)).expect("folder") {
        let entry = entry.expect("entry");
        let (name, kind) = (entry.file_name(), entry.file_type().expect("kind"));
        let path = folder.join(&name);
        let built = ["target", "node_modules", "out", "cache", ".git", ".zugzwang"].iter().any(|b| name == *b);
        if kind.is_dir() && !built {
            walk(&path, found);
        } else if kind.is_file() {
            found.push(path);
        }
    }
}

/// Name and text of every text file. A file that is listed but gone is somebody's deletion under way.
fn texts() -> Vec<(String, String)> {
    let read = |path: PathBuf| {
        let text = String::from_utf8(std::fs::read(repository().join(&path)).ok()?).ok()?;
        Some((path.to_string_lossy().into_owned(), text))
    };
    files().into_iter().filter_map(read).collect()
}

/// Collects what `problem` finds in the files, so that a failure names all of them.
fn check(what: &str, mut problem: impl FnMut(&str, &str) -> Option<String>) {
    let texts = texts();
    let found: Vec<String> =
        texts.iter().filter_map(|(name, text)| Some(format!("{name}: {}", problem(name, text)?))).collect();
    assert!(texts.len() > 100, "only {} files were looked at", texts.len());
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

/// The first line with one of the texts.
fn line_with(text: &str, banned: &[&str]) -> Option<String> {
    let (number, line) = text.lines().enumerate().find(|(_, line)| banned.iter().any(|b| line.contains(b)))?;
    Some(format!("line {}: {}", number + 1, line.trim()))
}

#[test]
fn source_files_are_short() {
    check("split these files", |name, text| {
        let lines = text.lines().count();
        ((name.ends_with(".rs") || name.ends_with(".sol")) && lines >= LINES).then(|| format!("{lines} lines"))
    });
}

#[test]
fn solidity_names_its_licence() {
    check("these need a first line with a licence", |name, text| {
        let named = text.starts_with("// SPDX-License-Identifier: ");
        ((name.ends_with(".sol") || name.ends_with(".sol.template")) && !named).then(|| "no SPDX line".into())
    });
}

#[test]
fn folders_keep_to_their_subject() {
    for (folder, ending, banned) in BANNED {
        check("these have no place here", |name, text| {
            (name.starts_with(folder) && name.ends_with(ending)).then(|| line_with(text, banned)).flatten()
        });
    }
}

#[test]
fn no_file_names_a_machine() {
    let places = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
    check("paths of one machine", |_, text| {
        let absolute = |line: &str, place: &str| {
            line.match_indices(place).any(|(at, _)| {
                let before = line[..at].chars().next_back().unwrap_or(' ');
                !before.is_alphanumeric() && !"._-/}~*".contains(before)
            })
        };
        let found = text.lines().enumerate().find(|(_, line)| places.iter().any(|p| absolute(line, p)))?;
        Some(format!("line {}: {}", found.0 + 1, found.1.trim()))
    });
}

#[test]
fn permissive_crates_link_no_copyleft() {
    let lock = std::fs::read_to_string(repository().join("Cargo.lock")).expect("lock file");
    let lock: toml::Value = toml::from_str(&lock).expect("TOML");
    let packages = lock["package"].as_array().expect("packages");
    let needs = |name: &str| -> Vec<String> {
        packages
            .iter()
            .filter(|p| p["name"].as_str() == Some(name))
            .filter_map(|p| p.get("dependencies")?.as_array())
            .flatten()
            .filter_map(|d| Some(d.as_str()?.split(' ').next()?.to_owned()))
            .collect()
    };
    for root in ["zugzwang-circuits", "zugzwang-contracts"] {
        let mut reached = BTreeSet::new();
        let mut open = vec![root.to_owned()];
        while let Some(name) = open.pop() {
            if reached.insert(name.clone()) {
                open.extend(needs(&name));
            }
        }
        assert!(reached.len() > 20, "{root} has few dependencies: is its name right?");
        for copyleft in ["shakmaty", "zugzwang", "zugzwang-tests"] {
            assert!(!reached.contains(copyleft), "{root} depends on {copyleft}, which is GPL");
        }
    }
}
