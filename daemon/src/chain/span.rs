//! How many blocks one query for logs may span: fewer when a node refuses, more again while it doesn't. Pure.

/// An adaptive number of blocks.
#[derive(Clone, Debug)]
pub struct Span {
    now: u64,
    most: u64,
    /// The least that was refused, which is come near to with care.
    refused: u64,
    /// Queries that were answered since then.
    answered: u32,
}

/// So many queries are answered before what was refused is tried again.
const CALM: u32 = 16;

/// So many blocks are not what a node breaks over.
const FEW: u64 = 32;

impl Span {
    /// Starts with the most that the configuration allows.
    pub fn new(most: u64) -> Self {
        let most = most.max(1);
        Self { now: most, most, refused: u64::MAX, answered: 0 }
    }

    /// Blocks of the next query; at least 1.
    pub fn blocks(&self) -> u64 {
        self.now
    }

    /// So many were too many; whether fewer are possible.
    pub fn refuse(&mut self, blocks: u64) -> bool {
        self.refused = blocks.max(1);
        self.now = (blocks / 2).max(1);
        self.answered = 0;
        blocks > 1
    }

    /// The node broke over so many. It may have been their number; it wasn't if they were few.
    pub fn doubt(&mut self, blocks: u64) {
        if blocks > FEW {
            self.now = (blocks / 2).max(FEW);
        }
    }

    /// So many were answered. Grows fast while far below what was refused, and slowly near it.
    pub fn accept(&mut self, blocks: u64) {
        // The short query at the end of a gap says nothing of longer ones.
        if blocks < self.now {
            return;
        }
        self.answered = self.answered.saturating_add(1);
        let step = if self.now < self.refused / 4 { self.now } else { (self.now / 16).max(1) };
        let next = self.now.saturating_add(step).min(self.most);
        if next < self.refused || self.answered >= CALM {
            self.now = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads so many blocks from a node that answers at most `limit` at once; queries answered and refused.
    fn read(most: u64, limit: u64, mut blocks: u64) -> (u64, u64) {
        let (mut span, mut answered, mut refused) = (Span::new(most), 0, 0);
        while blocks > 0 {
            let asked = span.blocks().min(blocks);
            if asked > limit {
                assert!(span.refuse(asked), "a limit of {limit} is below one block");
                refused += 1;
            } else {
                span.accept(asked);
                blocks -= asked;
                answered += 1;
            }
        }
        (answered, refused)
    }

    #[test]
    fn it_finds_the_limit_and_stays_near_it() {
        for (most, limit, blocks) in [(1000, 1000, 50_000), (1000, 10, 5_000), (10_000, 800, 100_000), (1000, 1, 500)] {
            let (answered, refused) = read(most, limit, blocks);
            let least = blocks.div_ceil(limit);
            assert!(answered <= 2 * least + 20, "{most} {limit}: {answered} queries, {least} would do");
            assert!(refused <= answered / 4 + 15, "{most} {limit}: {refused} refusals in {answered} queries");
        }
        assert_eq!(read(1000, 1000, 50_000), (50, 0));
    }

    #[test]
    fn one_block_that_is_refused_is_said_to_be_the_end() {
        let mut span = Span::new(4);
        assert!(span.refuse(4));
        assert!(span.refuse(2));
        assert!(!span.refuse(1));
        assert_eq!(span.blocks(), 1);
    }

    #[test]
    fn a_node_that_breaks_at_random_is_not_read_block_by_block() {
        let mut span = Span::new(1000);
        for _ in 0..100 {
            span.doubt(span.blocks());
        }
        assert_eq!(span.blocks(), FEW);
        for _ in 0..4 {
            span.accept(span.blocks());
            span.doubt(1);
        }
        assert_eq!(span.blocks(), 16 * FEW);
    }

    #[test]
    fn it_grows_again_after_a_bad_time() {
        let mut span = Span::new(1000);
        span.refuse(2);
        let mut queries = 0;
        while span.blocks() < 1000 {
            span.accept(span.blocks());
            queries += 1;
        }
        assert!(queries < 120, "{queries}");
    }
}
