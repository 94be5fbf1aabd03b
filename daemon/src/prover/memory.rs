//! How much memory proofs may take together, and who is next when it is short.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use super::ProveError;
use crate::engine::Priority;

/// Memory that proofs share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Memory {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    limit: u64,
    taken: u64,
    /// Urgent ones first, then in the order in which they came. Nobody is let past the first: a large proof would never fit.
    waiting: BTreeMap<(Priority, u64), (u64, oneshot::Sender<Share>)>,
    next: u64,
}

/// Memory that one proof takes, until it is dropped.
#[derive(Debug)]
pub struct Share {
    bytes: u64,
    memory: Memory,
}

impl Memory {
    /// So many bytes.
    pub fn of(limit: u64) -> Self {
        let state = State { limit, taken: 0, waiting: BTreeMap::new(), next: 0 };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Bytes that all proofs together may take.
    pub fn limit(&self) -> u64 {
        self.lock().limit
    }

    /// Bytes that are taken now.
    pub fn taken(&self) -> u64 {
        self.lock().taken
    }

    /// Takes so many bytes away for good, if at least `least` are then there for proofs; whether it did.
    pub fn keep(&self, bytes: u64, least: u64) -> bool {
        let mut state = self.lock();
        match state.limit.checked_sub(bytes) {
            Some(left) if left >= least => {
                state.limit = left;
                true
            }
            _ => false,
        }
    }

    /// Waits for so many bytes. Dropping the future gives up the place in the queue.
    ///
    /// # Errors
    /// [`ProveError::Memory`] if there are never so many.
    pub async fn take(&self, bytes: u64, priority: Priority, model: &str) -> Result<Share, ProveError> {
        let limit = self.limit();
        if bytes > limit {
            return Err(ProveError::Memory { model: model.to_owned(), needs: bytes, limit });
        }
        let (sender, receiver) = oneshot::channel();
        {
            let mut state = self.lock();
            state.next += 1;
            let place = (priority, state.next);
            state.waiting.insert(place, (bytes, sender));
        }
        self.grant();
        // The sender goes with the last of the memory's owners, of which this is one.
        receiver.await.map_err(|_| ProveError::Stopped)
    }

    /// Serves those who wait, as far as it goes.
    fn grant(&self) {
        loop {
            let mut state = self.lock();
            let Some(first) = state.waiting.first_entry() else { return };
            let (bytes, sender) = first.get();
            let (bytes, gone) = (*bytes, sender.is_closed());
            // More than there is may be asked for if the limit was lowered since: it has it all, then.
            if !gone && state.taken > 0 && bytes > state.limit.saturating_sub(state.taken) {
                return;
            }
            let Some((_, (bytes, sender))) = state.waiting.pop_first() else { return };
            if gone {
                continue;
            }
            state.taken += bytes;
            drop(state);
            // If nobody waits any more, the share comes back here and is given back.
            let _ = sender.send(Share { bytes, memory: self.clone() });
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.memory.lock().taken -= self.bytes;
        self.memory.grant();
    }
}

/// Bytes of memory that this process may take: the least of what the machine has and what its control groups allow. `None`
/// where neither can be read.
pub(super) fn available() -> Option<u64> {
    let read = |path: &Path| std::fs::read_to_string(path).ok();
    available_under(Path::new("/"), &read)
}

fn available_under(root: &Path, read: &dyn Fn(&Path) -> Option<String>) -> Option<u64> {
    let meminfo = read(&root.join("proc/meminfo"));
    let total = meminfo.and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?.trim();
        line.strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
    });
    let groups = read(&root.join("proc/self/cgroup")).unwrap_or_default();
    let limits = groups.lines().flat_map(|line| {
        // `id:controllers:path`; version 2 has one line without controllers.
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let (mount, file) = match controllers {
            "" => ("sys/fs/cgroup", "memory.max"),
            c if c.split(',').any(|c| c == "memory") => ("sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            _ => return Vec::new(),
        };
        // A group is bound by those around it, too. In a container the path is not to be seen, and the root is the container's.
        let inner = root.join(mount).join(path.trim_start_matches('/'));
        let around = inner.ancestors().take_while(|folder| folder.starts_with(root.join(mount)));
        around.filter_map(|folder| read(&folder.join(file))?.trim().parse::<u64>().ok()).collect()
    });
    total.into_iter().chain(limits).min()
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::FutureExt;

    use super::*;

    fn check(files: &[(&str, &str)], expected: Option<u64>) {
        let read =
            |path: &Path| files.iter().find(|(name, _)| Path::new(name) == path).map(|(_, text)| text.to_string());
        assert_eq!(available_under(Path::new("/"), &read), expected, "{files:?}");
    }

    #[test]
    fn the_tightest_limit_counts() {
        let machine = ("/proc/meminfo", "MemFree: 5 kB\nMemTotal:       2048 kB\n");
        check(&[], None);
        check(&[machine], Some(2_097_152));
        let v2 = ("/proc/self/cgroup", "0::/system.slice/zugzwang.service\n");
        check(&[machine, v2, ("/sys/fs/cgroup/system.slice/zugzwang.service/memory.max", "max\n")], Some(2_097_152));
        check(&[machine, v2, ("/sys/fs/cgroup/system.slice/zugzwang.service/memory.max", "4096\n")], Some(4096));
        check(&[machine, v2, ("/sys/fs/cgroup/system.slice/memory.max", "8192\n")], Some(8192));
        check(&[machine, ("/proc/self/cgroup", "0::/\n"), ("/sys/fs/cgroup/memory.max", "5000\n")], Some(5000));
        let v1 = ("/proc/self/cgroup", "5:cpu,cpuacct:/a\n4:memory:/docker/b\n0::/\n");
        check(&[machine, v1, ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "6000\n")], Some(6000));
        // A version 1 group without a limit has one of exabytes.
        check(
            &[machine, v1, ("/sys/fs/cgroup/memory/docker/b/memory.limit_in_bytes", "9223372036854771712")],
            Some(2_097_152),
        );
    }

