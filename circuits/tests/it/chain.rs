//! solc and anvil from `contracts/node_modules`, and just enough JSON-RPC to deploy and call.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

fn contracts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

/// Creation bytecode of `source`, as `contracts/build.mjs` makes it for deployment.
pub(crate) fn compile(source: &str) -> String {
    let mut child = Command::new("node")
        .args(["build.mjs", "--verifier", "-"])
        .current_dir(contracts())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is installed");
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(source.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "build.mjs failed (npm ci in contracts/)");
    let output: Value = serde_json::from_slice(&output.stdout).expect("build.mjs prints JSON");
    output["bytecode"].as_str().expect("bytecode").to_owned()
}

/// The binary inside the npm package, without its wrapper; else the one on the path. `ZUGZWANG_ANVIL` names another.
fn anvil() -> PathBuf {
    if let Some(path) = std::env::var_os("ZUGZWANG_ANVIL") {
        return path.into();
    }
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let inside = contracts().join(format!("node_modules/@foundry-rs/anvil-{system}-{machine}/bin/anvil"));
    if inside.is_file() { inside } else { "anvil".into() }
}

/// Starts a command and ends it as soon as standard input closes. Of the two only the command keeps standard output, so
/// that its end is noticed there.
const WATCH: &str = "\"$@\" & chain=$!; exec >/dev/null; cat; kill $chain 2>/dev/null; wait $chain 2>/dev/null";

/// A local chain that ends with the test, also if the test's process is killed: a shell waits on a pipe from us.
#[derive(Debug)]
pub(crate) struct Chain {
    shell: Child,
    connection: BufReader<TcpStream>,
    account: String,
}

impl Drop for Chain {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

impl Chain {
    pub(crate) fn start() -> Self {
        let binary = anvil();
        let mut shell = Command::new("sh")
            .args(["-c", WATCH, "sh"])
            .arg(&binary)
            .args(["--port", "0", "--host", "127.0.0.1", "--gas-limit", "60000000"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let lines = BufReader::new(shell.stdout.take().unwrap()).lines();
        let address = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("Listening on ").map(str::to_owned))
            .unwrap_or_else(|| panic!("{} doesn't tell its port (npm ci in contracts/)", binary.display()));
        let connection = BufReader::new(TcpStream::connect(address.trim()).unwrap());
        let mut chain = Self { shell, connection, account: String::new() };
        let accounts = chain.rpc("eth_accounts", json!([])).unwrap();
        chain.account = accounts[0].as_str().unwrap().to_owned();
        chain
    }

    fn rpc(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let head = format!(
            "POST / HTTP/1.1\r\nHost: l\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let stream = self.connection.get_mut();
        stream.write_all((head + &body).as_bytes()).unwrap();
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.connection.read_line(&mut line).unwrap();
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut answer = vec![0; length];
        self.connection.read_exact(&mut answer).unwrap();
        let mut answer: Value = serde_json::from_slice(&answer).unwrap();
        match answer.get_mut("error") {
            Some(error) => Err(error.take()),
            None => Ok(answer["result"].take()),
        }
    }

    fn send(&mut self, mut transaction: Value) -> Value {
        transaction["from"] = json!(self.account);
        let hash = self.rpc("eth_sendTransaction", json!([transaction])).unwrap();
        for _ in 0..1000 {
            let receipt = self.rpc("eth_getTransactionReceipt", json!([hash])).unwrap();
            if !receipt.is_null() {
                return receipt;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        panic!("{hash} is not mined");
    }

    /// Deploys and returns the address and the runtime code's size in bytes.
    pub(crate) fn deploy(&mut self, code: &str) -> (String, usize) {
        let receipt = self.send(json!({ "data": code, "gas": "0x2faf080" }));
        let address = receipt["contractAddress"].as_str().unwrap().to_owned();
        let runtime = self.rpc("eth_getCode", json!([address, "latest"])).unwrap();
        (address, (runtime.as_str().unwrap().len() - 2) / 2)
    }

    /// What a call returns, or `None` if it reverts.
    pub(crate) fn call(&mut self, to: &str, data: &[u8]) -> Option<String> {
        let result = self.rpc("eth_call", json!([{ "to": to, "data": hex(data) }, "latest"]));
        result.ok().map(|value| value.as_str().unwrap().to_owned())
    }

    /// Whether the verifier answers `true`, exactly.
    pub(crate) fn accepts(&mut self, to: &str, data: &[u8]) -> bool {
        self.call(to, data).is_some_and(|word| word == format!("0x{:064x}", 1))
    }

    /// Gas of a whole transaction with this calldata.
    pub(crate) fn gas(&mut self, to: &str, data: &[u8]) -> u64 {
        let receipt = self.send(json!({ "to": to, "data": hex(data), "gas": "0x1c9c380" }));
        assert_eq!(receipt["status"], "0x1");
        u64::from_str_radix(&receipt["gasUsed"].as_str().unwrap()[2..], 16).unwrap()
    }
}
