//! Where a store is: a SQLite file, or a database on a PostgreSQL server.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// What a server's address may say after its `?`. Others are refused, because the driver would write them to the log.
const PARAMETERS: [&str; 11] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

/// Where a store is. Shown without its password.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// A SQLite file.
    File(PathBuf),
    /// A database on a PostgreSQL server.
    Server(Address),
}

/// The address of a database on a server, which may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// The address with its password, for the driver alone.
    pub(super) fn secret(&self) -> &str {
        &self.0
    }
}

/// Why a text is no place for a store. It does not repeat the text, which may hold a password.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PlaceError {
    /// Neither of the two.
    #[error("starts neither with sqlite: nor with postgres://; write sqlite:PATH or postgres://USER@HOST/DATABASE")]
    Scheme,
    /// No file is named.
    #[error("names no file; write sqlite:PATH")]
    NoFile,
    /// A parameter that isn't known.
    #[error("has the parameter `{0}`, which is none of {known}", known = PARAMETERS.join(", "))]
    Parameter(String),
}

crate::code::codes!(PlaceError { Scheme = 131, NoFile = 132, Parameter = 133 });

impl Place {
    /// Reads `sqlite:PATH`, `sqlite://PATH` or `postgres://…`.
    pub fn parse(url: &str) -> Result<Self, PlaceError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() { Err(PlaceError::NoFile) } else { Ok(Self::File(path.into())) };
        }
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(PlaceError::Scheme);
        }
        for (name, _) in parameters(url) {
            if !PARAMETERS.contains(&name) {
                return Err(PlaceError::Parameter(name.to_owned()));
            }
        }
        Ok(Self::Server(Address(url.to_owned())))
    }

    /// The SQLite file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Server(_) => None,
        }
    }
}

/// Name and value of each parameter after the `?`.
fn parameters(url: &str) -> impl Iterator<Item = (&str, &str)> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    query.split('&').filter(|part| !part.is_empty()).map(|part| part.split_once('=').unwrap_or((part, "")))
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = match self {
            Self::File(path) => return path.display().fmt(f),
            Self::Server(address) => address.secret(),
        };
        let (before, _) = url.split_once('?').unwrap_or((url, ""));
        let (scheme, rest) = before.split_once("://").unwrap_or(("postgres", before));
        // A password may hold any sign, the host and the database none of these.
        let shown = match rest.rsplit_once('@') {
            Some((user, rest)) => {
                let (user, password) = user.split_once(':').map_or((user, false), |(user, _)| (user, true));
                format!("{user}{}@{rest}", if password { ":…" } else { "" })
            }
            None => rest.to_owned(),
        };
        write!(f, "{scheme}://{shown}")?;
        for (place, (name, value)) in parameters(url).enumerate() {
            let value = if name == "password" { "…" } else { value };
            write!(f, "{}{name}={value}", if place == 0 { '?' } else { '&' })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Place({self})")
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

impl From<&Self> for Place {
    fn from(place: &Self) -> Self {
        place.clone()
    }
}

impl From<&Path> for Place {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl From<&PathBuf> for Place {
    fn from(path: &PathBuf) -> Self {
        Self::File(path.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        for (url, shown) in [
            ("postgres://z@db/zugzwang", "postgres://z@db/zugzwang"),
            ("postgres://z:hunter2@db:5433/zugzwang", "postgres://z:…@db:5433/zugzwang"),
            ("postgres://z:hun:ter2@2@db/zugzwang", "postgres://z:…@db/zugzwang"),
            ("postgresql:///z?host=/run/pg&user=z&password=hunter2", "postgresql:///z?host=/run/pg&user=z&password=…"),
            ("postgres://z:hunter2@db/z?sslmode=require", "postgres://z:…@db/z?sslmode=require"),
        ] {
            let place = Place::parse(url).expect(url);
            assert_eq!(place.to_string(), shown);
            assert!(!format!("{place:?}").contains("hunter2") && !format!("{place:?}").contains("ter2"), "{place:?}");
        }
    }

    #[test]
    fn what_is_no_place_is_refused_without_being_repeated() {
        for (url, error) in [
            ("mysql://z:hunter2@db/z", PlaceError::Scheme),
            ("zugzwang.db", PlaceError::Scheme),
            ("sqlite:", PlaceError::NoFile),
            ("postgres://db/z?passwd=hunter2", PlaceError::Parameter("passwd".into())),
        ] {
            let found = Place::parse(url).expect_err(url);
            assert_eq!(found, error);
            assert!(!found.to_string().contains("hunter2"), "{found}");
        }
        assert_eq!(Place::parse("sqlite://a/b.db").expect("a place").file(), Some(Path::new("a/b.db")));
        assert_eq!(Place::parse("sqlite:/a/b.db").expect("a place").file(), Some(Path::new("/a/b.db")));
    }
}
