// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Board, ONES, NOT_A, NOT_H} from "./Board.sol";

/// @dev Seven or eight squares in one line, 7, 8 or 9 apart, starting from square 0; and the squares of a row.
uint256 constant STEP_7 = 0x0000000000000000000001000000100000010000001000000100000010000001;
uint256 constant STEP_8 = 0x0000000100000001000000010000000100000001000000010000000100000001;
uint256 constant STEP_9 = 0x0000000001000000001000000001000000001000000001000000001000000001;
uint256 constant ROW = 0x11111111;

/// @title Attacks on a one-word board
/// @notice Tells whether, and from where, the opponent attacks a square.
/// @dev Rays need no loop. Towards higher squares the first piece on a ray is the lowest bit of a word. Towards
/// lower squares it is the highest bit, and of two disjoint sets the one that holds it is the larger number.
/// You must give a square below 64; nothing here reverts on a larger one.
library Attacks {
    /// @notice Whether a piece of the opponent attacks `square`.
    /// @dev What stands on `square` itself doesn't matter.
    function attacked(uint256 board, uint256 square) internal pure returns (bool hit) {
        assembly ("memory-safe") {
            let b1 := shr(1, board)
            let b2 := shr(2, board)
            let b3 := shr(3, board)
            let k := shl(shl(2, square), 1)
            // Codes 8 to 11, their knight, bishop, rook and queen, are 10xx.
            let heavy := and(b3, not(b2))
            {
                let left := and(shr(4, k), NOT_H)
                let right := and(shl(4, k), NOT_A)
                let one := or(left, right)
                let two := or(and(shr(4, left), NOT_H), and(shl(4, right), NOT_A))
                // Knights, 1000.
                hit := and(
                    or(or(shl(64, one), shr(64, one)), or(shl(32, two), shr(32, two))),
                    and(heavy, not(or(board, b1)))
                )
                // Pawns, 0111, come from the row above.
                hit := or(hit, and(shl(32, one), and(and(board, b1), and(b2, not(b3)))))
                // The king, 1100.
                two := or(one, k)
                hit := or(hit, and(or(one, or(shl(32, two), shr(32, two))), and(b3, b2)))
            }
            // From here on: every occupied square.
            b3 := and(or(or(board, b1), or(b2, b3)), ONES)
            let s4 := shl(2, square)
            let file4 := and(s4, 28)
            {
                // Bishops and queens, 1001 and 1011.
                b2 := and(heavy, board)
                let part := and(STEP_9, sub(shl(mul(9, sub(28, file4)), 1), 1))
                let x := and(b3, shl(add(s4, 36), part))
                hit := or(hit, and(and(x, sub(0, x)), b2))
                x := and(b3, shr(sub(252, s4), xor(STEP_9, part)))
                hit := or(hit, gt(and(x, b2), and(x, not(b2))))
                part := and(STEP_7, sub(shl(mul(7, file4), 1), 1))
                x := and(b3, shl(add(s4, 28), part))
                hit := or(hit, and(and(x, sub(0, x)), b2))
                x := and(b3, shr(sub(252, s4), shl(56, xor(STEP_7, part))))
                hit := or(hit, gt(and(x, b2), and(x, not(b2))))
            }
            {
                // Rooks and queens, 1010 and 1011.
                b2 := and(heavy, b1)
                let x := and(b3, shl(add(s4, 32), STEP_8))
                hit := or(hit, and(and(x, sub(0, x)), b2))
                x := and(b3, and(sub(k, 1), shl(file4, STEP_8)))
                hit := or(hit, gt(and(x, b2), and(x, not(b2))))
                x := and(b3, shl(add(s4, 4), and(0x1111111, sub(shl(sub(28, file4), 1), 1))))
                hit := or(hit, and(and(x, sub(0, x)), b2))
                x := and(b3, and(sub(k, 1), shl(sub(s4, file4), ROW)))
                hit := or(hit, gt(and(x, b2), and(x, not(b2))))
            }
            hit := iszero(iszero(hit))
        }
    }

    /// @notice The squares on which a piece other than the king ends every check to the king on `square`:
    /// where the checker stands and those between, for one check. En passant is not counted.
    /// @return squares All such squares, if there is one check; meaningless if there are more.
    /// @return checks How many pieces give check.
    function evasions(uint256 board, uint256 square) internal pure returns (uint256 squares, uint256 checks) {
        unchecked {
            squares = knightSteps(square) & Board.holding(board, 6 + Board.KNIGHT);
            squares |= pawnCaptures(square) & Board.holding(board, 6 + Board.PAWN);
            checks = Board.count(squares);
            uint256 occupied = Board.occupied(board);
            uint256 queens = Board.holding(board, 6 + Board.QUEEN);
            uint256 sliders = queens | Board.holding(board, 6 + Board.BISHOP);
            for (uint256 step = 9; step != 0; --step) {
                if (step == 8) sliders = queens | Board.holding(board, 6 + Board.ROOK);
                else if (step == 7) sliders = queens | Board.holding(board, 6 + Board.BISHOP);
                else if (step == 6) (step, sliders) = (1, queens | Board.holding(board, 6 + Board.ROOK));
                uint256 line = rayUp(square, step);
                uint256 first = occupied & line;
                first &= 0 - first;
                if (first & sliders != 0) {
                    squares |= line & (first | (first - 1));
                    ++checks;
                }
                line = rayDown(square, step);
                if (occupied & line == 0) continue;
                first = 1 << (Board.highest(occupied & line) << 2);
                if (first & sliders != 0) {
                    squares |= line & ~(first - 1);
                    ++checks;
                }
            }
        }
    }

    /// @notice The squares from `square` towards higher squares, by steps of 1, 7, 8 or 9, to the board's edge.
    function rayUp(uint256 square, uint256 step) internal pure returns (uint256) {
        unchecked {
            uint256 file = square & 7;
            uint256 line = STEP_8;
            if (step == 1) line = 0x1111111 & ((1 << (28 - 4 * file)) - 1);
            else if (step == 7) line = STEP_7 & ((1 << (28 * file)) - 1);
            else if (step == 9) line = STEP_9 & ((1 << (252 - 36 * file)) - 1);
            return line << (4 * (square + step));
        }
    }

    /// @notice The squares from `square` towards lower squares, by steps of 1, 7, 8 or 9, to the board's edge.
    function rayDown(uint256 square, uint256 step) internal pure returns (uint256) {
        unchecked {
            uint256 file = square & 7;
            if (step == 7) return ((STEP_7 & ~((1 << (28 * file)) - 1)) << 56) >> (252 - 4 * square);
            if (step == 9) return (STEP_9 & ~((1 << (252 - 36 * file)) - 1)) >> (252 - 4 * square);
            uint256 below = (1 << (4 * square)) - 1;
            return below & (step == 1 ? ROW << (4 * (square - file)) : STEP_8 << (4 * file));
        }
    }

    /// @notice The squares a knight's move away.
    function knightSteps(uint256 square) internal pure returns (uint256) {
        uint256 k = 1 << (square << 2);
        uint256 left = (k >> 4) & NOT_H;
        uint256 right = (k << 4) & NOT_A;
        uint256 one = left | right;
        uint256 two = ((left >> 4) & NOT_H) | ((right << 4) & NOT_A);
        return (one << 64) | (one >> 64) | (two << 32) | (two >> 32);
    }

    /// @notice The squares a king's step away.
    function kingSteps(uint256 square) internal pure returns (uint256) {
        uint256 k = 1 << (square << 2);
        uint256 sides = ((k >> 4) & NOT_H) | ((k << 4) & NOT_A);
        k |= sides;
        return sides | (k << 32) | (k >> 32);
    }

    /// @notice The squares on which a pawn of the mover on `square` captures; from where, seen backwards, a pawn
    /// of the opponent attacks `square`.
    function pawnCaptures(uint256 square) internal pure returns (uint256) {
        uint256 k = 1 << (square << 2);
        return (((k >> 4) & NOT_H) | ((k << 4) & NOT_A)) << 32;
    }
}
