//! A server that does what it is told, however wrong.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What it does with a connection.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Reads the request's head, writes this, and closes.
    Say(Vec<u8>),
    /// Reads the head, writes this once and then that for ever.
    Pour(Vec<u8>, Vec<u8>),
    /// Closes at once.
    Close,
    /// Reads the head, writes this, and then nothing.
    Hang(Vec<u8>),
    /// Writes a head a byte at a time, without an end.
    Drip,
}

/// Does one act per connection, the last one for all further ones.
#[derive(Clone, Debug)]
pub(super) struct BadServer {
    pub(super) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl BadServer {
    pub(super) async fn start(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
        let server = Self { address: listener.local_addr().expect("address"), heads: Arc::default() };
        let heads = server.heads.clone();
        tokio::spawn(async move {
            let mut acts = acts.into_iter().peekable();
            let mut last = None;
            while let Ok((stream, _)) = listener.accept().await {
                let act = acts.next().or(last.clone()).expect("an act");
                last = Some(act.clone());
                tokio::spawn(perform(stream, act, heads.clone()));
            }
        });
        server
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/x", self.address)
    }

    /// Heads of the requests so far, in lower case.
    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("lock").clone()
    }
}

/// The client may leave at any point; that is no error here.
async fn perform(mut stream: TcpStream, act: Act, heads: Arc<Mutex<Vec<String>>>) {
    if matches!(act, Act::Close) {
        return;
    }
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    heads.lock().expect("lock").push(String::from_utf8_lossy(&head).to_lowercase());
    match act {
        Act::Close => {}
        Act::Say(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Act::Pour(first, again) => {
            let mut written = stream.write_all(&first).await;
            while written.is_ok() {
                written = stream.write_all(&again).await;
            }
        }
        Act::Hang(bytes) => {
            let _ = stream.write_all(&bytes).await;
            // Until the client has had enough.
            let _ = stream.read_u8().await;
        }
        Act::Drip => {
            let mut written = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").await;
            while written.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
                written = stream.write_all(b"x").await;
            }
        }
    }
}

/// A whole answer.
pub(super) fn answer(status: &str, headers: &str, body: &str) -> Act {
    let length = body.len();
    Act::Say(
        format!("HTTP/1.1 {status}\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n{body}")
            .into_bytes(),
    )
}

/// The head of an answer that ends with its connection.
pub(super) fn open_head(kind: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: {kind}\r\n\r\n")
}

/// An event stream that ends.
pub(super) fn stream(events: &str) -> Act {
    Act::Say(format!("{}{events}", open_head("text/event-stream; charset=utf-8")).into_bytes())
}