    #[tokio::test]
    async fn memory_goes_to_the_urgent_first_and_then_in_order() {
        let memory = Memory::of(100);
        let all = memory.take(100, Priority::Normal, "a").await.expect("all of it");
        // A small one that comes later doesn't get past a large one.
        let mut large = pin!(memory.take(90, Priority::Normal, "large"));
        let mut small = pin!(memory.take(5, Priority::Normal, "small"));
        let mut urgent = pin!(memory.take(100, Priority::Urgent, "urgent"));
        assert!(large.as_mut().now_or_never().is_none());
        assert!(small.as_mut().now_or_never().is_none());
        assert!(urgent.as_mut().now_or_never().is_none());
        drop(all);
        assert!(large.as_mut().now_or_never().is_none() && small.as_mut().now_or_never().is_none());
        drop(urgent.await.expect("urgent"));
        let (large, small) = (large.await.expect("large"), small.await.expect("small"));
        assert_eq!(memory.taken(), 95);
        drop((large, small));
        assert_eq!(memory.taken(), 0);
    }

    #[tokio::test]
    async fn who_gives_up_waiting_holds_nothing_up() {
        let memory = Memory::of(100);
        let all = memory.take(100, Priority::Normal, "a").await.expect("all of it");
        assert!(memory.take(100, Priority::Urgent, "gone").now_or_never().is_none());
        let mut next = pin!(memory.take(60, Priority::Normal, "next"));
        assert!(next.as_mut().now_or_never().is_none());
        drop(all);
        drop(next.await.expect("memory"));
        assert_eq!(memory.taken(), 0);
        let refused = memory.take(101, Priority::Urgent, "huge").await.expect_err("too much");
        assert!(refused.to_string().contains("huge"), "{refused}");
    }
}
