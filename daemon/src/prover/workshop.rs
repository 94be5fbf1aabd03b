//! Where proofs are made: in this process, or by a fleet. The service knows the trait alone.

use std::{any::Any, fmt, pin::Pin, sync::Arc, time::Duration};

use tokio::sync::watch;
use zugzwang_circuits::graph::Tensor;

use super::{Phase, Proof, Prove, ProveError};
use crate::engine::Priority;

/// A place where proofs are made.
///
/// First comes a [`Place`], which costs nothing and is given back when it is dropped; then, once it is known what is to be
/// proven, the proof. A workshop reports what its user should know, and ends each proof in one of four ways: made and
/// verified, failed, stopped because its [`Ticket`] was cancelled, or out of its time.
pub trait Workshop: Send + Sync + fmt::Debug {
    /// A place for one more proof, if there is one now. Urgent proofs have one that nothing else takes.
    fn admit(&self, priority: Priority) -> Option<Place>;

    /// Makes a proof, and verifies it against everything that is known of it here: request, input and outputs.
    fn prove(&self, place: Place, order: Order, ticket: Ticket, tell: Tell) -> Making;

    /// The machines beyond this one that make proofs for it.
    fn workers(&self) -> Vec<crate::fleet::Presence> {
        vec![]
    }
}

/// A proof under way.
pub type Making = Pin<Box<dyn Future<Output = Result<Made, ProveError>> + Send>>;

/// Hears how a proof is getting on.
pub type Tell = Arc<dyn Fn(Progress) + Send + Sync>;

/// How a proof is getting on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It has come to this.
    Phase(Phase),
    /// The operator should know.
    Trouble(String),
}

/// What is to be proven.
#[derive(Clone, Debug)]
pub struct Order {
    /// The model.
    pub prover: Arc<dyn Prove>,
    /// Its input.
    pub input: Tensor,
    /// What binds the proof to the question and to the submitter.
    pub request: [u8; 32],
    /// What goes first.
    pub priority: Priority,
}

/// A proof that was verified here.
#[derive(Clone, Debug)]
pub struct Made {
    /// The proof.
    pub proof: Proof,
    /// How long it took whoever made it.
    pub took: Duration,
    /// The worker that made it; `None` for this process.
    pub worker: Option<String>,
}

/// A place in a workshop, until it is dropped.
pub struct Place(#[allow(dead_code, reason = "what it holds matters when it is dropped")] Box<dyn Any + Send>);

impl Place {
    /// A place that lasts as long as `held` does.
    pub fn holding(held: impl Send + 'static) -> Self {
        Self(Box::new(held))
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Place")
    }
}

/// A proof that somebody waits for. One that isn't waited for any more ends as its next phase begins; nothing can stop it
/// within one.
#[derive(Clone, Debug)]
pub struct Ticket(Arc<watch::Sender<Wish>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Wanted,
    /// This process goes; the proof is asked for again by the next.
    Left,
    /// Nobody needs it.
    Cancelled,
}

impl Default for Ticket {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Wish::Wanted)))
    }
}

impl Ticket {
    /// The result isn't wanted any more, by anybody.
    pub fn cancel(&self) {
        self.0.send_replace(Wish::Cancelled);
    }

    /// This process waits no more. A fleet goes on with it, so that the result is there when the process is back.
    pub fn leave(&self) {
        self.0.send_if_modified(|wish| {
            let was_wanted = *wish == Wish::Wanted;
            if was_wanted {
                *wish = Wish::Left;
            }
            was_wanted
        });
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow() == Wish::Cancelled
    }

    /// Whether it is waited for.
    pub fn is_wanted(&self) -> bool {
        *self.0.borrow() == Wish::Wanted
    }

    /// Waits until it isn't waited for any more.
    pub async fn left(&self) {
        // The sender lives as long as this ticket.
        let _ = self.0.subscribe().wait_for(|wish| *wish != Wish::Wanted).await;
    }
}
