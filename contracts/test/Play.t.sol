// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ChessArena} from "../src/ChessArena.sol";
import {ChessGames} from "../src/chess/ChessGames.sol";
import {Board} from "../src/chess/Board.sol";
import {Outcome, Reason} from "../src/chess/GameWord.sol";
import {ArenaBase} from "./ArenaBase.sol";
import {Fen} from "./Fen.sol";
import {MockVerifier} from "./MockVerifier.sol";
import {Vm} from "./Base.sol";

/// @title Moves, proofs and rankings
contract PlayTest is ArenaBase {
    function test_foolsMate() external {
        uint256 id = begin(true);
        line(id, ["f2f3", "e7e5", "g2g4", "d8h4"]);
        (bool check, bool stuck,) = arena.verdict(id);
        require(check && stuck, "mate");
        vm.prank(ANYONE);
        arena.claimMate(id);
        over(id, Outcome.NpcWon, Reason.Checkmate);
    }

    function test_npcMovesFirstAsWhite() external {
        uint256 id = begin(false);
        refusedHuman(id, 0, "e7e5", ChessArena.NotHumanTurn.selector);
        npc(id, "e2e4");
        human(id, "e7e5");
        eq(plyOf(id), 2, "ply");
    }

    function test_instancesAreWhatTheVerifierGets() external {
        uint256 id = begin(true);
        human(id, "e2e4");
        npc(id, "a7a6");
        human(id, "e4e5");
        // Black's double step allows exd6, so White's answer is asked for with the file in the state.
        npc(id, "d7d5");
        human(id, "e5d6");
        uint256[7] memory seven = arena.instances(id, ANYONE);
        uint256 ranking = rankingOf(id, "e7d6") | uint256(4671) << 13 * 15;
        seven[2] = ranking;
        uint256[] memory list = new uint256[](7);
        for (uint256 i; i < 7; ++i) {
            list[i] = seven[i];
        }
        uint256 request = uint256(keccak256(abi.encode(block.chainid, address(arena), id, uint256(5), ANYONE)));
        eq(seven[0], request >> 128, "request_hi");
        eq(seven[1], uint128(request), "request_lo");
        (uint256 board,) = Fen.parse("rnbqkbnr/1pp1pppp/p2P4/8/8/8/PPPP1PPP/RNBQKBNR b KQkq - 0 3");
        eq(seven[3], uint128(board), "board_lo");
        eq(seven[4], board >> 128, "board_hi");
        bytes memory proof = "thirty-three bytes of proof, abcd";
        verifier.expect(proof, list);

        vm.prank(HUMAN);
        refused(ChessGames.ProofRejected.selector);
        arena.playNpc(id, 5, ranking, proof);
        vm.prank(ANYONE);
        refused(ChessGames.ProofRejected.selector);
        arena.playNpc(id, 5, ranking ^ 1, proof);
        vm.prank(ANYONE);
        refused(ChessGames.ProofRejected.selector);
        arena.playNpc(id, 5, ranking, "thirty-three bytes of proof, abce");
        vm.prank(ANYONE);
        arena.playNpc(id, 5, ranking, proof);
    }

    function test_emptyProofReachesTheVerifier() external {
        uint256 id = begin(false);
        uint256[7] memory seven = arena.instances(id, ANYONE);
        uint256 ranking = rankingOf(id, "e2e4");
        seven[2] = ranking;
        uint256[] memory list = new uint256[](7);
        for (uint256 i; i < 7; ++i) {
            list[i] = seven[i];
        }
        verifier.expect("", list);
        vm.prank(ANYONE);
        arena.playNpc(id, 0, ranking, "");
    }

    function test_rightsAndEnPassantInstances() external {
        // White's king side and Black's queen side; exd6 en passant is legal.
        uint256 id = beginAt("r3k3/8/8/3pP3/8/8/8/4K2R w Kq d6 0 9", false);
        uint256[7] memory seven = arena.instances(id, ANYONE);
        uint256 m = type(uint64).max;
        eq(seven[5], m, "rights_a");
        eq(seven[6], m | 1 << (64 + 4 * 3), "rights_b");
        // The same for Black, who castles on the queen side; White's right is now theirs.
        id = beginAt("r3k3/8/8/8/3pP3/8/8/4K2R b Kq e3 0 9", false);
        seven = arena.instances(id, ANYONE);
        eq(seven[5], m << 64 | m << 128, "rights_a of Black");
        eq(seven[6], 1 << (64 + 4 * 4), "rights_b of Black");
    }

    function test_eventsSayEverything() external {
        uint256 id = begin(true);
        vm.recordLogs();
        human(id, "e2e4");
        npc(id, "c7c5");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        eq(logs.length, 2, "logs");
        require(logs[0].topics[0] == ChessArena.HumanMoved.selector && uint256(logs[0].topics[1]) == id, "topics");
        (uint256 ply, uint256 move, uint256 board, uint256 state, uint256 deadline) =
            abi.decode(logs[0].data, (uint256, uint256, uint256, uint256, uint256));
        (uint256 b, uint256 s) = Fen.parse("rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq - 0 1");
        eq(ply, 0, "ply");
        eq(move, Fen.move("e2e4"), "move");
        eq(board, b, "board");
        eq(state, s, "state");
        eq(deadline, block.timestamp + MOVE_TIME, "deadline");
        uint256 rank;
        uint256 index;
        (ply, move, rank, index, board, state) =
            abi.decode(logs[1].data, (uint256, uint256, uint256, uint256, uint256, uint256));
        (b, s) = Fen.parse("rnbqkbnr/pp1ppppp/8/2p5/4P3/8/PPPP1PPP/RNBQKBNR w KQkq - 0 2");
        eq(ply, 1, "ply");
        eq(move, Fen.move("c7c5"), "move");
        eq(rank, 0, "rank");
        // Two steps up (plane 1) from c2, as Black sees its c7.
        eq(index, 64 + 10, "index");
        eq(board, b, "board");
        eq(state, s, "state");
    }

    function test_verifierThatMisbehaves() external {
        uint256 id = begin(false);
        uint256 ranking = rankingOf(id, "e2e4");
        for (uint256 a = uint256(MockVerifier.Answer.False); a <= uint256(MockVerifier.Answer.Revert); ++a) {
            verifier.set(MockVerifier.Answer(a));
            refused(ChessGames.ProofRejected.selector);
            arena.playNpc(id, 0, ranking, "proof");
        }
        verifier.set(MockVerifier.Answer.Burn);
        refused(ChessGames.ProofRejected.selector);
        arena.playNpc{gas: 1_000_000}(id, 0, ranking, "proof");
        // Code that vanishes in mid-game.
        vm.etch(address(verifier), "");
        refused(ChessGames.ProofRejected.selector);
        arena.playNpc(id, 0, ranking, "proof");
    }

    function test_malformedRankings() external {
        uint256 id = begin(false);
        uint256 ranking = rankingOf(id, "e2e4");
        for (uint256 k; k < 16; ++k) {
            uint256 clear = ranking & ~(uint256(0x1fff) << (13 * k));
            refused(ChessGames.MalformedRanking.selector);
            arena.playNpc(id, 0, clear | uint256(4672) << (13 * k), "proof");
            refused(ChessGames.MalformedRanking.selector);
            arena.playNpc(id, 0, clear | uint256(8191) << (13 * k), "proof");
        }
        refused(ChessGames.MalformedRanking.selector);
        arena.playNpc(id, 0, ranking | 1 << 208, "proof");
        // Just below the bounds.
        for (uint256 k = 1; k < 16; ++k) {
            ranking |= uint256(4671) << (13 * k);
        }
        arena.playNpc(id, 0, ranking, "proof");
    }

    function test_firstLegalOfTheRankedIsPlayed() external {
        uint256 id = begin(false);
        // e2e5, a rook's move over a pawn, off the board, then g1f3.
        uint256 ranking = uint256(2 * 64 + 12) | uint256(3 * 64) << 13 | uint256(6 * 7 * 64) << 26;
        ranking |= indexOf(id, Fen.move("g1f3")) << 39 | indexOf(id, Fen.move("e2e4")) << 52;
        vm.recordLogs();
        arena.playNpc(id, 0, ranking, "proof");
        (, uint256 move, uint256 rank,,,) =
            abi.decode(vm.getRecordedLogs()[0].data, (uint256, uint256, uint256, uint256, uint256, uint256));
        eq(move, Fen.move("g1f3"), "move");
        eq(rank, 3, "rank");
    }

    function test_lastRankedMove() external {
        uint256 id = begin(false);
        arena.playNpc(id, 0, indexOf(id, Fen.move("b1c3")) << 195, "proof");
        eq(plyOf(id), 1, "ply");
    }

    function test_noLegalChoiceLoses() external {
        uint256 id = begin(false);
        arena.playNpc(id, 0, 0, "proof");
        over(id, Outcome.HumanWon, Reason.NoLegalChoice);
    }

    function test_noLegalChoiceWhenMatedOrStalemated() external {
        uint256 id = beginAt("7k/5Q2/8/8/8/8/8/K7 b - - 0 1", false);
        arena.playNpc(id, 1, 0, "proof");
        over(id, Outcome.Draw, Reason.Stalemate);
        id = beginAt("7k/6Q1/6K1/8/8/8/8/8 b - - 0 1", false);
        arena.playNpc(id, 1, 0, "proof");
        over(id, Outcome.HumanWon, Reason.Checkmate);
    }

    function test_staleDuplicateAndOutOfTurn() external {
        uint256 id = begin(true);
        refused(ChessGames.NotNpcTurn.selector);
        arena.playNpc(id, 0, 0, "proof");
        refusedHuman(id, 1, "e2e4", ChessGames.WrongPly.selector);
        human(id, "e2e4");
        refusedHuman(id, 0, "d2d4", ChessGames.WrongPly.selector);
        refusedHuman(id, 1, "e7e5", ChessArena.NotHumanTurn.selector);
        npc(id, "e7e5");
        refused(ChessGames.WrongPly.selector);
        arena.playNpc(id, 1, 0, "proof");
        vm.prank(ANYONE);
        refused(ChessArena.NotYourGame.selector);
        arena.playHuman(id, 2, Fen.move("g1f3"));
        vm.prank(HUMAN);
        arena.resign(id);
        refusedHuman(id, 2, "g1f3", ChessGames.GameIsOver.selector);
        refused(ChessGames.GameIsOver.selector);
        arena.playNpc(id, 2, 0, "proof");
    }

    function test_gamesThatDoNotExist() external {
        refused(ChessGames.NoSuchGame.selector);
        arena.playNpc(77, 0, 0, "proof");
        refused(ChessGames.NoSuchGame.selector);
        arena.playHuman(77, 0, 0);
        refused(ChessGames.NoSuchGame.selector);
        arena.claimTimeout(77);
        refused(ChessGames.NoSuchGame.selector);
        arena.game(77);
        refused(ChessGames.NoSuchGame.selector);
        arena.instances(77, ANYONE);
    }

    function test_illegalHumanMoves() external {
        uint256 id = begin(true);
        string[8] memory bad = ["e2e5", "e1e2", "a1a3", "g1g3", "e7e5", "d3d4", "e2d3", "e2e4q"];
        for (uint256 i; i < bad.length; ++i) {
            refusedHuman(id, 0, bad[i], ChessGames.IllegalMove.selector);
        }
        // Bits above the word's, and promotions that are none.
        uint256 move = Fen.move("e2e4");
        vm.startPrank(HUMAN);
        refused(ChessGames.IllegalMove.selector);
        arena.playHuman(id, 0, move | 1 << 15);
        refused(ChessGames.IllegalMove.selector);
        arena.playHuman(id, 0, move | 1 << 255);
        require(arena.isLegal(id, move) && !arena.isLegal(id, Fen.move("e2e5")), "isLegal");
    }

    function test_blackMovesByAbsoluteSquares() external {
        uint256 id = beginAt("4k3/8/8/8/8/8/p7/4K3 b - - 0 1", true);
        refusedHuman(id, 1, "a2a1", ChessGames.IllegalMove.selector);
        human(id, "a2a1n");
        (uint256 board, uint256 state) = arena.boardOf(id);
        (uint256 b, uint256 s) = Fen.parse("4k3/8/8/8/8/8/8/n3K3 w - - 0 2");
        eq(board, b, "board");
        eq(state, s, "state");
    }

    function test_npcPromotes() external {
        string[4] memory moves = ["b7a8q", "b7a8n", "b7b8b", "b7b8r"];
        string[4] memory fens = [
            "Q3k3/8/8/8/8/8/8/4K3 b - - 0 1",
            "N3k3/8/8/8/8/8/8/4K3 b - - 0 1",
            "rB2k3/8/8/8/8/8/8/4K3 b - - 0 1",
            "rR2k3/8/8/8/8/8/8/4K3 b - - 0 1"
        ];
        for (uint256 i; i < 4; ++i) {
            uint256 id = beginAt("r3k3/1P6/8/8/8/8/8/4K3 w - - 0 1", false);
            npc(id, moves[i]);
            (uint256 board,) = arena.boardOf(id);
            (uint256 b,) = Fen.parse(fens[i]);
            eq(board, b, moves[i]);
        }
    }

    function refusedHuman(uint256 id, uint256 ply, string memory uci, bytes4 selector) private {
        vm.prank(HUMAN);
        refused(selector);
        arena.playHuman(id, ply, Fen.move(uci));
    }
}
