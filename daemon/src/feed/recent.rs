//! A set of hashes with a limit: what was seen lately.

use std::collections::{HashSet, VecDeque};

use crate::chain::types::B256;

/// The last `most` hashes that were put in. More of them push out the oldest.
#[derive(Debug)]
pub(super) struct Recent {
    most: usize,
    order: VecDeque<B256>,
    known: HashSet<B256>,
}

impl Recent {
    /// An empty set.
    pub(super) fn new(most: usize) -> Self {
        Self { most, order: VecDeque::new(), known: HashSet::new() }
    }

    /// Puts a hash in; says whether it was new.
    pub(super) fn insert(&mut self, hash: B256) -> bool {
        if !self.known.insert(hash) {
            return false;
        }
        self.order.push_back(hash);
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut recent = Recent::new(2);
        let inserted = [1, 1, 2, 1, 3, 1, 3, 2].map(|byte| recent.insert(B256::repeat_byte(byte)));
        assert_eq!(inserted, [true, false, true, false, true, true, false, true]);
        assert_eq!((recent.order.len(), recent.known.len()), (2, 2));
    }
}
