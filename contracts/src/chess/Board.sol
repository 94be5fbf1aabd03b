// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @dev The lowest bit of each of the 64 nibbles.
uint256 constant ONES = 0x1111111111111111111111111111111111111111111111111111111111111111;

/// @dev The lowest bits of the nibbles that are not on the a file, and not on the h file.
uint256 constant NOT_A = 0x1111111011111110111111101111111011111110111111101111111011111110;
uint256 constant NOT_H = 0x0111111101111111011111110111111101111111011111110111111101111111;

/// @dev The lowest bits of the nibbles on dark squares (a1 is dark).
uint256 constant DARK = 0x1010101001010101101010100101010110101010010101011010101001010101;

/// @title One-word chess board
/// @notice 64 nibbles: square s = 8·rank + file (a1 = 0) at bits 4s. 0 is empty, 1 to 6 are the mover's pawn,
/// knight, bishop, rook, queen and king, 7 to 12 the opponent's. The board is always seen from the side to
/// move: when Black is to move, ranks are flipped and colours swapped.
/// @dev A *mask* is a word in which only lowest bits of nibbles are set, one per square in the set.
/// No function checks that a word is a chess position: you must start from one and change it by legal moves.
library Board {
    /// @notice The position before the first move. It looks the same from both sides.
    uint256 internal constant START = 0xa89cb98a77777777000000000000000000000000000000001111111142365324;

    uint256 internal constant PAWN = 1;
    uint256 internal constant KNIGHT = 2;
    uint256 internal constant BISHOP = 3;
    uint256 internal constant ROOK = 4;
    uint256 internal constant QUEEN = 5;
    uint256 internal constant KING = 6;

    /// @notice The same position seen from the other side.
    function turned(uint256 board) internal pure returns (uint256 result) {
        assembly ("memory-safe") {
            // Reverse the eight rows of 32 bits.
            let m := 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff
            board := or(shl(32, and(board, m)), and(shr(32, board), m))
            m := 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff
            board := or(shl(64, and(board, m)), and(shr(64, board), m))
            board := or(shl(128, board), shr(128, board))
            // Adding 1 carries codes 7 to 12, and no others, into their nibble's top bit.
            let enemy := and(shr(3, add(board, ONES)), ONES)
            let any := or(board, shr(1, board))
            any := and(or(any, shr(2, any)), ONES)
            result := sub(add(board, mul(6, xor(any, enemy))), mul(6, enemy))
        }
    }

    /// @notice The code on a square.
    function at(uint256 board, uint256 square) internal pure returns (uint256 code) {
        assembly ("memory-safe") {
            code := and(shr(shl(2, square), board), 15)
        }
    }

    /// @notice The mask of occupied squares.
    function occupied(uint256 board) internal pure returns (uint256 mask) {
        assembly ("memory-safe") {
            mask := or(board, shr(1, board))
            mask := and(or(mask, shr(2, mask)), ONES)
        }
    }

    /// @notice The mask of squares that hold an opponent's piece.
    function theirs(uint256 board) internal pure returns (uint256 mask) {
        assembly ("memory-safe") {
            mask := and(shr(3, add(board, ONES)), ONES)
        }
    }

    /// @notice The mask of squares that hold exactly `code`.
    function holding(uint256 board, uint256 code) internal pure returns (uint256 mask) {
        assembly ("memory-safe") {
            let x := xor(board, mul(ONES, code))
            x := or(x, shr(1, x))
            mask := and(not(or(x, shr(2, x))), ONES)
        }
    }

    /// @notice The highest square of a mask; 0 for the empty mask.
    function highest(uint256 mask) internal pure returns (uint256 square) {
        assembly ("memory-safe") {
            square := shl(5, gt(mask, 0xffffffffffffffffffffffffffffffff))
            mask := shr(shl(2, square), mask)
            let half := shl(4, gt(mask, 0xffffffffffffffff))
            mask := shr(shl(2, half), mask)
            square := or(square, half)
            half := shl(3, gt(mask, 0xffffffff))
            mask := shr(shl(2, half), mask)
            square := or(square, half)
            half := shl(2, gt(mask, 0xffff))
            mask := shr(shl(2, half), mask)
            square := or(square, half)
            half := shl(1, gt(mask, 0xff))
            mask := shr(shl(2, half), mask)
            square := or(or(square, half), gt(mask, 0xf))
        }
    }

    /// @notice The square of the mover's king; 0 if there is none.
    function kingSquare(uint256 board) internal pure returns (uint256) {
        uint256 mask;
        assembly ("memory-safe") {
            // 6 is 0110, the only code with both middle bits and neither outer one.
            mask := and(and(shr(1, board), shr(2, board)), not(or(board, shr(3, board))))
            mask := and(mask, ONES)
        }
        return highest(mask);
    }

    /// @notice How many squares a mask holds.
    function count(uint256 mask) internal pure returns (uint256 n) {
        while (mask != 0) {
            unchecked {
                mask &= mask - 1;
                ++n;
            }
        }
    }
}
