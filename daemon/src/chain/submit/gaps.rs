//! Whether the account's nonce and ours go together. Pure.

/// Most nonces that are filled by payments; more of them are an error somewhere, not lost transactions.
const MOST: usize = 16;

/// What is between the account's nonce and our unmined transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gap {
    /// Nothing is missing.
    None,
    /// These nonces are nobody's, so that what is above them can't be mined.
    Fill(Vec<u64>),
    /// So many are missing that whatever said our first nonce was wrong: what has this nonce or a higher one gets another.
    Renumber {
        /// The first nonce that is too high.
        from: u64,
    },
}

/// Compares the account's nonce at the head with `ours`, the nonces from there on that are ours in any way but dropped, and
/// `unmined`, those of them that wait for a block.
pub fn gap(chain_nonce: u64, ours: &[u64], unmined: &[u64]) -> Gap {
    let Some(top) = unmined.iter().max() else { return Gap::None };
    let mut missing = Vec::new();
    let mut expected = chain_nonce;
    let mut ours: Vec<u64> = ours.iter().copied().filter(|nonce| *nonce >= chain_nonce && nonce <= top).collect();
    ours.sort_unstable();
    for nonce in ours {
        if usize::try_from(nonce.saturating_sub(expected)).map_or(true, |more| missing.len() + more > MOST) {
            return Gap::Renumber { from: nonce };
        }
        missing.extend(expected..nonce);
        expected = nonce.saturating_add(1);
    }
    if missing.is_empty() { Gap::None } else { Gap::Fill(missing) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_that_was_never_given_back_is_found_in_both_directions() {
        let cases: [(u64, &[u64], &[u64], Gap); 11] = [
            (5, &[], &[], Gap::None),
            (5, &[5, 6], &[5, 6], Gap::None),
            // Ours is in a block that this node doesn't count yet.
            (5, &[5, 6], &[6], Gap::None),
            // The chain is ahead of ours: each is looked for by its own hashes, nothing is filled.
            (9, &[], &[5, 6], Gap::None),
            (6, &[6], &[5, 6], Gap::None),
            // Below ours something is missing.
            (5, &[6], &[6], Gap::Fill(vec![5])),
            (5, &[7, 8], &[7, 8], Gap::Fill(vec![5, 6])),
            (5, &[5, 8], &[5, 8], Gap::Fill(vec![6, 7])),
            // What was final and is not counted any more is sent again by whoever follows it.
            (5, &[5, 6, 7], &[7], Gap::None),
            (0, &[17], &[17], Gap::Renumber { from: 17 }),
            (5, &[5, 1_000_000], &[5, 1_000_000], Gap::Renumber { from: 1_000_000 }),
        ];
        for (chain_nonce, ours, unmined, expected) in cases {
            assert_eq!(gap(chain_nonce, ours, unmined), expected, "{chain_nonce} {ours:?} {unmined:?}");
        }
    }
}
