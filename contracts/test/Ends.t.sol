// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ChessArena} from "../src/ChessArena.sol";
import {ChessGames} from "../src/chess/ChessGames.sol";
import {Outcome, Reason} from "../src/chess/GameWord.sol";
import {ArenaBase} from "./ArenaBase.sol";

/// @title Claims: mate, stalemate, draws and time
contract EndsTest is ArenaBase {
    string private constant QUIET = "4k3/7p/8/8/8/8/7P/R3K3 w - - 0 1";

    function test_mateOfEitherSide() external {
        uint256 id = beginAt("R5k1/5ppp/8/8/8/8/8/K7 b - - 0 1", false);
        arena.claimMate(id);
        over(id, Outcome.HumanWon, Reason.Checkmate);
        id = beginAt("R5k1/5ppp/8/8/8/8/8/K7 b - - 0 1", true);
        arena.claimMate(id);
        over(id, Outcome.NpcWon, Reason.Checkmate);
        refused(ChessGames.GameIsOver.selector);
        arena.claimMate(id);
    }

    function test_stalemateIsADraw() external {
        uint256 id = beginAt("7k/5Q2/8/8/8/8/8/K7 b - - 0 1", false);
        refused(ChessGames.ClaimRefused.selector);
        arena.claimMate(id);
        arena.claimStalemate(id);
        over(id, Outcome.Draw, Reason.Stalemate);
    }

    function test_falseClaims() external {
        uint256 id = beginAt(QUIET, true);
        bytes4 no = ChessGames.ClaimRefused.selector;
        refused(no);
        arena.claimMate(id);
        refused(no);
        arena.claimStalemate(id);
        vm.prank(HUMAN);
        refused(no);
        arena.claimDraw(id);
        refused(ChessGames.TimeIsNotUp.selector);
        arena.claimTimeout(id);
        id = beginAt("R5k1/5ppp/8/8/8/8/8/K7 b - - 0 1", true);
        refused(no);
        arena.claimStalemate(id);
    }

    function test_fiftyMoves() external {
        uint256 id = beginAt("4k3/7p/8/8/8/8/7P/R3K3 w - - 98 60", true);
        human(id, "a1a2");
        vm.prank(HUMAN);
        refused(ChessGames.ClaimRefused.selector);
        arena.claimDraw(id);
        npc(id, "e8e7");
        vm.prank(ANYONE);
        refused(ChessArena.NotYourGame.selector);
        arena.claimDraw(id);
        vm.warp(block.timestamp + MOVE_TIME + 1);
        vm.prank(HUMAN);
        refused(ChessGames.TimeIsUp.selector);
        arena.claimDraw(id);
        vm.warp(block.timestamp - 1);
        vm.prank(HOST);
        arena.claimDraw(id);
        over(id, Outcome.Draw, Reason.FiftyMoves);
    }

    function test_mateComesBeforeFiftyMoves() external {
        uint256 id = beginAt("6k1/5ppp/8/8/8/8/8/K6R w - - 99 70", true);
        human(id, "h1d1");
        vm.prank(HOST);
        arena.claimDraw(id);
        over(id, Outcome.Draw, Reason.FiftyMoves);
        id = beginAt("6k1/5ppp/8/8/8/8/8/K2R4 w - - 99 70", true);
        human(id, "d1d8");
        vm.prank(HOST);
        refused(ChessGames.ClaimRefused.selector);
        arena.claimDraw(id);
        arena.claimMate(id);
        over(id, Outcome.HumanWon, Reason.Checkmate);
    }

    function test_seventyFiveMovesByItself() external {
        uint256 id = beginAt("4k3/7p/8/8/8/8/7P/R3K3 w - - 149 90", true);
        human(id, "a1a2");
        over(id, Outcome.Draw, Reason.SeventyFiveMoves);
        id = beginAt("4k3/7p/8/8/8/8/7P/R3K3 w - - 149 90", false);
        npc(id, "a1a2");
        over(id, Outcome.Draw, Reason.SeventyFiveMoves);
        id = beginAt("4k3/7p/8/8/8/8/7P/R3K3 w - - 149 90", true);
        human(id, "h2h3");
        over(id, Outcome.Running, Reason.None);
        id = beginAt("6k1/5ppp/8/8/8/8/8/K2R4 w - - 149 90", true);
        human(id, "d1d8");
        over(id, Outcome.HumanWon, Reason.Checkmate);
    }

    function test_threefoldWithTheHumanToMove() external {
        uint256 id = begin(true);
        bytes32[2][] memory pairs = new bytes32[2][](4);
        bytes32 start = arena.game(id).history;
        string[4] memory dance = ["g1f3", "g8f6", "f3g1", "f6g8"];
        for (uint256 i; i < 8; ++i) {
            bool humans = i % 2 == 0;
            if (humans) pairs[i / 2][0] = current(id);
            if (humans) human(id, dance[i % 4]);
            else npc(id, dance[i % 4]);
            if (humans) pairs[i / 2][1] = current(id);
            if (i != 7) claimRefused(id, start, pairs, i / 2 + 1);
        }
        vm.prank(ANYONE);
        refused(ChessArena.NotYourGame.selector);
        arena.claimThreefold(id, start, pairs);
        // Not with a made-up start, nor with a pair twice.
        vm.prank(HUMAN);
        refused(ChessGames.ClaimRefused.selector);
        arena.claimThreefold(id, 0, pairs);
        vm.warp(block.timestamp + MOVE_TIME + 1);
        vm.prank(HUMAN);
        refused(ChessGames.TimeIsUp.selector);
        arena.claimThreefold(id, start, pairs);
        vm.warp(block.timestamp - 1);
        vm.prank(HUMAN);
        arena.claimThreefold(id, start, pairs);
        over(id, Outcome.Draw, Reason.Threefold);
    }

    /// @notice The first position counts for an NPC that plays White; its hash is in the chain from the start.
    function test_threefoldWithTheNpcToMove() external {
        uint256 id = begin(false);
        bytes32[2][] memory pairs = new bytes32[2][](5);
        pairs[0][1] = current(id);
        string[4] memory dance = ["g1f3", "g8f6", "f3g1", "f6g8"];
        for (uint256 i; i < 8; ++i) {
            bool humans = i % 2 == 1;
            if (humans) pairs[i / 2 + 1][0] = current(id);
            if (humans) human(id, dance[i % 4]);
            else npc(id, dance[i % 4]);
            if (humans) pairs[i / 2 + 1][1] = current(id);
            if (i != 7) claimRefused(id, bytes32(uint256(1)), pairs, i / 2 + 2);
        }
        vm.prank(HOST);
        arena.claimThreefold(id, bytes32(uint256(1)), pairs);
        over(id, Outcome.Draw, Reason.Threefold);
    }

    function test_lostCastlingRightIsAnotherPosition() external {
        uint256 id = beginAt("r3k3/7p/8/8/8/8/7P/4K2R w K - 0 1", true);
        bytes32[2][] memory pairs = new bytes32[2][](4);
        bytes32 start = arena.game(id).history;
        string[4] memory dance = ["h1g1", "a8b8", "g1h1", "b8a8"];
        for (uint256 i; i < 8; ++i) {
            bool humans = i % 2 == 0;
            if (humans) pairs[i / 2][0] = current(id);
            if (humans) human(id, dance[i % 4]);
            else npc(id, dance[i % 4]);
            if (humans) pairs[i / 2][1] = current(id);
        }
        claimRefused(id, start, pairs, 4);
    }

    function test_timeoutOfTheHuman() external {
        uint256 id = begin(true);
        vm.warp(block.timestamp + MOVE_TIME);
        refused(ChessGames.TimeIsNotUp.selector);
        arena.claimTimeout(id);
        vm.warp(block.timestamp + 1);
        vm.prank(HUMAN);
        refused(ChessGames.TimeIsUp.selector);
        arena.playHuman(id, 0, 12 | 28 << 6);
        arena.claimTimeout(id);
        over(id, Outcome.NpcWon, Reason.Timeout);
    }

    function test_timeoutOfTheNpc() external {
        uint256 id = begin(true);
        vm.warp(block.timestamp + MOVE_TIME);
        human(id, "e2e4");
        vm.warp(block.timestamp + MOVE_TIME + 1);
        refused(ChessGames.TimeIsUp.selector);
        arena.playNpc(id, 1, 0, "proof");
        arena.claimTimeout(id);
        over(id, Outcome.HumanWon, Reason.Timeout);
    }

    function test_timeoutIsJudgedByThePosition() external {
        string[4] memory fens = [
            "7k/5Q2/8/8/8/8/8/K7 b - - 0 1",
            "R5k1/5ppp/8/8/8/8/8/K7 b - - 0 1",
            "7k/7p/8/8/8/8/8/KN6 w - - 0 1",
            "7k/7p/8/8/8/8/8/K7 b - - 0 1"
        ];
        Outcome[4] memory outcomes = [Outcome.Draw, Outcome.HumanWon, Outcome.HumanWon, Outcome.Draw];
        Reason[4] memory reasons = [Reason.Stalemate, Reason.Checkmate, Reason.Timeout, Reason.InsufficientMaterial];
        for (uint256 i; i < 4; ++i) {
            uint256 id = beginAt(fens[i], false);
            vm.warp(block.timestamp + MOVE_TIME + 1);
            arena.claimTimeout(id);
            over(id, outcomes[i], reasons[i]);
        }
    }

    function current(uint256 id) private view returns (bytes32) {
        (uint256 board, uint256 state) = arena.boardOf(id);
        return arena.positionHash(board, state);
    }

    /// @dev The first `count` pairs are the whole chain, but make no threefold repetition.
    function claimRefused(uint256 id, bytes32 start, bytes32[2][] memory pairs, uint256 count) private {
        bytes32[2][] memory some = new bytes32[2][](count);
        for (uint256 i; i < count; ++i) {
            some[i] = pairs[i];
        }
        vm.prank(HUMAN);
        refused(ChessGames.ClaimRefused.selector);
        arena.claimThreefold(id, start, some);
    }
}
