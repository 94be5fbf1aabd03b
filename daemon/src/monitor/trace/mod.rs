//! Traces: one for each question, from the moment it was seen to the block with its answer, with a span for each thing that took
//! time. A question's ids are made of what it is about, so that what a second process adds after a restart joins the same trace.

mod otlp;
mod spans;

use std::sync::{Arc, Mutex, PoisonError};

use self::{otlp::Exporter, spans::Spans};
use crate::{clock::Clock, config::TraceConfig, service::Observer};

/// The traces of a process.
#[derive(Clone, Debug)]
pub struct Traces(Arc<Exporter>);

impl Traces {
    /// Starts what sends spans; nothing if no collector is named. A collector that can't be reached holds nothing up.
    ///
    /// # Errors
    /// In words, if the exporter can't be made.
    pub fn start(config: &TraceConfig) -> Result<Option<Self>, String> {
        let Some(address) = &config.otlp else { return Ok(None) };
        Exporter::start(address, &config.service).map(|exporter| Some(Self(Arc::new(exporter))))
    }

    /// Listens to one chain's daemon, and passes on to who listened before.
    pub fn observer(&self, chain_id: u64, next: Observer) -> Observer {
        let (exporter, clock) = (self.0.clone(), Clock::system());
        let spans = Mutex::new(Spans::new(chain_id));
        Arc::new(move |notice| {
            let done = spans.lock().unwrap_or_else(PoisonError::into_inner).hear(notice, clock.now_ms());
            for span in done {
                exporter.send(span);
            }
            next(notice);
        })
    }

    /// Sends what waits.
    pub fn close(&self) {
        self.0.close();
    }
}
