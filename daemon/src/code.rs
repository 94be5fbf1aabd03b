//! Stable codes of errors: `ZZ-203`. A code never changes its meaning, and each has a page in `docs/errors/`.
//!
//! The hundreds say where an error comes from, and so decide the exit code:
//!
//! | codes | what | exit code |
//! |---|---|---|
//! | ZZ-1xx | command line and configuration | 2 |
//! | ZZ-2xx | chain and nodes | 3 |
//! | ZZ-3xx | store | 6 |
//! | ZZ-4xx | keys and signing | 4 |
//! | ZZ-5xx | models and proofs | 5 |
//! | ZZ-6xx | service, apps, feeds and transactions | 1 |
//! | ZZ-7xx | fleet | 7 |
//! | ZZ-8xx | HTTP and alerts | 8 |
//! | ZZ-9xx | a bug of ours | 70 |

use std::fmt;

/// A stable code. Shown as `ZZ-` and three digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u16);

impl Code {
    /// The command line can't be read.
    pub const USAGE: Self = Self(100);
    /// An argument or a key can't be used as given.
    pub const ARGUMENT: Self = Self(110);
    /// A model can't be used as wished.
    pub const MODEL: Self = Self(590);
    /// A proof was not done within `prover.budget_s`.
    pub const LATE_PROOF: Self = Self(510);
    /// Something is wrong where proofs are made.
    pub const PROVER: Self = Self(511);
    /// A source of bulletins is in trouble.
    pub const FEED: Self = Self(640);
    /// A contract refuses a transaction that needs no proof.
    pub const CLAIM_REFUSED: Self = Self(603);
    /// A reorganisation is deeper than may be undone.
    pub const TOO_DEEP: Self = Self(208);
    /// A spend limit is reached.
    pub const SPEND_LIMIT: Self = Self(604);
    /// The account's nonce and ours don't follow each other.
    pub const NONCE_GAP: Self = Self(615);
    /// A command could not be done, for a reason that its message tells.
    pub const FAILED: Self = Self(690);
    /// The program has a bug.
    pub const BUG: Self = Self(900);

    /// Those that no error type has, each with its name.
    const OWN: &'static [(&'static str, u16)] = &[
        ("USAGE", 100),
        ("ARGUMENT", 110),
        ("MODEL", 590),
        ("PROVER", 511),
        ("FEED", 640),
        ("CLAIM_REFUSED", 603),
        ("NONCE_GAP", 615),
        ("NOT_DRAINED", 628),
        ("FAILED", 690),
        ("BUG", 900),
    ];

    /// What was under way when the daemon was stopped was left.
    pub const NOT_DRAINED: Self = Self(628);

    /// The code that a text like `ZZ-203` names.
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.strip_prefix("ZZ-")?.parse().ok()?;
        (100..1000).contains(&number).then_some(Self(number))
    }

    /// The code of a number from 100 to 999.
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// What a command ends with that fails so.
    pub fn exit(self) -> u8 {
        match self.0 / 100 {
            1 => 2,
            2 => 3,
            3 => 6,
            4 => 4,
            5 => 5,
            7 => 7,
            8 => 8,
            9 => 70,
            _ => 1,
        }
    }

    /// Where its page is in the repository.
    pub fn page(self) -> String {
        format!("docs/errors/{self}.md")
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ZZ-{:03}", self.0)
    }
}

/// An error with a code.
pub trait Coded: std::error::Error {
    /// Its code; where it wraps another error, that one's.
    fn code(&self) -> Code;
}

impl<E: Coded> Coded for Box<E> {
    fn code(&self) -> Code {
        (**self).code()
    }
}

/// Gives each variant of an error type its code: `codes!(ChainError { BadUrl = 201, Missing = 205 })`. Variants that wrap another
/// error with codes stand after a semicolon. A new variant doesn't compile without.
macro_rules! codes {
    ($error:ident { $($variant:ident = $code:literal),* $(,)? $(; $($inner:ident),+ $(,)?)? }) => {
        impl $crate::code::Coded for $error {
            fn code(&self) -> $crate::code::Code {
                match self {
                    $(Self::$variant { .. } => $crate::code::Code::new($code),)*
                    $($(Self::$inner(inner) => $crate::code::Coded::code(inner),)+)?
                }
            }
        }

        impl $error {
            /// The variants that have codes of their own.
            pub const CODES: &'static [(&'static str, u16)] = &[$((stringify!($variant), $code)),*];
        }
    };
}
pub(crate) use codes;

