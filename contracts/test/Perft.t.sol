// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Base} from "./Base.sol";
import {ChessHarness} from "./ChessHarness.sol";
import {Fen} from "./Fen.sol";

/// @title Counts of move sequences that are known for six positions
contract PerftTest is Base {
    ChessHarness private harness = new ChessHarness();

    function check(string memory fen, uint256 depth, uint256 leaves) private view {
        (uint256 board, uint256 state) = Fen.parse(fen);
        eq(harness.perft(board, state, depth), leaves, fen);
    }

    function test_initial() external view {
        check("rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1", 3, 8902);
    }

    function test_kiwipete() external view {
        string memory fen = "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1";
        check(fen, 1, 48);
        check(fen, 2, 2039);
        check(fen, 3, 97862);
    }

    function test_rookEnding() external view {
        check("8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - - 0 1", 4, 43238);
    }

    function test_promotions() external view {
        check("r3k2r/Pppp1ppp/1b3nbN/nP6/BBP1P3/q4N2/Pp1P2PP/R2Q1RK1 w kq - 0 1", 3, 9467);
    }

    function test_talkchess() external view {
        check("rnbq1k1r/pp1Pbppp/2p5/8/2B5/8/PPP1NnPP/RNBQK2R w KQ - 1 8", 3, 62379);
    }

    function test_symmetric() external view {
        check("r4rk1/1pp1qppp/p1np1n2/2b1p1B1/2B1P1b1/P1NP1N2/1PP1QPPP/R4RK1 w - - 0 10", 2, 2079);
    }
}
