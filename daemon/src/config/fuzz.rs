//! Configuration files and environments that nobody meant to write.

use std::collections::HashMap;

use super::{Config, RawConfig};
use crate::fuzz;

/// Parts a file from the variables that follow it, `KEY=value` each on a line.
const THEN_VARIABLES: u8 = 0xff;

const APPS: &str = r#"
[chess]
arena = "0x00000000000000000000000000000000000000aa"
[world]
contract = "0x00000000000000000000000000000000000000ab"
close_rounds = false
[oracle]
contract = "0x00000000000000000000000000000000000000bb"
models = ["models/football"]
registered = [1, 2]
min_bounty_gwei = 0.5
[market]
contracts = ["0x00000000000000000000000000000000000000cc"]
board = "0x00000000000000000000000000000000000000dd"
models = ["models/weather"]
[[market.feeds]]
publisher = "0x00000000000000000000000000000000000000ee"
feed = "weather"
http = ["http://127.0.0.1:1/"]
sse = ["http://127.0.0.1:1/events"]
dir = ["bulletins"]
[guard]
contracts = ["0x00000000000000000000000000000000000000ff"]
models = ["models/fraud"]
"#;

#[test]
fn files_and_environments() {
    let chess = "[chess]\narena = \"0x00000000000000000000000000000000000000aa\"\n";
    let template =
        RawConfig::template().replace("arena = \"\"", "arena = \"0x00000000000000000000000000000000000000aa\"");
    let with = |file: &str, variables: &str| [file.as_bytes(), &[THEN_VARIABLES], variables.as_bytes()].concat();
    let corpus = [
        template.into_bytes(),
        APPS.as_bytes().to_vec(),
        with(chess, "ZUGZWANG__CHAIN__RPC=http://127.0.0.1:8545\nZUGZWANG__CHAIN__CONFIRMATIONS=3\n"),
        with(
            chess,
            "ZUGZWANG__SUBMIT__MAX_FEE_GWEI=1.5\nZUGZWANG__ORACLE__REGISTERED=1,2\nZUGZWANG__LOG__FILTER=debug",
        ),
        with("", "ZUGZWANG__CHESS__ARENA=0x00000000000000000000000000000000000000aa\nZUGZWANG__STORE__PATH=z.db"),
    ];
    fuzz::check("configuration", 800, &corpus, |bytes| {
        let (file, variables) = match bytes.iter().position(|byte| *byte == THEN_VARIABLES) {
            Some(at) => (&bytes[..at], &bytes[at + 1..]),
            None => (bytes, &[][..]),
        };
        let variables = String::from_utf8_lossy(variables).into_owned();
        let environment: HashMap<String, String> = variables
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
        let text = String::from_utf8_lossy(file);
        match RawConfig::from_layers(Some(("zugzwang.toml", &text)), environment).and_then(Config::from_raw) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.to_string().lines().count(), 1, "one line: {error}");
                false
            }
        }
    });
}
