//! Configuration files that hold secrets are their owner's only.

use std::path::Path;

use super::ConfigError;
use crate::files;

/// Parts of keys' names whose values are secrets, unless the name says where the secret is.
const NAMES: [&str; 4] = ["token", "secret", "webhook", "private_key"];

/// Refuses a file that holds a secret and that others can read.
///
/// # Errors
/// With the key, not its value.
pub(super) fn refuse_exposed(file: &Path, text: &str) -> Result<(), ConfigError> {
    let Ok(table) = text.parse::<toml::Table>() else {
        // Whoever parses it tells what is wrong.
        return Ok(());
    };
    match secret_in("", &toml::Value::Table(table)) {
        Some(key) => files::refuse_exposed(file)
            .map_err(|why| ConfigError::Unreadable(format!("{why}; it holds a secret, `{key}`"))),
        None => Ok(()),
    }
}

/// The first key whose value is a secret.
fn secret_in(path: &str, value: &toml::Value) -> Option<String> {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        toml::Value::Table(table) => table.iter().find_map(|(key, value)| secret_in(&below(key), value)),
        toml::Value::Array(values) => values.iter().find_map(|value| secret_in(path, value)),
        toml::Value::String(text) => is_secret(path, text).then(|| path.to_owned()),
        _ => None,
    }
}

fn is_secret(path: &str, text: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or_default();
    let says_where = ["_file", "_env", "_path"].iter().any(|ending| name.ends_with(ending));
    let named = NAMES.iter().any(|part| name.contains(part)) && !says_where && !text.is_empty();
    // A user and a password before the host.
    let authority = text.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or_default());
    named || authority.is_some_and(|authority| authority.contains('@'))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_with_a_secret_is_its_owners_only() {
        let dir = tempfile::tempdir().expect("folder");
        let file = dir.path().join("zugzwang.toml");
        let cases = [
            ("[chain]\nrpc = \"https://node.example/\"", 0o644, None),
            ("[chain]\nrpc = \"https://me:pw@node.example/\"", 0o644, Some("chain.rpc")),
            ("[chain]\nrpc = [\"http://a\", \"https://me:pw@node.example/\"]", 0o640, Some("chain.rpc")),
            ("[chain]\nrpc = \"https://me:pw@node.example/\"", 0o600, None),
            ("[[keys]]\nurl = \"https://me:pw@signer\"", 0o604, Some("keys.url")),
            ("[http]\ntoken = \"hunter2\"", 0o644, Some("http.token")),
            ("[http]\ntoken = \"\"", 0o644, None),
            ("[http]\ntoken_file = \"/run/token\"", 0o644, None),
            ("[alerts]\nwebhook = \"https://hooks.example/T0/B0\"", 0o644, Some("alerts.webhook")),
            ("[key]\nprivate_key_env = \"PLAYER\"", 0o644, None),
            ("[feed]\nhttp = [\"https://x.example/a@b\"]", 0o644, None),
            ("not = [toml", 0o644, None),
        ];
        for (text, mode, expected) in cases {
            std::fs::write(&file, text).expect("write");
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("mode");
            match (refuse_exposed(&file, text), expected) {
                (Ok(()), None) => {}
                (Err(error), Some(key)) => {
                    let said = error.to_string();
                    assert!(said.contains(&format!("`{key}`")) && said.contains("chmod 600"), "{said}");
                    assert!(!said.contains("pw") && !said.contains("hunter2"), "{said}");
                }
                (result, expected) => panic!("{text}: {result:?}, not {expected:?}"),
            }
        }
    }
}
