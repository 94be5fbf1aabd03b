//! `[http]`: the server for people and machines that watch the daemon.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::{ConfigError, at_least, bad};

/// `[http]`: where the daemon can be looked at. A process has one server, that of its first file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct RawHttp {
    /// Address and port; empty for no server, port 0 for a free one.
    pub listen: String,
    /// File whose first line is the token that requests must bear; needed beyond this machine.
    pub token_file: String,
    /// Connections at the same time.
    pub connections: u64,
    /// Seconds without a new block after which the head counts as stale; 0 for chains that make blocks on demand.
    pub head_age_s: u64,
    /// Seconds without a finished turn of the daemon after which it counts as stuck.
    pub turn_age_s: u64,
}

impl Default for RawHttp {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:9464".into(),
            token_file: String::new(),
            connections: 64,
            head_age_s: 180,
            turn_age_s: 60,
        }
    }
}

/// The server, and what it calls ready.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Where it listens; `None` for no server.
    pub listen: Option<SocketAddr>,
    /// File with the token that every request but those for health must bear.
    pub token_file: Option<PathBuf>,
    /// Connections at the same time; further ones wait.
    pub connections: usize,
    /// Age at which the head counts as stale; `None` for never.
    pub head_age: Option<Duration>,
    /// Time without a finished turn after which the daemon counts as stuck.
    pub turn_age: Duration,
}

impl HttpConfig {
    pub(super) fn from_raw(raw: RawHttp) -> Result<Self, ConfigError> {
        let token_file = Some(PathBuf::from(raw.token_file)).filter(|path| !path.as_os_str().is_empty());
        let listen = match raw.listen.as_str() {
            "" => None,
            text => {
                let wrong = "is no address; write an IP address and a port, such as 127.0.0.1:9464 or [::1]:9464";
                let address: SocketAddr = text.parse().map_err(|_| bad("http.listen", text, wrong))?;
                if !address.ip().is_loopback() && token_file.is_none() {
                    let open = "can be reached from other machines: set http.token_file, or listen at 127.0.0.1";
                    return Err(bad("http.listen", text, open));
                }
                Some(address)
            }
        };
        let connections = at_least("http.connections", raw.connections, 1)?;
        if connections > 10_000 {
            return Err(bad("http.connections", connections, "is above 10000; a few scrapers and people need fewer"));
        }
        let turn_age = Duration::from_secs(at_least("http.turn_age_s", raw.turn_age_s, 1)?);
        let head_age = Some(raw.head_age_s).filter(|s| *s > 0).map(Duration::from_secs);
        Ok(Self { listen, token_file, connections: connections as usize, head_age, turn_age })
    }
}