/// Every code with the error type and the variant that it is of.
pub fn all() -> Vec<(&'static str, &'static str, Code)> {
    use crate::{alerts, apps, chain, config, demo, feed, fleet, http, prover, service, store};
    let types: &[(&str, &[(&str, u16)])] = &[
        ("Code", Code::OWN),
        ("ConfigError", config::ConfigError::CODES),
        ("ChainError", chain::ChainError::CODES),
        ("WatchError", chain::watcher::WatchError::CODES),
        ("Held", chain::Held::CODES),
        ("SubmitError", chain::submit::SubmitError::CODES),
        ("SignatureError", chain::signature::SignatureError::CODES),
        ("StoreError", store::StoreError::CODES),
        ("PlaceError", store::PlaceError::CODES),
        ("ProveError", prover::ProveError::CODES),
        ("AppError", apps::AppError::CODES),
        ("ChessError", apps::chess::ChessError::CODES),
        ("ServiceError", service::ServiceError::CODES),
        ("SourceError", feed::SourceError::CODES),
        ("ItemError", feed::source::ItemError::CODES),
        ("BulletinError", feed::BulletinError::CODES),
        ("Refusal", feed::inbox::Refusal::CODES),
        ("FileError", feed::file::FileError::CODES),
        ("PublisherError", feed::publisher::PublisherError::CODES),
        ("OrderError", service::OrderError::CODES),
        ("FleetError", fleet::FleetError::CODES),
        ("HttpError", http::HttpError::CODES),
        ("ApiError", http::ApiError::CODES),
        ("AlertError", alerts::AlertError::CODES),
        ("DemoError", demo::DemoError::CODES),
        ("AnvilError", demo::anvil::AnvilError::CODES),
    ];
    types
        .iter()
        .flat_map(|(name, codes)| codes.iter().map(move |(variant, code)| (*name, *variant, Code(*code))))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        path::{Path, PathBuf},
    };

    use super::*;

    fn repository() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).expect("folder") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).expect("source");
                found.push((path, text));
            }
        }
    }

    /// The names of the enums that derive `thiserror::Error`.
    fn error_enums() -> BTreeSet<String> {
        let mut files = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
        let derive = concat!("thiserror", "::Error)]");
        let mut names = BTreeSet::new();
        for (_, text) in &files {
            let mut derived = false;
            for line in text.lines() {
                derived |= line.ends_with(derive);
                let name = line.split_once("enum ").filter(|_| line.ends_with('{')).map(|(_, name)| name);
                if let Some(name) = name.filter(|_| derived) {
                    names.insert(name.trim_end_matches([' ', '{']).to_owned());
                }
                derived &= !line.ends_with('{');
            }
        }
        names
    }

    #[test]
    fn every_error_type_is_listed() {
        let named: BTreeSet<String> = include_str!("code.rs")
            .lines()
            .filter(|line| line.trim_end().ends_with("::CODES),"))
            .filter_map(|line| Some(line.split('"').nth(1)?.to_owned()))
            .collect();
        let found = error_enums();
        assert!(found.len() > 15, "only {found:?} were found");
        // They reach nobody but inside others: ChainError and Held say what they mean.
        let found: BTreeSet<String> = found
            .into_iter()
            .filter(|name| !["EndpointError", "WireError", "SignerError"].contains(&name.as_str()))
            .collect();
        assert_eq!(found.difference(&named).collect::<Vec<_>>(), Vec::<&String>::new(), "add these to `all`");
    }

    #[test]
    fn every_code_means_one_thing_and_has_a_page() {
        let mut of: BTreeMap<Code, Vec<String>> = BTreeMap::new();
        for (name, variant, code) in all() {
            of.entry(code).or_default().push(format!("{name}::{variant}"));
        }
        let folder = repository().join("docs/errors");
        let list = std::fs::read_to_string(folder.join("README.md")).expect("list");
        for (code, names) in &of {
            // A variant may be passed on under the same name by a type above it.
            let variants: BTreeSet<&str> = names.iter().filter_map(|n| n.rsplit("::").next()).collect();
            assert_eq!(variants.len(), 1, "{code} stands for {names:?}");
            let page = std::fs::read_to_string(repository().join(code.page()))
                .unwrap_or_else(|e| panic!("{names:?}: {}: {e}", code.page()));
            let title = page.lines().next().and_then(|line| line.strip_prefix(&format!("# {code}: "))).expect("title");
            for section in ["\n## Usual causes\n", "\n## What to do\n"] {
                let body = page.split_once(section).map(|(_, rest)| rest.split("\n## ").next().unwrap_or_default());
                assert!(body.is_some_and(|body| body.trim().len() > 8), "{} has no section{section}", code.page());
            }
            let exit = format!("Exit code {}.", code.exit());
            assert!(page.contains(&exit), "{} must say: {exit}", code.page());
            let row = format!("| [{code}]({code}.md) | {title} |");
            assert!(list.contains(&row), "docs/errors/README.md lacks: {row}");
        }
        let pages = std::fs::read_dir(&folder).expect("folder").map(|e| e.expect("entry").file_name());
        for page in pages.filter_map(|name| name.into_string().ok()).filter(|name| name != "README.md") {
            let known = of.keys().any(|code| page == format!("{code}.md"));
            assert!(known, "docs/errors/{page} is about no code");
        }
    }
}
