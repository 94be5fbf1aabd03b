// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Attacks} from "../src/chess/Attacks.sol";
import {Board} from "../src/chess/Board.sol";
import {MoveCode} from "../src/chess/MoveCode.sol";
import {Base} from "./Base.sol";
import {ChessHarness} from "./ChessHarness.sol";
import {Fen} from "./Fen.sol";

/// @title The rules, position by position
contract RulesTest is Base {
    ChessHarness private harness = new ChessHarness();

    /// @dev Whether a move, by absolute squares, is legal.
    function legal(string memory fen, string memory uci, bool expected) private view {
        (uint256 board, uint256 state) = Fen.parse(fen);
        uint256 move = MoveCode.flipped(Fen.move(uci), state >> 16);
        if (harness.legalMove(board, state, move) != expected) revert(string.concat(fen, " ", uci));
    }

    /// @dev Whether a move leads from one position to the other, whole words compared.
    function leads(string memory fen, string memory uci, string memory next) private view {
        (uint256 board, uint256 state) = Fen.parse(fen);
        uint256 move = MoveCode.flipped(Fen.move(uci), state >> 16);
        (bool ok, uint256 b, uint256 s) = harness.applyMove(board, state, move);
        (board, state) = Fen.parse(next);
        require(ok, "legal");
        eq(b, board, next);
        eq(s, state, next);
    }

    /// @dev Verdict as letters: c check, m mate, s stalemate, i insufficient material.
    function verdict(string memory fen, string memory expected) private view {
        (uint256 board, uint256 state) = Fen.parse(fen);
        (bool check, bool mate, bool stalemate, bool insufficient) = harness.status(board, state);
        string memory got =
            string.concat(check ? "c" : "", mate ? "m" : "", stalemate ? "s" : "", insufficient ? "i" : "");
        if (keccak256(bytes(got)) != keccak256(bytes(expected))) revert(string.concat(fen, " ", got));
        // The scan never differs from the list of moves.
        require((harness.legalMoves(board, state).length == 0) == (mate || stalemate), "scan");
        require(harness.turned(harness.turned(board)) == board, "turned twice");
    }

    /// @notice A knight on b7 doesn't reach the h file: Chess-Fish v1 missed this mate.
    function test_knightDoesNotWrapAroundTheEdge() external view {
        verdict("4nr2/1N6/8/PN5p/3p3P/3P1k1P/2r5/K2q4 w - - 0 79", "cm");
        legal("4nr2/1N6/8/PN5p/3p3P/3P1k1P/2r5/K2q4 w - - 0 79", "b5d4", false);
        legal("7k/8/8/8/8/N7/8/K7 w - - 0 1", "a3h5", false);
        legal("7k/8/8/8/8/N7/8/K7 w - - 0 1", "a3g1", false);
        legal("7k/8/8/7N/8/8/8/K7 w - - 0 1", "h5a6", false);
        legal("8/8/8/k7/7R/8/8/7K b - - 0 1", "a5h4", false);
    }

    /// @notice `attacked` against moves of single pieces on an otherwise empty board, all pairs of squares.
    function test_attacksOfEachPieceFromEverySquare() external pure {
        for (uint256 from; from < 64; ++from) {
            for (uint256 to; to < 64; ++to) {
                if (from == to) continue;
                int256 df = int256(to & 7) - int256(from & 7);
                int256 dr = int256(to >> 3) - int256(from >> 3);
                uint256 f = uint256(df < 0 ? -df : df);
                uint256 r = uint256(dr < 0 ? -dr : dr);
                for (uint256 piece = 1; piece < 7; ++piece) {
                    bool expected;
                    if (piece == Board.PAWN) expected = f == 1 && dr == -1;
                    else if (piece == Board.KNIGHT) expected = f * r == 2;
                    else if (piece == Board.BISHOP) expected = f == r;
                    else if (piece == Board.ROOK) expected = f * r == 0;
                    else if (piece == Board.QUEEN) expected = f == r || f * r == 0;
                    else expected = f < 2 && r < 2;
                    require(Attacks.attacked((piece + 6) << (4 * from), to) == expected, "attacked");
                    require(!Attacks.attacked(piece << (4 * from), to), "by own piece");
                }
            }
        }
    }

    function testFuzz_attackedAgrees(uint256 seed, uint256 square) external pure {
        uint256 board = randomBoard(seed);
        square &= 63;
        (uint256 squares, uint256 checks) = Attacks.evasions(board, square);
        // A king can't give check, so `evasions` doesn't count it.
        bool byKing = Attacks.kingSteps(square) & Board.holding(board, 12) != 0;
        require(Attacks.attacked(board, square) == (checks != 0 || byKing), "attacked and evasions");
        require(checks == 0 || squares & Board.theirs(board) != 0, "a checker is among the squares");
    }

    function testFuzz_masksAgree(uint256 seed) external pure {
        uint256 board = randomBoard(seed);
        uint256 other = Board.turned(board);
        require(Board.turned(other) == board, "turned twice");
        uint256 all;
        for (uint256 code = 1; code < 13; ++code) {
            uint256 mask = Board.holding(board, code);
            all |= mask;
            for (uint256 s; s < 64; ++s) {
                require(((mask >> (4 * s)) & 1 == 1) == (Board.at(board, s) == code), "holding");
            }
        }
        require(all == Board.occupied(board), "occupied");
        for (uint256 s; s < 64; ++s) {
            uint256 code = Board.at(board, s);
            require(Board.at(other, s ^ 56) == (code == 0 ? 0 : code < 7 ? code + 6 : code - 6), "turned");
            require(((Board.theirs(board) >> (4 * s)) & 1 == 1) == (code > 6), "theirs");
        }
    }

    function test_castling() external view {
        string memory open = "r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 4 1";
        leads(open, "e1g1", "r3k2r/8/8/8/8/8/8/R4RK1 b kq - 5 1");
        leads(open, "e1c1", "r3k2r/8/8/8/8/8/8/2KR3R b kq - 5 1");
        leads(open, "a1a8", "R3k2r/8/8/8/8/8/8/4K2R b Kk - 0 1");
        leads(open, "h1g1", "r3k2r/8/8/8/8/8/8/R3K1R1 b Qkq - 5 1");
        leads(open, "e1e2", "r3k2r/8/8/8/8/8/4K3/R6R b kq - 5 1");
        string memory black = "r3k2r/8/8/8/8/8/8/R3K2R b KQkq - 4 1";
        leads(black, "e8g8", "r4rk1/8/8/8/8/8/8/R3K2R w KQ - 5 2");
        leads(black, "e8c8", "2kr3r/8/8/8/8/8/8/R3K2R w KQ - 5 2");
        // No right, pieces between, out of check, through check, into check; the rook may cross.
        legal("r3k2r/8/8/8/8/8/8/R3K2R w Qkq - 0 1", "e1g1", false);
        legal("r3k2r/8/8/8/8/8/8/R3K1NR w KQkq - 0 1", "e1g1", false);
        legal("r3k2r/8/8/8/8/8/8/RN2K2R w KQkq - 0 1", "e1c1", false);
        legal("4k3/8/8/8/4r3/8/8/R3K2R w KQ - 0 1", "e1g1", false);
        legal("4k3/8/8/8/5r2/8/8/R3K2R w KQ - 0 1", "e1g1", false);
        legal("4k3/8/8/8/6r1/8/8/R3K2R w KQ - 0 1", "e1g1", false);
        legal("4k3/8/8/8/3r4/8/8/R3K2R w KQ - 0 1", "e1c1", false);
        legal("4k3/8/8/8/1r6/8/8/R3K2R w KQ - 0 1", "e1c1", true);
        legal("4k3/8/8/8/7r/8/8/R3K2R w KQ - 0 1", "e1g1", true);
        legal("4k3/8/8/8/8/8/6p1/R3K2R w KQ - 0 1", "e1g1", false);
        legal("4k3/8/8/8/8/8/6p1/R3K2R w KQ - 0 1", "e1c1", true);
        // The king's two squares are no move of another king.
        legal("4k3/8/8/8/8/8/8/4K3 w - - 0 1", "e1g1", false);
        legal("4k3/8/8/8/8/4K3/8/8 w - - 0 1", "e3g3", false);
    }

    function test_enPassant() external view {
        leads("4k3/8/8/8/3p4/8/4P3/4K3 w - - 0 1", "e2e4", "4k3/8/8/8/3pP3/8/8/4K3 b - e3 0 1");
        leads("4k3/8/8/8/3pP3/8/8/4K3 b - e3 0 1", "d4e3", "4k3/8/8/8/8/4p3/8/4K3 w - - 0 2");
        leads("4k3/8/8/8/3p4/8/4P3/4K3 w - - 0 1", "e2e3", "4k3/8/8/8/3p4/4P3/8/4K3 b - - 0 1");
        // No neighbour, and a neighbour only around the edge.
        leads("4k3/8/8/8/2p5/8/4P3/4K3 w - - 0 1", "e2e4", "4k3/8/8/8/2p1P3/8/8/4K3 b - - 0 1");
        leads("4k3/8/8/7p/8/8/P7/4K3 w - - 0 1", "a2a4", "4k3/8/8/7p/P7/8/8/4K3 b - - 0 1");
        leads("4k3/8/8/8/8/p7/7P/4K3 w - - 0 1", "h2h4", "4k3/8/8/8/7P/p7/8/4K3 b - - 0 1");
        // Both pawns leave the rank, and the king stands bare to the rook: no right to keep.
        leads("8/8/8/8/k2p3R/8/4P3/4K3 w - - 0 1", "e2e4", "8/8/8/8/k2pP2R/8/8/4K3 b - - 0 1");
        legal("8/8/8/8/k2pP2R/8/8/4K3 b - e3 0 1", "d4e3", false);
        // The capturing pawn is pinned on its file, on the capture's diagonal, on the other.
        leads("3k4/8/8/8/3p4/8/4P3/3RK3 w - - 0 1", "e2e4", "3k4/8/8/8/3pP3/8/8/3RK3 b - - 0 1");
        leads("8/8/1k6/8/3p4/8/4PB2/4K3 w - - 0 1", "e2e4", "8/8/1k6/8/3pP3/8/5B2/4K3 b - e3 0 1");
        leads("7k/8/8/8/3p4/8/1B2P3/4K3 w - - 0 1", "e2e4", "7k/8/8/8/3pP3/8/1B6/4K3 b - - 0 1");
        // It is the only answer to a check, by the pawn itself; and it does not end another check.
        leads("8/8/8/5k2/3p4/8/4P3/4K3 w - - 0 1", "e2e4", "8/8/8/5k2/3pP3/8/8/4K3 b - e3 0 1");
        leads("8/8/8/8/1k1p4/8/4P3/4K2B w - - 0 1", "e2e4", "8/8/8/8/1k1pP3/8/8/4K2B b - e3 0 1");
        leads("8/8/8/8/1k1p4/8/3NP3/B3K3 w - - 0 1", "e2e4", "8/8/8/8/1k1pP3/8/3N4/B3K3 b - e3 0 1");
        // The other neighbour may capture.
        leads("3k4/8/8/8/3p1p2/8/4P3/3RK3 w - - 0 1", "e2e4", "3k4/8/8/8/3pPp2/8/8/3RK3 b - e3 0 1");
        // Not on another file, not by another piece, not without the right.
        legal("4k3/8/8/8/3pP3/8/8/4K3 b - e3 0 1", "d4c3", false);
        legal("4k3/8/8/8/3bP3/8/8/4K3 b - - 0 1", "d4e3", true);
        legal("4k3/8/8/8/3pP3/8/8/4K3 b - - 0 1", "d4e3", false);
    }

    function test_pawns() external view {
        string memory fen = "4k3/P7/8/8/8/1pP5/1P2p3/4K3 w - - 0 1";
        legal(fen, "b2b3", false);
        legal(fen, "b2b4", false);
        legal(fen, "b2c3", false);
        legal(fen, "b2a3", false);
        legal(fen, "c3c4", true);
        legal(fen, "c3c5", false);
        legal(fen, "a7a8", false);
        legal(fen, "a7a8q", true);
        legal(fen, "a7a8r", true);
        legal(fen, "a7a8b", true);
        legal(fen, "a7a8n", true);
        legal(fen, "a7a8k", false);
        legal(fen, "a7a8p", false);
        legal(fen, "c3c4q", false);
        legal(fen, "e1e2q", false);
        legal(fen, "e1e2", true);
        leads("1r2k3/P7/8/8/8/8/8/4K3 w - - 7 1", "a7b8r", "1R2k3/8/8/8/8/8/8/4K3 b - - 0 1");
    }

    function test_pinsAndChecks() external view {
        legal("4r2k/8/8/8/8/8/4N3/4K3 w - - 0 1", "e2c3", false);
        legal("4r2k/8/8/8/8/8/4R3/4K3 w - - 0 1", "e2e8", true);
        legal("4r2k/8/8/8/8/8/4R3/4K3 w - - 0 1", "e2d2", false);
        legal("7k/8/8/7b/8/8/8/3K1R2 w - - 0 1", "f1f2", false);
        legal("7k/8/8/7b/8/8/8/3K1R2 w - - 0 1", "f1f3", true);
        legal("7k/8/8/8/8/8/2q5/K7 w - - 0 1", "a1b1", false);
        // A king doesn't step back along the line of a check.
        legal("7k/8/8/8/r3K3/8/8/8 w - - 0 1", "e4f4", false);
        legal("8/8/8/3kK3/8/8/8/8 w - - 0 1", "e5e4", false);
    }

    function test_verdicts() external view {
        verdict("rnb1kbnr/pppp1ppp/8/4p3/6Pq/5P2/PPPPP2P/RNBQKBNR w KQkq - 1 3", "cm");
        verdict("7k/5Q2/8/8/8/8/8/K7 b - - 0 1", "s");
        verdict("7k/6Q1/6K1/8/8/8/8/8 b - - 0 1", "cm");
        // Double check: only the king could move, and can't; the rook could take one of the checkers.
        verdict("3rkr2/3p1p2/2R2N2/8/8/8/8/K3R3 b - - 0 1", "cm");
        // Mate but for one interposition, one capture, one en-passant capture.
        verdict("6rk/6pp/8/8/8/8/1B5R/K6R b - - 0 1", "");
        verdict("R5k1/5ppp/8/8/8/8/8/K6b b - - 0 1", "c");
        verdict("R5k1/5ppp/8/8/8/8/1r6/K7 b - - 0 1", "c");
        verdict("R5k1/5ppp/8/8/8/8/2n5/K7 b - - 0 1", "cm");
        verdict("8/8/8/2k5/3Pp3/8/8/4K3 b - d3 0 1", "c");
        // Stalemate but for a pinned piece that moves along its pin.
        verdict("k7/8/1Q6/8/8/8/8/K7 b - - 0 1", "s");
        verdict("k7/p7/1Q6/8/8/8/8/K7 b - - 0 1", "");
        verdict("kr5R/8/1K6/8/8/8/8/8 b - - 0 1", "");
        verdict("kb5R/8/1K6/8/8/8/8/8 b - - 0 1", "s");
        verdict("kn5R/8/1K6/8/8/8/8/8 b - - 0 1", "s");
        verdict("7k/7p/7P/8/8/8/8/K5R1 b - - 0 1", "s");
    }

    function test_insufficientMaterial() external view {
        verdict("4k3/8/8/8/8/8/8/4K3 w - - 0 1", "i");
        verdict("4k3/8/8/8/8/8/8/4KN2 w - - 0 1", "i");
        verdict("4k3/8/8/8/8/8/8/4KB2 b - - 0 1", "i");
        verdict("4kb2/8/8/8/8/8/8/2B1K3 w - - 0 1", "i");
        verdict("4kb2/8/8/8/8/8/8/4KB2 w - - 0 1", "");
        verdict("4kn2/8/8/8/8/8/8/4KN2 w - - 0 1", "");
        verdict("4k3/8/8/8/8/8/8/3NKN2 w - - 0 1", "");
        verdict("4k3/8/8/8/8/8/8/4KBN1 w - - 0 1", "");
        verdict("4k3/8/8/8/8/8/4P3/4K3 w - - 0 1", "");
        verdict("4k3/8/8/8/8/8/8/4K2R w - - 0 1", "");
        verdict("4k3/8/8/8/8/8/8/3QK3 w - - 0 1", "");
        verdict("4k3/8/8/8/8/8/1B6/B3K3 w - - 0 1", "i");
        verdict("4k3/8/8/8/8/8/B7/B3K3 w - - 0 1", "");
        // One side only: a knight can't mate against a queen, but the queen can.
        (uint256 board,) = Fen.parse("4k3/3q4/8/8/8/8/8/4KN2 w - - 0 1");
        require(harness.cannotMate(board) && !harness.cannotMate(harness.turned(board)), "knight and queen");
        (board,) = Fen.parse("4k3/3r4/8/8/8/8/8/4KN2 w - - 0 1");
        require(!harness.cannotMate(board), "knight and rook");
    }

    function test_clockStops() external view {
        leads("4k3/8/8/8/8/8/8/4K2R w - - 254 1", "h1h2", "4k3/8/8/8/8/8/7R/4K3 b - - 255 1");
        leads("4k3/8/8/8/8/8/8/4K2R w - - 255 1", "h1h2", "4k3/8/8/8/8/8/7R/4K3 b - - 255 1");
    }

    /// @notice Each index names one move, and each legal move has an index.
    function test_indices() external view {
        (uint256 board, uint256 state) = Fen.parse("r3k2r/Pppp1ppp/1b3nbN/nPP5/BB2P3/q4N2/Pp1P2PP/R2Q1RK1 w kq - 0 1");
        uint256 named;
        for (uint256 index; index < MoveCode.INDICES; ++index) {
            uint256 move = MoveCode.fromIndex(board, index);
            if (move == 0) continue;
            require(move & 63 == index & 63, "from");
            if (harness.legalMove(board, state, move)) ++named;
        }
        eq(named, harness.legalMoves(board, state).length, "named");
        // One of each kind, on an empty board.
        eq(MoveCode.fromIndex(0, 0 * 64 + 12), 12 | 20 << 6, "north");
        eq(MoveCode.fromIndex(0, 13 * 64 + 0), 0 | 63 << 6, "seven north-east");
        eq(MoveCode.fromIndex(0, (6 * 7 + 6) * 64 + 63), 63 | 56 << 6, "seven west");
        eq(MoveCode.fromIndex(0, 62 * 64 + 28), 28 | 34 << 6, "knight (-2, 1)");
        eq(MoveCode.fromIndex(0, 56 * 64 + 28), 28 | 45 << 6, "knight (1, 2)");
        eq(MoveCode.fromIndex(0, 64 * 64 + 49), 49 | 56 << 6 | 2 << 12, "knight to the left");
        eq(MoveCode.fromIndex(0, 69 * 64 + 49), 49 | 57 << 6 | 4 << 12, "rook ahead");
        eq(MoveCode.fromIndex(0, 72 * 64 + 55), 0, "over the edge");
        eq(MoveCode.fromIndex(1 << (4 * 50), 50), 50 | 58 << 6 | 5 << 12, "pawn becomes queen");
        eq(MoveCode.fromIndex(4 << (4 * 50), 50), 50 | 58 << 6, "rook doesn't");
    }

    function randomBoard(uint256 seed) private pure returns (uint256 board) {
        for (uint256 s; s < 64; ++s) {
            uint256 r = uint256(keccak256(abi.encode(seed, s))) % (13 + seed % 32);
            if (r < 13) board |= r << (4 * s);
        }
    }
}
