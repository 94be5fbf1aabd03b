//! What one client may take: a bucket of requests that fills up again, and a few event streams. A client is an address; of
//! IPv6 its first 64 bits, since a household or a machine has all of the rest.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use axum::{
    Extension,
    extract::{Request, State},
    http::HeaderMap,
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{answer::ApiError, routes::Shared, serve::Peer};
use crate::config::WebLimits;

/// Clients that are remembered; those whose bucket is full are forgotten first.
const MOST: usize = 20_000;

/// The clients of the API. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Clients(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: WebLimits,
    buckets: Mutex<Buckets>,
}

#[derive(Debug, Default)]
struct Buckets {
    of: HashMap<IpAddr, Bucket>,
    streams: usize,
}

/// What one client has left.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
    streams: usize,
}

impl Bucket {
    fn filled(&mut self, limits: &WebLimits, now: Instant) {
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * limits.rate;
        (self.tokens, self.at) = ((self.tokens + gained).min(limits.burst), now);
    }
}

/// An event stream of a client, until it is dropped.
#[derive(Debug)]
pub(super) struct Following {
    clients: Clients,
    who: IpAddr,
}

impl Clients {
    pub(super) fn new(limits: WebLimits) -> Self {
        Self(Arc::new(Inner { limits, buckets: Mutex::default() }))
    }

    /// Takes one request off a client's bucket.
    pub(super) fn take(&self, who: IpAddr, now: Instant) -> Result<(), ApiError> {
        let limits = &self.0.limits;
        let mut buckets = self.buckets();
        let bucket = buckets.bucket(network(who), limits, now);
        if bucket.tokens < 1.0 {
            let seconds = ((1.0 - bucket.tokens) / limits.rate).ceil() as u64;
            return Err(ApiError::TooMany { seconds: seconds.max(1) });
        }
        bucket.tokens -= 1.0;
        Ok(())
    }

    /// One more event stream of a client.
    pub(super) fn follow(&self, who: IpAddr) -> Result<Following, ApiError> {
        let (limits, who) = (&self.0.limits, network(who));
        let mut buckets = self.buckets();
        if buckets.streams >= limits.streams {
            return Err(ApiError::TooManyStreams { streams: buckets.streams, seconds: 10 });
        }
        let bucket = buckets.bucket(who, limits, Instant::now());
        if bucket.streams >= limits.streams_per_client {
            return Err(ApiError::TooManyStreams { streams: bucket.streams, seconds: 10 });
        }
        bucket.streams += 1;
        buckets.streams += 1;
        Ok(Following { clients: self.clone(), who })
    }

    /// Who asks: the other end of the connection, or whom a proxy names.
    pub(super) fn who(&self, peer: Peer, headers: &HeaderMap) -> IpAddr {
        let named = || {
            let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
            last.rsplit(',').next()?.trim().parse().ok()
        };
        if self.0.limits.forwarded { named().unwrap_or(peer.0) } else { peer.0 }
    }

    fn buckets(&self) -> MutexGuard<'_, Buckets> {
        // Counts are whole whatever happened to whoever held them.
        self.0.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Buckets {
    fn bucket(&mut self, who: IpAddr, limits: &WebLimits, now: Instant) -> &mut Bucket {
        if self.of.len() >= MOST && !self.of.contains_key(&who) {
            self.of.retain(|_, bucket| {
                bucket.filled(limits, now);
                bucket.streams > 0 || bucket.tokens < limits.burst
            });
            if self.of.len() >= MOST {
                // A flood from many addresses: those without a stream begin anew.
                self.of.retain(|_, bucket| bucket.streams > 0);
            }
        }
        let bucket = self.of.entry(who).or_insert(Bucket { tokens: limits.burst, at: now, streams: 0 });
        bucket.filled(limits, now);
        bucket
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let mut buckets = self.clients.buckets();
        buckets.streams = buckets.streams.saturating_sub(1);
        if let Some(bucket) = buckets.of.get_mut(&self.who) {
            bucket.streams = bucket.streams.saturating_sub(1);
        }
    }
}

/// Addresses that are one client.
fn network(who: IpAddr) -> IpAddr {
    match who.to_canonical() {
        IpAddr::V6(address) => {
            let bits = u128::from(address) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(bits))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Lets requests pass as the client's bucket allows. Who knows the token isn't counted.
pub(super) async fn limited(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    request: Request,
    next: Next,
) -> Response {
    if !shared.is_trusted(request.headers()) {
        let who = shared.clients.who(peer, request.headers());
        if let Err(error) = shared.clients.take(who, Instant::now()) {
            return error.into_response();
        }
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn clients(forwarded: bool) -> Clients {
        Clients::new(WebLimits { rate: 2.0, burst: 3.0, streams_per_client: 2, streams: 3, forwarded })
    }

    #[test]
    fn a_bucket_runs_dry_and_fills_up() {
        let (clients, now) = (clients(false), Instant::now());
        let one: IpAddr = "192.0.2.1".parse().expect("address");
        let taken = |who, ms| clients.take(who, now + Duration::from_millis(ms)).is_ok();
        assert!(taken(one, 0) && taken(one, 0) && taken(one, 0) && !taken(one, 0));
        assert!(taken("192.0.2.2".parse().expect("address"), 0), "others aren't concerned");
        assert!(!taken(one, 400) && taken(one, 500) && !taken(one, 500));
        // Neighbours of one network share a bucket.
        let v6 = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 2, 3, 4, last]);
        assert!(taken(v6(1), 0) && taken(v6(2), 0) && taken(v6(3), 0) && !taken(v6(4), 0));
    }

    #[test]
    fn streams_are_bounded_by_client_and_in_all() {
        let clients = clients(false);
        let who = |last| IpAddr::from([192, 0, 2, last]);
        let first = clients.follow(who(1)).expect("first");
        let _second = clients.follow(who(1)).expect("second");
        assert!(matches!(clients.follow(who(1)), Err(ApiError::TooManyStreams { streams: 2, .. })));
        let _third = clients.follow(who(2)).expect("another's");
        assert!(matches!(clients.follow(who(3)), Err(ApiError::TooManyStreams { streams: 3, .. })));
        drop(first);
        assert!(clients.follow(who(3)).is_ok());
    }

    #[test]
    fn a_proxy_names_the_client_only_where_it_is_trusted() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "198.51.100.9, 192.0.2.7".parse().expect("value"));
        let peer = Peer(IpAddr::from([127, 0, 0, 1]));
        assert_eq!(clients(false).who(peer, &headers), peer.0);
        assert_eq!(clients(true).who(peer, &headers), IpAddr::from([192, 0, 2, 7]));
        assert_eq!(clients(true).who(peer, &HeaderMap::new()), peer.0);
    }

    #[test]
    fn a_flood_of_addresses_takes_bounded_memory() {
        let (clients, now) = (clients(false), Instant::now());
        for n in 0..(MOST as u32 + 100) {
            clients.take(IpAddr::from(n.to_be_bytes()), now).expect("each has a bucket");
        }
        assert!(clients.buckets().of.len() <= MOST);
    }
}
