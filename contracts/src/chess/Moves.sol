// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Attacks, STEP_7, STEP_8, STEP_9} from "./Attacks.sol";
import {Board} from "./Board.sol";

/// @title Moves on a one-word board
/// @notice Decides whether one move is legal and plays it.
/// @dev A move word is from | to << 6 | promotion << 12, squares seen from the mover, promotion 0 or the code of
/// the new piece (2 to 5). Castling is the king's move by two squares.
///
/// A state word holds what the board doesn't show, seen from the mover as well:
///   bits 0 to 3    castling rights: own king side, own queen side, their king side, their queen side
///   bits 4 to 7    1 + file of a legal en-passant capture, or 0
///   bits 8 to 15   half-moves since the last capture or pawn move, no more than 255
///   bits 16 to 31  half-moves played; even when White is to move
/// Higher bits are ignored and come out as zero.
///
/// You must keep two invariants that `play` keeps: a right is set only while king and rook are at home, and the
/// en-passant file only while a capture there is legal.
library Moves {
    /// @notice Plays `move` if it is legal.
    /// @return ok Whether it is; if not, the other two values are zero.
    /// @return nextBoard The board after it, seen from the other side.
    /// @return nextState The state after it, seen from the other side.
    function play(uint256 board, uint256 state, uint256 move)
        internal
        pure
        returns (bool ok, uint256 nextBoard, uint256 nextState)
    {
        if (!pseudoLegal(board, state, move)) return (false, 0, 0);
        nextBoard = moved(board, move);
        if (Attacks.attacked(nextBoard, Board.kingSquare(nextBoard))) return (false, 0, 0);
        nextBoard = Board.turned(nextBoard);
        return (true, nextBoard, _nextState(board, state, move, nextBoard));
    }

    /// @notice Whether `move` is legal.
    function legal(uint256 board, uint256 state, uint256 move) internal pure returns (bool) {
        return pseudoLegal(board, state, move) && safe(board, move);
    }

    /// @notice Whether the mover's king is not attacked after `move`.
    /// @dev The move must be pseudo-legal.
    function safe(uint256 board, uint256 move) internal pure returns (bool) {
        board = moved(board, move);
        return !Attacks.attacked(board, Board.kingSquare(board));
    }

    /// @notice Whether the piece moves like this, the way is free and, for castling, no square that the king
    /// leaves or crosses is attacked. Whether the king is attacked afterwards is left open.
    /// @dev A word with bits above 15, or with a promotion that isn't one, is never pseudo-legal.
    function pseudoLegal(uint256 board, uint256 state, uint256 move) internal pure returns (bool) {
        unchecked {
            uint256 from = move & 63;
            uint256 to = (move >> 6) & 63;
            uint256 piece = Board.at(board, from);
            uint256 target = Board.at(board, to);
            // The mover's own piece moves, and captures none of its own; both tests wrap around at zero.
            if (piece - 1 > 5 || target - 1 < 6) return false;
            // Steps in file and rank, modulo 2^256; products of them are exact.
            uint256 df = (to & 7) - (from & 7);
            uint256 dr = (to >> 3) - (from >> 3);

            if (piece == Board.PAWN) {
                if (to > 55 ? (move >> 12) - 2 > 3 : (move >> 12) != 0) return false;
                if (dr == 1) {
                    if (df == 0) return target == 0;
                    if (df * df != 1) return false;
                    return target != 0 || (to >> 3 == 5 && ((state >> 4) & 15) == (to & 7) + 1);
                }
                return dr == 2 && df == 0 && from >> 3 == 1 && target == 0 && Board.at(board, from + 8) == 0;
            }
            if (move >> 12 != 0) return false;
            if (piece == Board.KNIGHT) return df * df * dr * dr == 4;
            if (piece == Board.KING) {
                if (df * df < 2 && dr * dr < 2) return true;
                return _castles(board, state, from, to);
            }
            return _slides(board, piece, from, to, df, dr);
        }
    }

    /// @notice The board after a pseudo-legal move, still seen from the side that moved.
    function moved(uint256 board, uint256 move) internal pure returns (uint256 result) {
        unchecked {
            uint256 from = move & 63;
            uint256 to = (move >> 6) & 63;
            uint256 piece = Board.at(board, from);
            result = board & ~((15 << (from << 2)) | (15 << (to << 2)));
            result |= (move >> 12 == 0 ? piece : move >> 12) << (to << 2);
            if (piece == Board.PAWN) {
                // A pawn that leaves its file for an empty square captured en passant.
                if ((from ^ to) & 7 != 0 && Board.at(board, to) == 0) result &= ~(15 << ((to - 8) << 2));
            } else if (piece == Board.KING && from == 4) {
                if (to == 6) result = (result & ~uint256(0xf0000000)) | (Board.ROOK << 20);
                else if (to == 2) result = (result & ~uint256(0xf)) | (Board.ROOK << 12);
            }
        }
    }

    /// @dev Whether the king castles from `from` to `to`. The rook is at home because the right is still there.
    function _castles(uint256 board, uint256 state, uint256 from, uint256 to) private pure returns (bool) {
        if (from != 4) return false;
        if (to == 6) {
            return
                state & 1 != 0 && board & 0x0ff00000 == 0 && !Attacks.attacked(board, 4) && !Attacks.attacked(board, 5);
        }
        return
            to == 2 && state & 2 != 0 && board & 0xfff0 == 0 && !Attacks.attacked(board, 4)
                && !Attacks.attacked(board, 3);
    }

    /// @dev Whether a bishop, rook or queen goes from `from` to `to` over empty squares.
    function _slides(uint256 board, uint256 piece, uint256 from, uint256 to, uint256 df, uint256 dr)
        private
        pure
        returns (bool)
    {
        unchecked {
            uint256 line;
            uint256 step;
            if (df == 0) (step, line) = (8, STEP_8);
            else if (dr == 0) (step, line) = (1, 0x111111);
            else if (df == dr) (step, line) = (9, STEP_9);
            else if (df + dr == 0) (step, line) = (7, STEP_7);
            else return false;
            // Bishops (3) take odd steps above 1, rooks (4) the others, queens (5) all.
            if (piece == Board.BISHOP) {
                if (step == 8 || step == 1) return false;
            } else if (piece == Board.ROOK) {
                if (step == 9 || step == 7) return false;
            }
            if (to < from) (from, to) = (to, from);
            // Keep the squares of the line that are below `to`.
            line = (line << (4 * (from + step))) & ((1 << (to << 2)) - 1);
            return board & (line * 15) == 0;
        }
    }

    /// @dev The state after a legal move; `nextBoard` is seen from the other side already.
    function _nextState(uint256 board, uint256 state, uint256 move, uint256 nextBoard)
        private
        pure
        returns (uint256 next)
    {
        unchecked {
            uint256 from = move & 63;
            uint256 to = (move >> 6) & 63;
            uint256 piece = Board.at(board, from);
            next = state & 15;
            if (next != 0) {
                uint256 touched = (1 << from) | (1 << to);
                if (touched & 0x90 != 0) next &= 14;
                if (touched & 0x11 != 0) next &= 13;
                if (touched & 0x9000000000000000 != 0) next &= 11;
                if (touched & 0x1100000000000000 != 0) next &= 7;
                next = ((next << 2) | (next >> 2)) & 15;
            }
            next |= ((state >> 16) + 1) << 16 & 0xffff0000;
            if (piece == Board.PAWN) {
                if (to == from + 16 && _enPassant(nextBoard, to & 7)) next |= ((to & 7) + 1) << 4;
            } else if (Board.at(board, to) == 0) {
                uint256 clock = (state >> 8) & 255;
                next |= (clock == 255 ? clock : clock + 1) << 8;
            }
        }
    }

    /// @dev Whether the mover can legally capture en passant the pawn that has just come to its fifth rank.
    function _enPassant(uint256 board, uint256 file) private pure returns (bool) {
        unchecked {
            uint256 to = (40 + file) << 6;
            if (file != 0 && Board.at(board, 31 + file) == Board.PAWN && safe(board, (31 + file) | to)) return true;
            return file != 7 && Board.at(board, 33 + file) == Board.PAWN && safe(board, (33 + file) | to);
        }
    }
}
