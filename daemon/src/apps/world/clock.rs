//! Decides what becomes of a voting window, and when the game is looked at again. Pure.
//!
//! A window's end may be put off while it is open, so that a look that comes too early only names the time of the next one.

/// Seconds until a game is looked at again that something unusual holds up.
const LATER: u64 = 60;
/// Seconds until a window that is over is looked at again while a transaction about its game is under way. It may be that of
/// the round before, which counts as under way until it is final.
const SOON: u64 = 5;

/// How a game stands on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// It has ended, perhaps in a block that isn't confirmed yet.
    pub(super) ended: bool,
    /// It is one of those that this daemon plays.
    pub(super) ours: bool,
    /// It is the World's turn.
    pub(super) world_to_move: bool,
    /// Somebody has voted in this window.
    pub(super) voted: bool,
    /// Unix time until which the side to move may move.
    pub(super) deadline: u64,
}

/// What this daemon does at the end of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Duties {
    /// Rounds with votes are closed.
    pub(super) close: bool,
    /// Games without votes are claimed.
    pub(super) claim: bool,
}

/// What to do with a game.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// No more looks, unless an event asks for one.
    Never,
    /// Look again when the chain's clock shows this.
    At(u64),
    /// Play the leading move.
    Close,
    /// Claim that the World's time is up.
    Claim,
}

/// Decides about a game at the time of the chain's newest block. `sent` says whether an earlier order is under way.
pub(super) fn look(standing: &Standing, duties: Duties, sent: bool, now: u64) -> Look {
    let Standing { ended, ours, world_to_move, voted, deadline } = *standing;
    let expired = now > deadline;
    let due = if voted { duties.close } else { duties.claim };
    if !ours {
        Look::Never
    } else if !ended && !expired {
        Look::At(deadline.saturating_add(1))
    } else if ended || !world_to_move || !due {
        // The end may still be undone; what others are to do, they do when they like.
        Look::At(later(now))
    } else if sent {
        Look::At(now.saturating_add(SOON))
    } else if voted {
        Look::Close
    } else {
        Look::Claim
    }
}

/// Whether an order that is under way is still right: in a window that is open again, after a reorganisation or because the
/// round was closed by another, it would be refused, or worse, hit the next round.
pub(super) fn holds(standing: &Standing, now: u64) -> bool {
    standing.ours && !standing.ended && standing.world_to_move && now > standing.deadline
}

/// When to look again at what doesn't go as it should.
pub(super) fn later(now: u64) -> u64 {
    now.saturating_add(LATER)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Duties = Duties { close: true, claim: true };
    const OPEN: Standing = Standing { ended: false, ours: true, world_to_move: true, voted: true, deadline: 1000 };

    #[test]
    fn windows_are_ended_when_they_are_over() {
        let silent = Standing { voted: false, ..OPEN };
        let npcs = Standing { world_to_move: false, ..OPEN };
        let neither = Duties { close: false, claim: false };
        let cases = [
            ("the window is open", OPEN, BOTH, false, 10, Look::At(1001)),
            ("the last second counts", OPEN, BOTH, false, 1000, Look::At(1001)),
            ("the window is over", OPEN, BOTH, false, 1001, Look::Close),
            ("over without votes", silent, BOTH, false, 1001, Look::Claim),
            ("an order is under way", OPEN, BOTH, true, 1001, Look::At(1006)),
            ("that of the last round is", OPEN, BOTH, true, 10, Look::At(1001)),
            ("it has ended", Standing { ended: true, ..OPEN }, BOTH, false, 1001, Look::At(1061)),
            ("another host's", Standing { ours: false, ..OPEN }, BOTH, false, 1001, Look::Never),
            ("the NPC has time", npcs, BOTH, false, 10, Look::At(1001)),
            ("the NPC's time is up", npcs, BOTH, false, 1001, Look::At(1061)),
            ("others close", OPEN, Duties { close: false, ..BOTH }, false, 1001, Look::At(1061)),
            ("others claim", silent, Duties { claim: false, ..BOTH }, false, 1001, Look::At(1061)),
            ("no duties, an open window", OPEN, neither, false, 10, Look::At(1001)),
            ("a clock without end", Standing { deadline: u64::MAX, ..OPEN }, BOTH, false, u64::MAX, Look::At(u64::MAX)),
        ];
        for (what, standing, duties, sent, now, expected) in cases {
            assert_eq!(look(&standing, duties, sent, now), expected, "{what}");
        }
    }

    #[test]
    fn orders_hold_while_the_window_is_over() {
        assert!(holds(&OPEN, 1001) && holds(&Standing { voted: false, ..OPEN }, 1001));
        assert!(!holds(&OPEN, 1000), "the next window is open");
        for gone in [Standing { ended: true, ..OPEN }, Standing { world_to_move: false, ..OPEN }] {
            assert!(!holds(&gone, 1001), "{gone:?}");
        }
    }
}
