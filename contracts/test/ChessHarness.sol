// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Attacks} from "../src/chess/Attacks.sol";
import {Board} from "../src/chess/Board.sol";
import {Endings} from "../src/chess/Endings.sol";
import {MoveCode} from "../src/chess/MoveCode.sol";
import {Moves} from "../src/chess/Moves.sol";

/// @title The rules library behind external functions
/// @notice For differential tests: deploy its bytecode in any EVM and compare each answer with another
/// implementation of chess. Not for use on a chain with money on it: nothing here is needed there.
/// @dev All boards, states and moves are seen from the side to move, as the library sees them:
///   board  nibble of square s (8·rank + file, a1 = 0) at bits 4s; own P N B R Q K are 1 to 6, theirs 7 to 12;
///          with Black to move, ranks are flipped (s xor 56) and colours swapped
///   state  bits 0 to 3 castling rights (own king side, own queen side, their king side, their queen side);
///          bits 4 to 7 are 1 + file of a *legal* en-passant capture, else 0 (in shakmaty's terms
///          `EnPassantMode::Legal`); bits 8 to 15 the half-move clock; bits 16 to 31 the ply, even for White
///   move   from | to << 6 | promotion << 12 (0 or 2 N, 3 B, 4 R, 5 Q); castling is the king's two-square move
///
/// What to compare on a position reached by legal moves:
///   legalMove      true for exactly the legal moves among all 16-bit words (a word with the two squares of a
///                  promotion and promotion 0 is illegal, and so is any other move with promotion not 0)
///   legalMoves     the same as a list, in no useful order
///   applyMove      the words of the position after the move; for a legal move `ok` is true and the result, with
///                  its en-passant file, equals the other implementation's
///   status         check, mate, stalemate, and insufficient material on both sides
///   cannotMate     insufficient material of the side to move alone
///   moveOfIndex    the move word of a policy index 0 to 4671, or 0
///   perft          the number of leaves, for counts that are known
contract ChessHarness {
    /// @notice The initial position.
    function start() external pure returns (uint256 board, uint256 state) {
        return (Board.START, 15);
    }

    /// @notice Whether a move is legal.
    function legalMove(uint256 board, uint256 state, uint256 move) external pure returns (bool) {
        return Moves.legal(board, state, move);
    }

    /// @notice All legal moves.
    function legalMoves(uint256 board, uint256 state) external pure returns (uint256[] memory moves) {
        moves = new uint256[](256);
        uint256 n = _collect(board, state, moves);
        assembly ("memory-safe") {
            mstore(moves, n)
        }
    }

    /// @notice The position after a move, seen from the other side; zeros and false if the move is not legal.
    function applyMove(uint256 board, uint256 state, uint256 move)
        external
        pure
        returns (bool ok, uint256 nextBoard, uint256 nextState)
    {
        return Moves.play(board, state, move);
    }

    /// @notice What the position says about the side to move.
    function status(uint256 board, uint256 state)
        external
        pure
        returns (bool check, bool mate, bool stalemate, bool insufficient)
    {
        bool stuck;
        (check, stuck) = Endings.verdict(board, state);
        (mate, stalemate) = (check && stuck, !check && stuck);
        insufficient = Endings.insufficientMaterial(board);
    }

    /// @notice Whether the mover's material alone can't mate.
    function cannotMate(uint256 board) external pure returns (bool) {
        return Endings.cannotMate(board);
    }

    /// @notice The board seen from the other side.
    function turned(uint256 board) external pure returns (uint256) {
        return Board.turned(board);
    }

    /// @notice The move word of a policy index, 0 if it leads off the board.
    function moveOfIndex(uint256 board, uint256 index) external pure returns (uint256) {
        return MoveCode.fromIndex(board, index);
    }

    /// @notice The number of move sequences of the given length. Fails if, anywhere on the way, the end-of-game
    /// scan disagrees with the count of legal moves.
    function perft(uint256 board, uint256 state, uint256 depth) external pure returns (uint256) {
        return _perft(board, state, depth);
    }

    function _perft(uint256 board, uint256 state, uint256 depth) private pure returns (uint256 leaves) {
        if (depth == 0) return 1;
        (, bool stuck) = Endings.verdict(board, state);
        uint256[] memory moves = new uint256[](depth == 1 ? 0 : 256);
        uint256 n = _collect(board, state, moves);
        require(stuck == (n == 0), "scan and count disagree");
        if (depth == 1) return n;
        for (uint256 i; i < n; ++i) {
            (bool ok, uint256 b, uint256 s) = Moves.play(board, state, moves[i]);
            require(ok, "move was legal before");
            leaves += _perft(b, s, depth - 1);
        }
    }

    /// @dev Tries every pair of squares, so that nothing depends on move generation. Counts only, if there is
    /// no room in `moves`.
    function _collect(uint256 board, uint256 state, uint256[] memory moves) private pure returns (uint256 n) {
        for (uint256 from; from < 64; ++from) {
            uint256 piece = Board.at(board, from);
            if (piece == 0 || piece > 6) continue;
            for (uint256 to; to < 64; ++to) {
                bool promotes = piece == 1 && to > 55;
                for (uint256 p = promotes ? 2 : 0; p <= (promotes ? 5 : 0); ++p) {
                    uint256 move = from | (to << 6) | (p << 12);
                    if (!Moves.legal(board, state, move)) continue;
                    if (moves.length != 0) moves[n] = move;
                    ++n;
                }
            }
        }
    }
}
