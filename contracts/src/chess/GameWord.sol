// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice How a game stands. Three outcomes, so that a draw can't pass for a win.
enum Outcome {
    Running,
    HumanWon,
    NpcWon,
    Draw
}

/// @notice Why a game ended.
enum Reason {
    None,
    Checkmate,
    Stalemate,
    Resignation,
    Timeout,
    FiftyMoves,
    Threefold,
    InsufficientMaterial,
    SeventyFiveMoves,
    NoLegalChoice
}

/// @title All of a running game but its board, in one word
/// @notice Read and written with each move, so that a move changes two slots: this one and the board.
/// @dev
///   bits 0 to 31     the rules library's state: rights, en-passant file, half-move clock, ply
///   bits 32 to 65    deadline of the move in progress, in seconds since 1970
///   bits 66 to 87    seconds per move
///   bit 88           1 if the human plays Black
///   bits 89 to 90    `Outcome`
///   bits 91 to 94    `Reason`
///   bit 95           always 0
///   bits 96 to 255   the verifier's address
library GameWord {
    /// @notice The largest time limit per move, in seconds.
    uint256 internal constant MAX_MOVE_TIME = (1 << 22) - 1;

    /// @dev Everything that a move leaves as it is.
    uint256 private constant FIXED = type(uint256).max << 66;

    /// @notice A new game's word, before the first move.
    function create(address verifier_, uint256 moveTime_, bool humanIsBlack) internal view returns (uint256 word) {
        word = (uint256(uint160(verifier_)) << 96) | (moveTime_ << 66) | 15;
        if (humanIsBlack) word |= 1 << 88;
        return afterMove(word, word);
    }

    /// @notice The word after a move, with the clock of the other side running from now.
    function afterMove(uint256 word, uint256 nextState) internal view returns (uint256) {
        return afterMove(word, nextState, moveTime(word));
    }

    /// @notice The same, if the other side has `time` seconds instead of those of the word.
    function afterMove(uint256 word, uint256 nextState, uint256 time) internal view returns (uint256) {
        unchecked {
            uint256 deadline_ = (block.timestamp + time) & ((1 << 34) - 1);
            return (word & FIXED) | (deadline_ << 32) | (nextState & 0xffffffff);
        }
    }

    /// @notice The word with another deadline for the move in progress, in seconds since 1970.
    function withDeadline(uint256 word, uint256 deadline_) internal pure returns (uint256) {
        return (word & ~(((uint256(1) << 34) - 1) << 32)) | (deadline_ << 32);
    }

    /// @notice The word after the end of the game.
    function ended(uint256 word, Outcome outcome_, Reason reason_) internal pure returns (uint256) {
        return word | (uint256(outcome_) << 89) | (uint256(reason_) << 91);
    }

    function state(uint256 word) internal pure returns (uint256) {
        return word & 0xffffffff;
    }

    function clock(uint256 word) internal pure returns (uint256) {
        return (word >> 8) & 0xff;
    }

    function ply(uint256 word) internal pure returns (uint256) {
        return (word >> 16) & 0xffff;
    }

    function deadline(uint256 word) internal pure returns (uint256) {
        return (word >> 32) & ((1 << 34) - 1);
    }

    function moveTime(uint256 word) internal pure returns (uint256) {
        return (word >> 66) & MAX_MOVE_TIME;
    }

    function humanIsWhite(uint256 word) internal pure returns (bool) {
        return word & (1 << 88) == 0;
    }

    /// @notice Whether the human is to move: White moves at even plies.
    function humanToMove(uint256 word) internal pure returns (bool) {
        return ((word >> 88) ^ (word >> 16)) & 1 == 0;
    }

    function outcome(uint256 word) internal pure returns (Outcome) {
        return Outcome((word >> 89) & 3);
    }

    function reason(uint256 word) internal pure returns (Reason) {
        return Reason((word >> 91) & 15);
    }

    function verifier(uint256 word) internal pure returns (address) {
        return address(uint160(word >> 96));
    }
}
