//! What is called around each commit, so that a test can cut the power there.

use std::{fmt, pin::Pin, sync::Arc};

/// A moment of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// All has been written, nothing of it is durable.
    BeforeCommit,
    /// All of it is durable, nobody has been told.
    AfterCommit,
}

type Called = dyn Fn(Moment) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

/// Called, and waited for, before and after each commit; by default nothing is. A hook that never finishes is a power cut: a
/// daemon that waits for it does nothing more, and once it is dropped, what wasn't committed is gone.
#[derive(Clone, Default)]
pub struct CommitHook(Option<Arc<Called>>);

impl CommitHook {
    /// A hook that calls this.
    pub fn new<F>(call: impl Fn(Moment) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self(Some(Arc::new(move |moment| Box::pin(call(moment)))))
    }

    pub(super) async fn at(&self, moment: Moment) {
        if let Some(call) = &self.0 {
            call(moment).await;
        }
    }
}

impl fmt::Debug for CommitHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "CommitHook(set)" } else { "CommitHook(none)" })
    }
}
