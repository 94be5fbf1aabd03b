// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {WorldArena} from "../src/WorldArena.sol";
import {ChessGames} from "../src/chess/ChessGames.sol";
import {Outcome, Reason} from "../src/chess/GameWord.sol";
import {Vm} from "./Base.sol";
import {Fen} from "./Fen.sol";
import {MockVerifier} from "./MockVerifier.sol";
import {WorldBase} from "./WorldBase.sol";

/// @title Rounds: votes, windows, the NPC's answers, ends
contract WorldTest is WorldBase {
    uint256 private constant E2E4 = 12 | 28 << 6;
    uint256 private constant D2D4 = 11 | 27 << 6;

    // ---------------------------------------------------------------- opening

    function test_badWorldTerms() external {
        bytes4 bad = WorldArena.BadTerms.selector;
        vm.deal(address(this), 1 << 97);
        WorldArena.Terms memory t = terms(true);
        t.window = 0;
        refusedTerms(t, 0, bad);
        t.window = 1 << 22;
        refusedTerms(t, 0, bad);
        t = terms(true);
        t.moveTime = 0;
        refusedTerms(t, 0, bad);
        t.moveTime = 1 << 22;
        refusedTerms(t, 0, bad);
        t = terms(true);
        t.leastStake = 0;
        refusedTerms(t, 0, bad);
        t.leastStake = 1 << 96;
        refusedTerms(t, 0, bad);
        t = terms(true);
        refusedTerms(t, 1 << 96, bad);
        // The largest that are allowed; the pot is paid back in full.
        t.window = t.moveTime = (1 << 22) - 1;
        t.leastStake = (1 << 96) - 1;
        uint256 id = arena.openGame{value: (1 << 96) - 1}(t);
        vm.warp(arena.game(id).deadline + 1);
        arena.claimTimeout(id);
        eq(arena.balanceOf(address(this)), (1 << 96) - 1, "pot");
    }

    function test_worldVerifierMustHaveTheModel() external {
        bytes4 bad = ChessGames.NotAVerifier.selector;
        WorldArena.Terms memory t = terms(true);
        t.modelId = keccak256("another model");
        refusedTerms(t, 0, bad);
        t = terms(true);
        t.verifier = ANYONE;
        refusedTerms(t, 0, bad);
        vm.etch(ANYONE, abi.encodePacked(hex"ef0100", address(verifier)));
        refusedTerms(t, 0, bad);
    }

    function test_termsAreAsTheHostSaid() external {
        vm.recordLogs();
        uint256 id = begin(true);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        require(logs.length == 1 && logs[0].topics[0] == WorldArena.GameOpened.selector, "event");
        WorldArena.GameView memory g = arena.game(id);
        require(g.host == HOST && g.verifier == address(verifier) && g.modelId == MODEL, "who");
        require(g.worldIsWhite && g.worldToMove, "turn");
        eq(g.pot, POT, "pot");
        eq(g.leastStake, LEAST, "least stake");
        eq(g.window, WINDOW, "window");
        eq(g.moveTime, MOVE_TIME, "move time");
        eq(g.deadline, block.timestamp + WINDOW, "deadline");
        eq(g.limit, block.timestamp + 2 * WINDOW, "limit");
        id = begin(false);
        g = arena.game(id);
        require(!g.worldIsWhite && !g.worldToMove, "turn of Black");
        eq(g.deadline, block.timestamp + MOVE_TIME, "the NPC's time");
        eq(g.limit, 0, "no window");
    }

    // ---------------------------------------------------------------- rounds

    function test_theMostBackedMoveIsPlayed() external {
        uint256 id = begin(true);
        vote(ANN, id, "e2e4", 3000);
        vote(BOB, id, "d2d4", 2000);
        vote(CAT, id, "d2d4", 1500);
        WorldArena.GameView memory g = arena.game(id);
        eq(g.leader, D2D4, "leader");
        eq(g.leaderWeight, 3500, "weight");
        vm.recordLogs();
        close(id);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        require(logs.length == 1 && logs[0].topics[0] == WorldArena.WorldMoved.selector, "event");
        (uint256 ply, uint256 move, uint256 weight, uint256 board, uint256 state, uint256 deadline) =
            abi.decode(logs[0].data, (uint256, uint256, uint256, uint256, uint256, uint256));
        (uint256 b, uint256 s) = Fen.parse("rnbqkbnr/pppppppp/8/8/3P4/8/PPP1PPPP/RNBQKBNR b KQkq - 0 1");
        eq(ply, 0, "ply");
        eq(move, D2D4, "move");
        eq(weight, 3500, "weight in the event");
        eq(board, b, "board");
        eq(state, s, "state");
        eq(deadline, block.timestamp + MOVE_TIME, "the NPC's time");
        npc(id, "d7d5");
        g = arena.game(id);
        eq(g.deadline, block.timestamp + WINDOW, "the next window");
        eq(g.leader, 0, "no leader yet");
        eq(g.rounds, 1, "rounds");
        eq(g.inPlay, 3500, "in play");
    }

    function test_tallyShowsWeightsAndVoters() external {
        uint256 id = begin(true);
        vote(ANN, id, "e2e4", 3000);
        vote(ANN, id, "e2e4", 1000);
        vote(BOB, id, "e2e4", 1000);
        vote(BOB, id, "d2d4", 2000);
        uint256[] memory moves = new uint256[](3);
        (moves[0], moves[1], moves[2]) = (E2E4, D2D4, 1 | 18 << 6);
        (uint256[] memory weights, uint256[] memory voters) = arena.tally(id, 0, moves);
        eq(weights[0], 5000, "e4");
        eq(voters[0], 2, "e4's voters");
        eq(weights[1], 2000, "d4");
        eq(voters[1], 1, "d4's voters");
        eq(weights[2] + voters[2], 0, "Nc3");
        (uint256 stake, bool played) = arena.stakeOf(id, 0, E2E4, ANN);
        eq(stake, 4000, "Ann's");
        require(!played, "not yet");
    }

    function test_tiesGoToTheFirst() external {
        uint256 id = begin(true);
        vote(ANN, id, "e2e4", 2000);
        vote(BOB, id, "d2d4", 2000);
        eq(arena.game(id).leader, E2E4, "level");
        vote(BOB, id, "d2d4", 1000);
        eq(arena.game(id).leader, D2D4, "ahead");
        vote(ANN, id, "e2e4", 1000);
        eq(arena.game(id).leader, D2D4, "level again");
        close(id);
        (, bool played) = arena.stakeOf(id, 0, D2D4, BOB);
        require(played, "played");
    }

    function test_votesForIllegalMoves() external {
        uint256 id = begin(true);
        string[6] memory bad = ["e2e5", "e1e2", "a1a3", "e7e5", "d3d4", "e2e4q"];
        for (uint256 i; i < bad.length; ++i) {
            refusedVote(ANN, id, 0, Fen.move(bad[i]), LEAST, ChessGames.IllegalMove.selector);
        }
        refusedVote(ANN, id, 0, 0, LEAST, ChessGames.IllegalMove.selector);
        // Bits above the word's don't make another name for a move that has votes.
        vote(ANN, id, "e2e4", LEAST);
        refusedVote(ANN, id, 0, E2E4 | 1 << 16, LEAST, ChessGames.IllegalMove.selector);
        refusedVote(ANN, id, 0, E2E4 | 1 << 255, LEAST, ChessGames.IllegalMove.selector);
        // What was legal in one round is looked at again in the next.
        close(id);
        npc(id, "e7e5");
        refusedVote(ANN, id, 2, E2E4, LEAST, ChessGames.IllegalMove.selector);
    }

    function test_worldPlaysBlackByAbsoluteSquares() external {
        uint256 id = begin(false);
        refusedVote(ANN, id, 0, E2E4, LEAST, WorldArena.NotWorldTurn.selector);
        npc(id, "e2e4");
        world(ANN, id, "e7e5", LEAST);
        (uint256 board,) = arena.boardOf(id);
        (uint256 b,) = Fen.parse("rnbqkbnr/pppp1ppp/8/4p3/4P3/8/PPPP1PPP/RNBQKBNR w KQkq - 0 2");
        eq(board, b, "board");
    }

    function test_votesOutsideTheWindow() external {
        uint256 id = begin(true);
        refusedVote(ANN, 77, 0, E2E4, LEAST, ChessGames.NoSuchGame.selector);
        refusedVote(ANN, id, 1, E2E4, LEAST, ChessGames.WrongPly.selector);
        vm.warp(block.timestamp + WINDOW - WINDOW / 8);
        vote(ANN, id, "e2e4", LEAST);
        vm.warp(arena.game(id).deadline);
        // Its last second counts, and adding to the leader doesn't put the end off.
        vote(ANN, id, "e2e4", LEAST);
        vm.warp(block.timestamp + 1);
        refusedVote(BOB, id, 0, D2D4, 5000, ChessGames.TimeIsUp.selector);
        arena.closeRound(id, 0);
        refusedVote(BOB, id, 0, D2D4, 5000, ChessGames.WrongPly.selector);
        refusedVote(BOB, id, 1, D2D4, 5000, WorldArena.NotWorldTurn.selector);
        vm.warp(block.timestamp + MOVE_TIME + 1);
        arena.claimTimeout(id);
        refusedVote(BOB, id, 1, D2D4, 5000, ChessGames.GameIsOver.selector);
    }

    function test_roundsCloseOnceAndInTime() external {
        uint256 id = begin(true);
        refused(ChessGames.NoSuchGame.selector);
        arena.closeRound(77, 0);
        refused(ChessGames.TimeIsNotUp.selector);
        arena.closeRound(id, 0);
        vm.warp(block.timestamp + WINDOW + 1);
        refused(WorldArena.NoVotes.selector);
        arena.closeRound(id, 0);
        vm.warp(block.timestamp - WINDOW - 1);
        vote(ANN, id, "e2e4", LEAST);
        vm.warp(block.timestamp + WINDOW);
        refused(ChessGames.TimeIsNotUp.selector);
        arena.closeRound(id, 0);
        vm.warp(block.timestamp + 1);
        refused(ChessGames.WrongPly.selector);
        arena.closeRound(id, 2);
        arena.closeRound(id, 0);
        refused(ChessGames.WrongPly.selector);
        arena.closeRound(id, 0);
        refused(WorldArena.NotWorldTurn.selector);
        arena.closeRound(id, 1);
        // The leader of the first round is none of the second.
        npc(id, "e7e5");
        vm.warp(block.timestamp + WINDOW + 1);
        refused(WorldArena.NoVotes.selector);
        arena.closeRound(id, 2);
    }

    // ---------------------------------------------------------------- griefing

    function test_dustIsRefused() external {
        uint256 id = begin(true);
        refusedVote(ANN, id, 0, E2E4, LEAST - 1, WorldArena.StakeTooSmall.selector);
        refusedVote(ANN, id, 0, E2E4, 0, WorldArena.StakeTooSmall.selector);
        vote(ANN, id, "e2e4", LEAST);
        // Nor can one be built up of dust.
        refusedVote(ANN, id, 0, E2E4, 1, WorldArena.StakeTooSmall.selector);
    }

    /// @notice Twenty moves with a vote each make neither another's vote nor the round's end dearer.
    function test_spamCostsOthersNothing() external {
        uint256 id = begin(true);
        vote(ANN, id, "e2e4", 2 * LEAST);
        close(id);
        npc(id, "e7e5");
        vote(ANN, id, "d2d4", 2 * LEAST);
        (uint256 quietVote, uint256 quietClose) = costs(id, "d2d4");
        npc(id, "e5d4");
        string[20] memory spam = [
            "a2a3",
            "a2a4",
            "b2b3",
            "b2b4",
            "c2c3",
            "c2c4",
            "f2f3",
            "f2f4",
            "g2g3",
            "g2g4",
            "h2h3",
            "h2h4",
            "b1a3",
            "b1c3",
            "b1d2",
            "g1f3",
            "g1h3",
            "g1e2",
            "d1d4",
            "e1e2"
        ];
        for (uint256 i; i < spam.length; ++i) {
            vote(BOB, id, spam[i], LEAST);
        }
        vote(ANN, id, "g1f3", 2 * LEAST);
        (uint256 spammedVote, uint256 spammedClose) = costs(id, "g1f3");
        // A knight's move and a pawn's differ by a little; twenty candidates would show as tens of thousands.
        require(spammedVote < quietVote + 2000, "vote");
        require(spammedClose < quietClose + 2000, "close");
    }

    function test_stakesStayUntilTheRoundIsOver() external {
        uint256 id = begin(true);
        vote(ANN, id, "e2e4", 3000);
        vote(BOB, id, "d2d4", 2000);
        refusedClaim(ANN, id, 0, "e2e4");
        refusedClaim(BOB, id, 0, "d2d4");
        // The window is over, the round isn't.
        vm.warp(block.timestamp + WINDOW + 1);
        refusedClaim(BOB, id, 0, "d2d4");
        arena.closeRound(id, 0);
        eq(claim(BOB, id, 0, "d2d4"), 2000, "not played");
        refusedClaim(ANN, id, 0, "e2e4");
    }

    function test_stakesAreCapped() external {
        uint256 id = begin(true);
        vm.deal(ANN, 1 << 98);
        refusedVote(ANN, id, 0, E2E4, 1 << 96, WorldArena.StakeTooLarge.selector);
        vote(ANN, id, "e2e4", (1 << 96) - LEAST - 1);
        refusedVote(ANN, id, 0, E2E4, LEAST + 1, WorldArena.StakeTooLarge.selector);
        vote(ANN, id, "e2e4", LEAST);
        eq(arena.game(id).leaderWeight, (1 << 96) - 1, "all of it");
        close(id);
        npc(id, "e7e5");
        vote(ANN, id, "d2d4", (1 << 96) - 1);
        close(id);
        arena.playNpc(id, 3, 0, "proof");
        over(id, Outcome.HumanWon, Reason.NoLegalChoice);
        eq(claim(ANN, id, 0, "e2e4"), (1 << 96) - 1 + POT / 2, "first");
        eq(claim(ANN, id, 2, "d2d4"), (1 << 96) - 1 + POT / 2, "second");
        eq(address(arena).balance, arena.balanceOf(ANN), "all is hers");
    }

    function test_lateSwingsPutTheEndOff() external {
        uint256 id = begin(true);
        uint256 end = arena.game(id).deadline;
        vote(ANN, id, "e2e4", 2000);
        // With an eighth of the window left, nothing changes.
        vm.warp(end - WINDOW / 8);
        vote(BOB, id, "d2d4", 3000);
        eq(arena.game(id).deadline, end, "in time");
        // In the last second, a change of the leader leaves an eighth more; a vote that changes nothing doesn't.
        vm.warp(end);
        vote(CAT, id, "g1f3", 1000);
        eq(arena.game(id).deadline, end, "no change of leader");
        vote(ANN, id, "e2e4", 2000);
        eq(arena.game(id).leader, E2E4, "swung");
        eq(arena.game(id).deadline, end + WINDOW / 8, "put off");
        vm.warp(end + 1);
        refused(ChessGames.TimeIsNotUp.selector);
        arena.closeRound(id, 0);
        // So Bob can answer.
        vote(BOB, id, "d2d4", 2000);
        close(id);
        (, bool played) = arena.stakeOf(id, 0, D2D4, BOB);
        require(played, "played");
    }

    function test_aWindowHasALatestEnd() external {
        uint256 id = begin(true);
        uint256 end = arena.game(id).deadline;
        uint256 amount = LEAST;
        vote(ANN, id, "e2e4", amount);
        uint256 swings;
        // Two voters outbid each other in each last second.
        while (arena.game(id).deadline != end + WINDOW) {
            vm.warp(arena.game(id).deadline);
            amount += 500;
            vote(BOB, id, swings % 2 == 0 ? "d2d4" : "e2e4", 2 * LEAST);
            require(++swings < 20, "put off for ever");
        }
        eq(arena.game(id).limit, end + WINDOW, "limit");
        vm.warp(end + WINDOW);
        // The very last second belongs to the highest bidder, and the end stays.
        vote(CAT, id, "g1f3", 1 ether);
        eq(arena.game(id).deadline, end + WINDOW, "the end stays");
        vm.warp(end + WINDOW + 1);
        arena.closeRound(id, 0);
        (, bool played) = arena.stakeOf(id, 0, Fen.move("g1f3"), CAT);
        require(played, "the last bid");
    }

    function test_firstVoteInTheLastSecond() external {
        uint256 id = begin(true);
        uint256 end = arena.game(id).deadline;
        vm.warp(end);
        vote(ANN, id, "h2h4", LEAST);
        eq(arena.game(id).deadline, end + WINDOW / 8, "others can answer");
    }

    // ---------------------------------------------------------------- the NPC

    function test_worldProofIsForThisRoundAndSubmitter() external {
        uint256 id = begin(true);
        uint256 other = begin(true);
        vote(ANN, other, "e2e4", LEAST);
        world(ANN, id, "e2e4", LEAST);
        arena.closeRound(other, 0);
        uint256[7] memory seven = arena.instances(id, ANYONE);
        uint256 ranking = rankingOf(id, "c7c5");
        seven[2] = ranking;
        uint256[] memory list = new uint256[](7);
        for (uint256 i; i < 7; ++i) {
            list[i] = seven[i];
        }
        uint256 request = uint256(keccak256(abi.encode(block.chainid, address(arena), id, uint256(1), ANYONE)));
        eq(seven[0], request >> 128, "request_hi");
        eq(seven[1], uint128(request), "request_lo");
        (uint256 board,) = Fen.parse("rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq - 0 1");
        eq(seven[3], uint128(board), "board_lo");
        eq(seven[4], board >> 128, "board_hi");
        verifier.expect("the proof", list);
        // Another submitter, another ranking, another proof, another game at the same ply.
        npcRefused(BOB, id, ranking, "the proof");
        npcRefused(ANYONE, id, ranking ^ 1, "the proof");
        npcRefused(ANYONE, id, ranking, "another proof");
        npcRefused(ANYONE, other, ranking, "the proof");
        verifier.set(MockVerifier.Answer.Two);
        npcRefused(ANYONE, id, ranking, "the proof");
        verifier.expect("the proof", list);
        vm.prank(ANYONE);
        arena.playNpc(id, 1, ranking, "the proof");
        eq(plyOf(id), 2, "played");
    }

    function test_oneAnswerForEachRound() external {
        uint256 id = begin(true);
        refused(ChessGames.NotNpcTurn.selector);
        arena.playNpc(id, 0, 0, "proof");
        world(ANN, id, "e2e4", LEAST);
        refused(ChessGames.WrongPly.selector);
        arena.playNpc(id, 3, 0, "proof");
        npc(id, "e7e5");
        refused(ChessGames.WrongPly.selector);
        arena.playNpc(id, 1, 0, "proof");
        refused(ChessGames.NotNpcTurn.selector);
        arena.playNpc(id, 2, 0, "proof");
        world(ANN, id, "d2d4", LEAST);
        refused(ChessGames.WrongPly.selector);
        arena.playNpc(id, 1, 0, "proof");
        refused(ChessGames.MalformedRanking.selector);
        arena.playNpc(id, 3, 1 << 255, "proof");
    }

    function test_silentNpcLoses() external {
        uint256 id = begin(true);
        world(ANN, id, "e2e4", LEAST);
        vm.warp(block.timestamp + MOVE_TIME);
        refused(ChessGames.TimeIsNotUp.selector);
        arena.claimTimeout(id);
        vm.warp(block.timestamp + 1);
        refused(ChessGames.TimeIsUp.selector);
        arena.playNpc(id, 1, 0, "proof");
        vm.prank(ANYONE);
        arena.claimTimeout(id);
        over(id, Outcome.HumanWon, Reason.Timeout);
    }

    // ---------------------------------------------------------------- ends

    function test_windowWithoutVotesForfeits() external {
        uint256 id = begin(true);
        vm.warp(block.timestamp + WINDOW);
        refused(ChessGames.TimeIsNotUp.selector);
        arena.claimTimeout(id);
        vm.warp(block.timestamp + 1);
        vm.prank(ANYONE);
        arena.claimTimeout(id);
        over(id, Outcome.NpcWon, Reason.Timeout);
        eq(arena.balanceOf(HOST), POT, "pot");
        // Against a bare king it is a draw, as on any clock.
        id = beginAt("7k/7p/8/8/8/8/8/KN6 b - - 0 1", true);
        vm.warp(block.timestamp + WINDOW + 1);
        arena.claimTimeout(id);
        over(id, Outcome.NpcWon, Reason.Timeout);
        id = beginAt("k7/7p/8/8/8/8/8/KN6 b - - 0 1", true);
        arena.put(id, 6 | 1 << 32 | 12 << 252, 1 << 16);
        vm.warp(block.timestamp + WINDOW + 1);
        arena.claimTimeout(id);
        over(id, Outcome.Draw, Reason.InsufficientMaterial);
    }

    function test_roundsWithVotesAreNoTimeout() external {
        uint256 id = begin(true);
        vote(ANN, id, "e2e4", LEAST);
        vm.warp(block.timestamp + 1000 * WINDOW);
        refused(WorldArena.RoundHasVotes.selector);
        arena.claimTimeout(id);
        arena.closeRound(id, 0);
        // In the next round the votes of the last one don't help.
        npc(id, "e7e5");
        vm.warp(block.timestamp + WINDOW + 1);
        arena.claimTimeout(id);
        over(id, Outcome.NpcWon, Reason.Timeout);
    }

    function test_matedAndStalematedWorld() external {
        uint256 id = begin(true);
        refused(ChessGames.ClaimRefused.selector);
        arena.claimMate(id);
        refused(ChessGames.ClaimRefused.selector);
        arena.claimStalemate(id);
        refused(ChessGames.ClaimRefused.selector);
        arena.claimDraw(id);
        id = beginAt("R5k1/5ppp/8/8/8/8/8/K7 b - - 0 1", true);
        refusedVote(ANN, id, 1, Fen.move("g8h8"), LEAST, ChessGames.IllegalMove.selector);
        refused(ChessGames.ClaimRefused.selector);
        arena.claimStalemate(id);
        vm.prank(ANYONE);
        arena.claimMate(id);
        over(id, Outcome.NpcWon, Reason.Checkmate);
        id = beginAt("7k/5Q2/8/8/8/8/8/K7 b - - 0 1", true);
        vm.prank(ANYONE);
        arena.claimStalemate(id);
        over(id, Outcome.Draw, Reason.Stalemate);
        // One who waits for the time to run out gets what the position says.
        id = beginAt("7k/5Q2/8/8/8/8/8/K7 b - - 0 1", true);
        vm.warp(block.timestamp + WINDOW + 1);
        arena.claimTimeout(id);
        over(id, Outcome.Draw, Reason.Stalemate);
    }

    function test_worldMates() external {
        uint256 id = beginAt("6k1/5ppp/8/8/8/8/8/K2R4 w - - 0 40", true);
        world(ANN, id, "d1d8", LEAST);
        arena.claimMate(id);
        over(id, Outcome.HumanWon, Reason.Checkmate);
    }

    function test_anyoneClaimsDrawsInTime() external {
        uint256 id = beginAt("4k3/7p/8/8/8/8/7P/R3K3 w - - 99 60", true);
        world(ANN, id, "a1a2", LEAST);
        vm.warp(block.timestamp + MOVE_TIME + 1);
        vm.prank(ANYONE);
        refused(ChessGames.TimeIsUp.selector);
        arena.claimDraw(id);
        vm.warp(block.timestamp - 1);
        vm.prank(ANYONE);
        arena.claimDraw(id);
        over(id, Outcome.Draw, Reason.FiftyMoves);
        id = beginAt("4k3/8/8/8/8/8/8/4K3 w - - 0 60", true);
        vm.prank(ANYONE);
        arena.claimDraw(id);
        over(id, Outcome.Draw, Reason.InsufficientMaterial);
    }

    function test_seventyFiveMovesEndTheWorldsGame() external {
        uint256 id = beginAt("4k3/7p/8/8/8/8/7P/R3K3 w - - 149 90", true);
        world(ANN, id, "a1a2", LEAST);
        over(id, Outcome.Draw, Reason.SeventyFiveMoves);
        eq(claim(ANN, id, 178, "a1a2"), LEAST, "back");
    }

    function test_anyoneClaimsThreefold() external {
        uint256 id = begin(true);
        bytes32[2][] memory pairs = new bytes32[2][](4);
        bytes32 start = arena.game(id).history;
        string[4] memory dance = ["g1f3", "g8f6", "f3g1", "f6g8"];
        for (uint256 i; i < 8; ++i) {
            bool worlds = i % 2 == 0;
            if (worlds) pairs[i / 2][0] = current(id);
            if (worlds) world(ANN, id, dance[i % 4], LEAST);
            else npc(id, dance[i % 4]);
            if (worlds) pairs[i / 2][1] = current(id);
        }
        vm.prank(ANYONE);
        refused(ChessGames.ClaimRefused.selector);
        arena.claimThreefold(id, 0, pairs);
        vm.warp(block.timestamp + WINDOW + 1);
        refused(ChessGames.TimeIsUp.selector);
        arena.claimThreefold(id, start, pairs);
        vm.warp(block.timestamp - 1);
        vm.prank(ANYONE);
        arena.claimThreefold(id, start, pairs);
        over(id, Outcome.Draw, Reason.Threefold);
    }

    // ---------------------------------------------------------------- helpers

    function current(uint256 id) private view returns (bytes32) {
        (uint256 board, uint256 state) = arena.boardOf(id);
        return arena.positionHash(board, state);
    }

    function refusedTerms(WorldArena.Terms memory t, uint256 pot, bytes4 selector) private {
        refused(selector);
        arena.openGame{value: pot}(t);
    }

    function npcRefused(address who, uint256 id, uint256 ranking, bytes memory proof) private {
        uint256 ply = plyOf(id);
        vm.prank(who);
        refused(ChessGames.ProofRejected.selector);
        arena.playNpc(id, ply, ranking, proof);
    }

    /// @dev The gas of one more vote for a move, and of the round's end.
    function costs(uint256 id, string memory uci) private returns (uint256 voting, uint256 closing) {
        uint256 ply = plyOf(id);
        uint256 move = Fen.move(uci);
        vm.prank(CAT);
        voting = gasleft();
        arena.vote{value: LEAST}(id, ply, move);
        voting -= gasleft();
        vm.warp(arena.game(id).deadline + 1);
        closing = gasleft();
        arena.closeRound(id, ply);
        closing -= gasleft();
    }
}
