//! The markets of a contract, as its history tells of them. Pure.

use std::{collections::BTreeMap, sync::Arc};

use super::{Terms, contract::Told};
use crate::{
    apps::history::Chapter,
    chain::types::{B256, U256},
};

/// Stands for "no class decides nothing" in a market's terms.
const NONE: u8 = 255;

/// A market with what happened to it.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) terms: Terms,
    /// Wei on each class.
    pools: BTreeMap<u8, U256>,
    pub(super) end: Option<End>,
}

/// How a market ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// A bulletin decided it, in this transaction and block.
    Decided { class: u8, margin: U256, tx: B256, block: u64 },
    /// Nothing did.
    Undecided,
}

/// All markets of a contract by their numbers.
pub(super) fn read(history: &[Arc<Chapter<Told>>]) -> BTreeMap<U256, Page> {
    let mut book: BTreeMap<U256, Page> = BTreeMap::new();
    for chapter in history {
        match &chapter.event {
            Told::Opened { market, terms } => {
                book.insert(*market, Page { terms: terms.clone(), pools: BTreeMap::new(), end: None });
            }
            Told::Bet { market, outcome, wei } => {
                if let Some(page) = book.get_mut(market) {
                    let pool = page.pools.entry(*outcome).or_default();
                    *pool = pool.saturating_add(*wei);
                }
            }
            Told::Resolved { market, class, margin } => {
                if let Some(page) = book.get_mut(market) {
                    let (class, margin, tx, block) = (*class, *margin, chapter.tx, chapter.block);
                    page.end = Some(End::Decided { class, margin, tx, block });
                }
            }
            Told::Undecided { market } => {
                if let Some(page) = book.get_mut(market) {
                    page.end = Some(End::Undecided);
                }
            }
        }
    }
    book
}

impl Page {
    /// The classes on which can be bet.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = u8> {
        let no_result = self.terms.no_result;
        (0..self.terms.classes).filter(move |class| *class != no_result)
    }

    /// The class that decides nothing, if there is one.
    pub(super) fn no_result(&self) -> Option<u8> {
        Some(self.terms.no_result).filter(|class| *class != NONE)
    }

    /// What was bet on an outcome, in wei.
    pub(super) fn pool(&self, class: u8) -> U256 {
        self.pools.get(&class).copied().unwrap_or_default()
    }

    /// What was bet on all of them, in wei.
    pub(super) fn total(&self) -> U256 {
        self.pools.values().fold(U256::ZERO, |total, pool| total.saturating_add(*pool))
    }

    /// Whether everybody gets their bets back: nothing was decided, or nobody was right.
    pub(super) fn refunds(&self) -> bool {
        match self.end {
            None => false,
            Some(End::Undecided) => true,
            Some(End::Decided { class, .. }) => self.pool(class).is_zero(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::types::Address;

    fn terms(no_result: u8) -> Terms {
        Terms {
            publisher: Address::ZERO,
            feed_id: B256::ZERO,
            sequence: 1,
            close: 100,
            deadline: 200,
            verifier: Address::ZERO,
            model_id: B256::ZERO,
            min_margin: 5,
            classes: 4,
            no_result,
            question: "?".into(),
        }
    }

    fn check(events: Vec<Told>, pools: &[(u8, u64)], refunds: bool) {
        let market = U256::from(1);
        let mut all = vec![Told::Opened { market, terms: terms(3) }];
        all.extend(events);
        let history: Vec<_> = (1u64..)
            .zip(all)
            .map(|(block, event)| Arc::new(Chapter { block, time: None, tx: B256::with_last_byte(block as u8), event }))
            .collect();
        let book = read(&history);
        let page = &book[&market];
        let found: Vec<_> = page.outcomes().map(|class| (class, page.pool(class))).collect();
        let expected: Vec<_> = pools.iter().map(|(class, wei)| (*class, U256::from(*wei))).collect();
        assert_eq!((found, page.refunds()), (expected, refunds));
        assert_eq!(page.total(), pools.iter().map(|(_, wei)| U256::from(*wei)).sum::<U256>());
    }

    #[test]
    fn pools_and_refunds_follow_the_history() {
        let market = U256::from(1);
        let bet = |outcome, wei| Told::Bet { market, outcome, wei: U256::from(wei) };
        let resolved = |class| Told::Resolved { market, class, margin: U256::from(9) };
        check(vec![bet(0, 5), bet(2, 7), bet(0, 1)], &[(0, 6), (1, 0), (2, 7)], false);
        check(vec![bet(0, 5), resolved(0)], &[(0, 5), (1, 0), (2, 0)], false);
        check(vec![bet(0, 5), resolved(1)], &[(0, 5), (1, 0), (2, 0)], true);
        check(vec![bet(0, 5), resolved(3)], &[(0, 5), (1, 0), (2, 0)], true);
        check(vec![bet(0, 5), Told::Undecided { market }], &[(0, 5), (1, 0), (2, 0)], true);
        // One of a market whose opening isn't known changes nothing.
        let other = Told::Bet { market: U256::from(9), outcome: 0, wei: U256::from(1) };
        check(vec![other], &[(0, 0), (1, 0), (2, 0)], false);
    }

    #[test]
    fn a_market_may_have_no_class_that_decides_nothing() {
        let page = Page { terms: terms(NONE), pools: BTreeMap::new(), end: None };
        assert_eq!((page.outcomes().count(), page.no_result()), (4, None));
    }
}
