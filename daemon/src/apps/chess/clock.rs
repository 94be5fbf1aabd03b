//! Decides when a game is looked at, and whether it is claimed for its human's silence. Pure.
//!
//! Events only say that a game is worth a look; what is true of it is read from the chain at that moment. A look that
//! finds nothing to do names the time of the next one, so that neither a restart nor a reorganisation loses a game.

/// Seconds until a game is looked at again that something unusual holds up.
const LATER: u64 = 60;

/// How a game stands on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// It has ended, perhaps in a block that isn't confirmed yet.
    pub ended: bool,
    /// It is one of those that this daemon plays.
    pub ours: bool,
    /// It is the human's turn.
    pub human_to_move: bool,
    /// Unix time until which the side to move may move.
    pub deadline: u64,
    /// A claim of ours is under way.
    pub claimed: bool,
}

/// What to do with a game.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// No more looks, unless an event asks for one.
    Never,
    /// Look again when the chain's clock shows this.
    At(u64),
    /// Claim that the human's time is up.
    Claim,
}

/// Decides about a game at the time of the chain's newest block.
pub fn look(standing: &Standing, now: u64) -> Look {
    let Standing { ended, ours, human_to_move, deadline, claimed } = *standing;
    let expired = now > deadline;
    if !ours {
        Look::Never
    } else if ended || claimed || (expired && !human_to_move) {
        // The end or our claim may still be undone, and a human who doesn't claim the NPC's lost time leaves the game
        // as it is.
        Look::At(later(now))
    } else if expired {
        Look::Claim
    } else {
        Look::At(deadline.saturating_add(1))
    }
}

/// Whether a claim that is under way is still right. One that comes to be mined after the human has moved, in blocks that
/// took the place of those that it was made for, would wait until it hit the NPC's own time.
pub fn holds(standing: &Standing) -> bool {
    standing.ours && !standing.ended && standing.human_to_move
}

/// When to look again at what doesn't go as it should.
pub fn later(now: u64) -> u64 {
    now.saturating_add(LATER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_silent_human_is_claimed_against() {
        let waiting = Standing { ended: false, ours: true, human_to_move: true, deadline: 1000, claimed: false };
        let cases = [
            ("the human has time", waiting, 10, Look::At(1001)),
            ("the deadline's own second counts", waiting, 1000, Look::At(1001)),
            ("the human's time is up", waiting, 1001, Look::Claim),
            ("a claim is under way", Standing { claimed: true, ..waiting }, 1001, Look::At(1061)),
            ("somebody ended it", Standing { ended: true, ..waiting }, 1001, Look::At(1061)),
            ("another host's", Standing { ours: false, ..waiting }, 1001, Look::Never),
            ("the NPC has time", Standing { human_to_move: false, ..waiting }, 10, Look::At(1001)),
            ("the NPC's time is up", Standing { human_to_move: false, ..waiting }, 1001, Look::At(1061)),
            ("a clock without end", Standing { deadline: u64::MAX, ..waiting }, u64::MAX, Look::At(u64::MAX)),
        ];
        for (what, standing, now, expected) in cases {
            assert_eq!(look(&standing, now), expected, "{what}");
        }
        assert!(holds(&Standing { claimed: true, ..waiting }));
        for gone in [Standing { ended: true, ..waiting }, Standing { human_to_move: false, ..waiting }] {
            assert!(!holds(&gone), "{gone:?}");
        }
    }
}
