// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Board} from "./Board.sol";

/// @title Names of moves
/// @notice Turns the network's move indices into move words, and move words between the mover's and White's view.
library MoveCode {
    /// @notice One more than the largest move index: 73 planes of 64 squares.
    uint256 internal constant INDICES = 4672;

    /// @notice How many moves a ranking holds, and the bits each takes.
    uint256 internal constant RANKED = 16;
    uint256 internal constant BITS = 13;

    /// @dev File and rank steps plus 2, a nibble each: the eight directions, then the eight knight's moves.
    uint256 private constant FILE_STEPS = 0x1001344311123332;
    uint256 private constant RANK_STEPS = 0x4310013432111233;

    /// @dev Every second field of a ranking: all its bits; the summand that carries an index that is too large
    /// into the bit above the field; that bit.
    uint256 private constant FIELDS = 0x0007ffc001fff0007ffc001fff0007ffc001fff0007ffc001fff;
    uint256 private constant EXCESS = 0x0003700000dc00003700000dc00003700000dc00003700000dc0;
    uint256 private constant CARRY = 0x0008000002000000800000200000080000020000008000002000;

    /// @notice Whether a ranking is 16 move indices and nothing else.
    function wellFormed(uint256 ranking) internal pure returns (bool) {
        unchecked {
            uint256 even = (ranking & FIELDS) + EXCESS;
            uint256 odd = ((ranking >> BITS) & FIELDS) + EXCESS;
            return ranking >> (RANKED * BITS) == 0 && (even | odd) & CARRY == 0;
        }
    }

    /// @notice The move word that a move index stands for on this board, both seen from the mover.
    /// @return move Zero, which is never a legal move, if the index leads off the board.
    function fromIndex(uint256 board, uint256 index) internal pure returns (uint256 move) {
        unchecked {
            uint256 from = index & 63;
            uint256 plane = index >> 6;
            uint256 step;
            uint256 distance = 1;
            uint256 promotion;
            uint256 file;
            uint256 rank;
            if (plane < 56) {
                step = (plane / 7) << 2;
                distance = plane % 7 + 1;
            } else if (plane < 64) {
                step = (plane - 48) << 2;
            } else {
                // Under-promotions go from the seventh rank only.
                if (from >> 3 != 6) return 0;
                promotion = (plane - 64) % 3 + 2;
                file = (from & 7) + (plane - 64) / 3 - 1;
                return file > 7 ? 0 : from | ((56 + file) << 6) | (promotion << 12);
            }
            // Both wrap around below zero.
            file = (from & 7) + distance * (((FILE_STEPS >> step) & 15) - 2);
            rank = (from >> 3) + distance * (((RANK_STEPS >> step) & 15) - 2);
            if (file > 7 || rank > 7) return 0;
            if (rank == 7 && Board.at(board, from) == Board.PAWN) promotion = Board.QUEEN;
            return from | (((rank << 3) | file) << 6) | (promotion << 12);
        }
    }

    /// @notice The move word seen from the other side: ranks flipped, if `ply` is odd (Black moves).
    /// @dev Its own inverse. Leaves bits above 11 alone.
    function flipped(uint256 move, uint256 ply) internal pure returns (uint256) {
        return move ^ ((ply & 1) * 0xe38);
    }
}
