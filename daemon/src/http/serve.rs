//! Serves a router to connections that are bounded in number, in time and in the size of what they send, so that a slow client
//! holds nothing for long. Hyper is used directly: axum's own loop sets no time-outs.

use std::{
    net::IpAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

/// What connections may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at the same time; further ones wait until one ends.
    pub connections: usize,
    /// Time for a request's head.
    pub head: Duration,
    /// Most bytes of a request's head.
    pub head_bytes: usize,
    /// Time for a connection that isn't listening to events.
    pub connection: Duration,
    /// Time for what is under way when the server stops.
    pub stopping: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            head: Duration::from_secs(5),
            head_bytes: 16 << 10,
            connection: Duration::from_secs(60),
            stopping: Duration::from_secs(3),
        }
    }
}

/// Who is at the other end of a connection. Each connection's requests find it as an extension.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// Event streams on one connection: it isn't cut off while there is one. Each connection's requests find theirs as an extension.
#[derive(Clone, Debug, Default)]
pub struct Listening(Arc<AtomicUsize>);

impl Listening {
    /// Whether there is one.
    pub fn is_now(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    /// There is one more, until what is given is dropped.
    pub fn begin(&self) -> Listened {
        self.0.fetch_add(1, Ordering::Relaxed);
        Listened(self.clone())
    }
}

/// One event stream, until it is dropped.
#[derive(Debug)]
pub struct Listened(Listening);

impl Drop for Listened {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Takes connections until `stop` turns true or loses its sender, and waits for those that are left.
pub async fn accept(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>, limits: Limits) {
    let room = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    loop {
        let next = async {
            let permit = room.clone().acquire_owned().await.ok()?;
            loop {
                match listener.accept().await {
                    Ok((stream, peer)) => return Some((stream, Peer(peer.ip()), permit)),
                    Err(error) => {
                        tracing::warn!("no connection can be taken: {error}; it is tried again");
                        sleep(Duration::from_millis(100)).await;
                    }
                }
            }
        };
        let taken = tokio::select! {
            taken = next => taken,
            _ = stop.wait_for(|stop| *stop) => None,
        };
        let Some((stream, peer, permit)) = taken else { break };
        connections.spawn(connection(stream, peer, router.clone(), stop.clone(), permit, limits));
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    // What isn't done by then is cut off.
    let _ = timeout(limits.stopping, async { while connections.join_next().await.is_some() {} }).await;
}

/// One connection, to its end. An error of it is the client's.
async fn connection(
    stream: TcpStream,
    peer: Peer,
    router: Router,
    mut stop: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
    limits: Limits,
) {
    let listening = Listening::default();
    let service = TowerToHyperService::new(router.layer(Extension(listening.clone())).layer(Extension(peer)));
    let mut served = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head)
            .max_buf_size(limits.head_bytes)
            .serve_connection(TokioIo::new(stream), service)
    );
    let mut deadline = pin!(sleep(limits.connection));
    let mut ending = false;
    loop {
        tokio::select! {
            _ = served.as_mut() => return,
            _ = stop.wait_for(|stop| *stop), if !ending => {}
            () = deadline.as_mut() => {
                if ending {
                    return;
                }
                if listening.is_now() {
                    deadline.as_mut().reset(Instant::now() + limits.connection);
                    continue;
                }
            }
        }
        // Ends after the request that is under way, if it does so in time.
        served.as_mut().graceful_shutdown();
        deadline.as_mut().reset(Instant::now() + limits.stopping);
        ending = true;
    }
}
