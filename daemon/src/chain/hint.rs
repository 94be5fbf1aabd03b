//! New blocks over WebSocket, as a hint to look. Nothing that it says is believed: polling is the truth, and a connection
//! that is lost costs nothing but latency.

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use tokio::{sync::Notify, task::JoinHandle};
use tokio_tungstenite::{
    connect_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

use super::{error::one_line, rpc::EndpointUrl};

/// The pause before the first new connection, doubled up to [`LONGEST`] by each that fails.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// A connection that is silent for so long is made anew.
const SILENCE: Duration = Duration::from_secs(300);
/// Time for connecting.
const CONNECT: Duration = Duration::from_secs(20);
/// Least time between two hints, whatever is sent.
const GAP: Duration = Duration::from_millis(50);
/// Most bytes of a message; a header has about two thousand.
const LARGEST: usize = 1 << 20;

/// Hints that there may be a new block.
#[derive(Debug, Default)]
pub struct Hints {
    wake: Arc<Notify>,
    task: Option<JoinHandle<()>>,
}

impl Drop for Hints {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Hints {
    /// Listens in the background; without an address there are never any.
    pub fn listen(url: Option<EndpointUrl>) -> Self {
        let wake = Arc::new(Notify::new());
        let task = url.map(|url| tokio::spawn(keep_listening(url, wake.clone())));
        Self { wake, task }
    }

    /// Waits for the next hint. Hints that came since the last one are one.
    pub async fn next(&self) {
        self.wake.notified().await;
    }
}

async fn keep_listening(url: EndpointUrl, wake: Arc<Notify>) {
    super::install_tls();
    let endpoint = [("endpoint", url.to_string())];
    let mut pause = SHORTEST;
    loop {
        let mut heard = false;
        let why = listen(&url, &wake, &mut heard).await;
        metrics::counter!("zugzwang_rpc_ws_losses_total", &endpoint).increment(1);
        tracing::debug!(%url, "no hints of new blocks for now, polling goes on: {why}");
        if heard {
            pause = SHORTEST;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST);
    }
}

/// Listens until the connection is lost; why it was. `heard` tells whether there was a subscription.
async fn listen(url: &EndpointUrl, wake: &Notify, heard: &mut bool) -> String {
    let mut limits = WebSocketConfig::default();
    limits.max_message_size = Some(LARGEST);
    limits.max_frame_size = Some(LARGEST);
    let connecting = connect_async_with_config(url.expose(), Some(limits), true);
    let mut socket = match tokio::time::timeout(CONNECT, connecting).await {
        Ok(Ok((socket, _))) => socket,
        Ok(Err(error)) => return one_line(&url.hide(&error.to_string())),
        Err(_) => return format!("no connection within {} s", CONNECT.as_secs()),
    };
    let subscribe = r#"{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}"#;
    if let Err(error) = socket.send(Message::text(subscribe)).await {
        return one_line(&url.hide(&error.to_string()));
    }
    loop {
        match tokio::time::timeout(SILENCE, socket.next()).await {
            Ok(Some(Ok(Message::Text(text)))) => {
                if text.contains("\"error\"") {
                    return one_line(&url.hide(&text));
                }
                *heard = true;
                // While there was none, blocks may have come.
                wake.notify_one();
                tokio::time::sleep(GAP).await;
            }
            Ok(Some(Ok(Message::Close(_))) | None) => return "it was closed".into(),
            Ok(Some(Ok(_))) => {}
            Ok(Some(Err(error))) => return one_line(&url.hide(&error.to_string())),
            Err(_) => return format!("nothing was heard for {} s", SILENCE.as_secs()),
        }
    }
}
