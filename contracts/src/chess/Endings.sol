// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Attacks, ROW, STEP_8} from "./Attacks.sol";
import {Board, DARK} from "./Board.sol";
import {Moves} from "./Moves.sol";

/// @title Ends of a game of chess
/// @notice Finds checkmate, stalemate and insufficient material. Far dearer than one move: meant for claims.
library Endings {
    /// @notice What the position says about the side to move.
    /// @return check Whether its king is attacked.
    /// @return stuck Whether it has no legal move: checkmate if in check, stalemate if not.
    function verdict(uint256 board, uint256 state) internal pure returns (bool check, bool stuck) {
        uint256 king = Board.kingSquare(board);
        check = Attacks.attacked(board, king);
        stuck = !hasMove(board, state, king, check);
    }

    /// @notice Whether the side to move has a legal move.
    /// @dev Trusts that an en-passant file in the state stands for a legal capture. Castling needs no look: where
    /// it is legal, so is the king's single step. Nor do longer moves out of check's way: without check, a piece
    /// that can go far in one direction can go one step.
    function hasMove(uint256 board, uint256 state, uint256 king, bool check) internal pure returns (bool) {
        if (state & 0xf0 != 0) return true;
        uint256 own = Board.occupied(board) ^ Board.theirs(board);
        if (_anySafe(board, king, Attacks.kingSteps(king) & ~own)) return true;
        uint256 pieces = own ^ (1 << (king << 2));
        if (!check) return _hasQuietMove(board, own, pieces);
        (uint256 squares, uint256 checks) = Attacks.evasions(board, king);
        return checks == 1 && _hasEvasion(board, state, pieces, squares & ~own);
    }

    /// @notice Whether neither side can mate by any sequence of legal moves, as far as material tells.
    function insufficientMaterial(uint256 board) internal pure returns (bool) {
        return cannotMate(board) && cannotMate(Board.turned(board));
    }

    /// @notice Whether the mover's material cannot mate, even with the opponent's help.
    /// @dev True for a bare king; for one knight against at most queens; for bishops of one square colour, the
    /// opponent's included, when there are no knights and no pawns. False for everything else.
    function cannotMate(uint256 board) internal pure returns (bool) {
        uint256 own = Board.occupied(board) ^ Board.theirs(board);
        uint256 knights = Board.holding(board, Board.KNIGHT);
        uint256 bishops = Board.holding(board, Board.BISHOP);
        uint256 kings = Board.holding(board, Board.KING);
        if (own != knights | bishops | kings) return false;
        if (knights != 0) {
            uint256 queens = Board.holding(board, 6 + Board.QUEEN);
            return Board.count(own) <= 2 && Board.theirs(board) == queens | Board.holding(board, 6 + Board.KING);
        }
        if (bishops == 0) return true;
        bishops |= Board.holding(board, 6 + Board.BISHOP);
        return (bishops & DARK == 0 || bishops & ~DARK == 0) && Board.holding(board, 6 + Board.KNIGHT) == 0
            && Board.holding(board, 6 + Board.PAWN) == 0;
    }

    /// @dev Whether one of `pieces` has a legal move to one of `targets`.
    function _hasEvasion(uint256 board, uint256 state, uint256 pieces, uint256 targets) private pure returns (bool) {
        while (pieces != 0) {
            uint256 from = Board.highest(pieces);
            pieces ^= 1 << (from << 2);
            uint256 left = targets;
            while (left != 0) {
                uint256 to = Board.highest(left);
                left ^= 1 << (to << 2);
                uint256 move = from | (to << 6);
                if (to > 55 && Board.at(board, from) == Board.PAWN) move |= Board.QUEEN << 12;
                if (Moves.legal(board, state, move)) return true;
            }
        }
        return false;
    }

    /// @dev Whether one of `pieces` has a legal move when there is no check. Looks at moves of one step only.
    function _hasQuietMove(uint256 board, uint256 own, uint256 pieces) private pure returns (bool) {
        while (pieces != 0) {
            uint256 from = Board.highest(pieces);
            pieces ^= 1 << (from << 2);
            if (_anySafe(board, from, _steps(board, from) & ~own)) return true;
        }
        return false;
    }

    /// @dev The squares one step away, by the way the piece on `from` moves. May hold squares of own pieces.
    function _steps(uint256 board, uint256 from) private pure returns (uint256) {
        uint256 piece = Board.at(board, from);
        if (piece == Board.PAWN) {
            uint256 ahead = (1 << ((from + 8) << 2)) & ~Board.occupied(board);
            return ahead | (Attacks.pawnCaptures(from) & Board.theirs(board));
        }
        if (piece == Board.KNIGHT) return Attacks.knightSteps(from);
        uint256 steps = Attacks.kingSteps(from);
        if (piece == Board.QUEEN) return steps;
        uint256 file = from & 7;
        uint256 cross = (ROW << ((from - file) << 2)) | (STEP_8 << (file << 2));
        return piece == Board.ROOK ? steps & cross : steps & ~cross;
    }

    /// @dev Whether the piece on `from` can go to one of `targets` without leaving its king attacked.
    function _anySafe(uint256 board, uint256 from, uint256 targets) private pure returns (bool) {
        while (targets != 0) {
            uint256 to = Board.highest(targets);
            targets ^= 1 << (to << 2);
            // The kind of promotion doesn't matter for the own king's safety.
            if (Moves.safe(board, from | (to << 6))) return true;
        }
        return false;
    }
}
