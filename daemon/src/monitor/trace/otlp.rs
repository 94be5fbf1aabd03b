//! Sends spans to a collector, by OTLP over HTTP, from a thread of its own.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use opentelemetry::{
    InstrumentationScope, KeyValue, SpanId, TraceFlags, TraceId,
    trace::{Event, SpanContext, SpanKind, Status, TraceState},
};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor},
};

use super::spans::Span;

/// How long a request to the collector, and what waits at the end, may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What sends.
pub(super) struct Exporter(BatchSpanProcessor);

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").finish_non_exhaustive()
    }
}

impl Exporter {
    pub(super) fn start(address: &str, service: &str) -> Result<Self, String> {
        crate::chain::install_tls();
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(address)
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(PATIENCE)
            .build()
            .map_err(|e| e.to_string())?;
        let mut processor = BatchSpanProcessor::builder(exporter).build();
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder_empty().with_service_name(service.to_owned()).with_attribute(version).build();
        processor.set_resource(&resource);
        Ok(Self(processor))
    }

    /// Queues a span; it is dropped if the queue is full.
    pub(super) fn send(&self, span: Span) {
        self.0.on_end(data(span));
    }

    pub(super) fn close(&self) {
        if let Err(error) = self.0.shutdown_with_timeout(PATIENCE) {
            tracing::warn!("traces: the last spans were not sent: {error}");
        }
    }
}

fn data(span: Span) -> SpanData {
    let text = |(key, value)| KeyValue::new(key, value);
    let happened = |(name, at)| Event::new(name, time(at), vec![], 0);
    let context = |id| {
        let trace = TraceId::from_bytes(span.trace);
        SpanContext::new(trace, SpanId::from_bytes(id), TraceFlags::SAMPLED, false, TraceState::default())
    };
    let mut events = SpanEvents::default();
    events.events = span.events.into_iter().map(happened).collect();
    SpanData {
        span_context: context(span.id),
        parent_span_id: span.parent.map_or(SpanId::INVALID, SpanId::from_bytes),
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: span.name.into(),
        start_time: time(span.from_ms),
        end_time: time(span.to_ms),
        attributes: span.attributes.into_iter().map(text).collect(),
        dropped_attributes_count: 0,
        events,
        links: SpanLinks::default(),
        status: span.error.map_or(Status::Unset, Status::error),
        instrumentation_scope: InstrumentationScope::builder("zugzwang").build(),
    }
}

fn time(ms: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(ms).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpListener,
    };

    use super::super::Traces;
    use crate::{
        chain::types::{Address, U256},
        config::TraceConfig,
        service::{Notice, Subject, log_only},
        store::State,
    };

    /// A collector that takes one request.
    fn collector() -> (String, std::thread::JoinHandle<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        let address = format!("http://{}/v1/traces", listener.local_addr().expect("address"));
        let taken = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a request");
            let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
            loop {
                let read = stream.read(&mut part).expect("bytes");
                bytes.extend_from_slice(&part[..read]);
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let length = text.to_lowercase().split("content-length: ").nth(1).map(str::to_owned);
                let length: usize = length.and_then(|n| n.split("\r\n").next()?.parse().ok()).unwrap_or(usize::MAX);
                let head = bytes.windows(4).position(|at| at == b"\r\n\r\n").map_or(usize::MAX, |at| at + 4);
                if read == 0 || bytes.len() >= head.saturating_add(length) {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").expect("answer");
                    return bytes;
                }
            }
        });
        (address, taken)
    }

    #[test]
    fn a_collector_gets_the_spans_of_an_answer() {
        let (address, taken) = collector();
        let config = TraceConfig { otlp: Some(address), service: "zugzwang-test".into() };
        let traces = Traces::start(&config).expect("exporter").expect("a collector is named");
        let observer = traces.observer(31337, log_only());
        let subject = Subject { app: "oracle", contract: Address::ZERO, id: U256::from(77_777) };
        observer(&Notice::Asked { subject, round: 0 });
        observer(&Notice::Ended { subject, round: 0, state: State::Forfeited, why: "too late by a minute".into() });
        traces.close();
        let request = taken.join().expect("collector");
        for text in
            ["POST /v1/traces", "zugzwang-test", "answer", "oracle", "77777", "forfeited", "too late by a minute"]
        {
            assert!(request.windows(text.len()).any(|at| at == text.as_bytes()), "no {text}");
        }
    }

    #[test]
    fn a_collector_that_is_away_holds_nothing_up() {
        let config = TraceConfig { otlp: Some("http://127.0.0.1:9/v1/traces".into()), service: "z".into() };
        let traces = Traces::start(&config).expect("exporter").expect("a collector is named");
        let observer = traces.observer(1, log_only());
        let subject = Subject { app: "chess", contract: Address::ZERO, id: U256::ONE };
        for round in 0..10_000 {
            observer(&Notice::Ended { subject, round, state: State::Moot, why: String::new() });
        }
        traces.close();
    }
}
