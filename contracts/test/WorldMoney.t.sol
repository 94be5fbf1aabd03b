// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Balances} from "../src/Balances.sol";
import {WorldArena} from "../src/WorldArena.sol";
import {Outcome, Reason} from "../src/chess/GameWord.sol";
import {Fen} from "./Fen.sol";
import {WorldBase} from "./WorldBase.sol";

/// @title A voter that calls back when it is paid, or refuses to be
contract Voter {
    WorldArena private immutable arena;
    bool private immutable refuses;
    uint256 private depth;

    constructor(WorldArena arena_, bool refuses_) {
        (arena, refuses) = (arena_, refuses_);
    }

    function vote(uint256 gameId, uint256 ply, uint256 move) external payable {
        arena.vote{value: msg.value}(gameId, ply, move);
    }

    function claim(uint256 gameId, WorldArena.Vote[] calldata votes) external returns (uint256) {
        return arena.claim(gameId, votes);
    }

    function withdraw(uint256 amount) external {
        arena.withdraw(payable(address(this)), amount);
    }

    receive() external payable {
        if (refuses) revert();
        if (depth++ < 2) arena.withdraw(payable(address(this)), msg.value);
    }
}

/// @title Who gets what
contract WorldMoneyTest is WorldBase {
    address[3] private _voters = [ANN, BOB, CAT];
    string[3] private _moves = ["e2e4", "d2d4", "g1f3"];
    string[2] private _answers = ["e7e5", "d7d5"];

    function test_potIsTakenAtTheOpening() external {
        uint256 id = begin(true);
        eq(HOST.balance, 9 ether, "paid in");
        eq(arena.balanceOf(HOST), 0, "not the host's while the game lasts");
        vm.prank(HOST);
        refused(Balances.InsufficientBalance.selector);
        arena.withdraw(payable(HOST), 1);
        eq(arena.game(id).pot, POT, "pot");
        (bool ok,) = address(arena).call{value: 1}("");
        require(!ok, "plain payment");
    }

    function test_worldWins() external {
        uint256 id = threeRounds();
        arena.playNpc(id, 5, 0, "proof");
        over(id, Outcome.HumanWon, Reason.NoLegalChoice);
        eq(arena.balanceOf(HOST), 0, "the host has nothing");
        // Three rounds, a third of the pot each: Ann had 3/4 of the first and all of the second, Bob the rest.
        uint256 third = POT / 3;
        eq(arena.dueOf(id, 0, Fen.move("e2e4"), ANN), 3000 + POT * 3 / 12, "due");
        eq(claim(ANN, id, 0, "e2e4"), 3000 + POT * 3 / 12, "first");
        eq(claim(BOB, id, 0, "e2e4"), 1000 + POT / 12, "first, Bob");
        eq(claim(ANN, id, 2, "d2d4"), 2000 + third, "second");
        eq(claim(CAT, id, 4, "g1f3"), 5000 + third, "third");
        // What lost its round only goes back.
        eq(claim(CAT, id, 0, "g1h3"), 1000, "not played");
        eq(address(arena).balance, owed() + POT - (POT * 3 / 12 + POT / 12 + 2 * third), "dust");
        require(POT - (POT * 3 / 12 + POT / 12 + 2 * third) < 4, "less than a wei for each claim");
        vm.prank(CAT);
        arena.withdraw(payable(CAT), 6000 + third);
        eq(CAT.balance, 10 ether + third, "paid out");
    }

    function test_npcWins() external {
        uint256 id = threeRounds();
        npc(id, "b8c6");
        // The World goes silent.
        vm.warp(block.timestamp + WINDOW + 1);
        arena.claimTimeout(id);
        over(id, Outcome.NpcWon, Reason.Timeout);
        eq(arena.balanceOf(HOST), POT + 3000 + 1000 + 2000 + 5000, "pot and what was in play");
        refusedClaim(ANN, id, 0, "e2e4");
        refusedClaim(CAT, id, 4, "g1f3");
        eq(claim(CAT, id, 0, "g1h3"), 1000, "not played");
        eq(address(arena).balance, owed(), "to the wei");
    }

    function test_drawGivesBackToAll() external {
        uint256 id = threeRounds();
        npc(id, "b8c6");
        // An open round's votes go back too.
        vote(BOB, id, "b1c3", 7000);
        arena.put(id, 6 | 12 << 252, 6 << 16);
        arena.claimDraw(id);
        over(id, Outcome.Draw, Reason.InsufficientMaterial);
        eq(arena.balanceOf(HOST), POT, "pot");
        eq(claim(ANN, id, 0, "e2e4"), 3000, "Ann");
        eq(claim(BOB, id, 0, "e2e4"), 1000, "Bob");
        eq(claim(BOB, id, 6, "b1c3"), 7000, "Bob's open vote");
        eq(claim(ANN, id, 2, "d2d4"), 2000, "Ann, second");
        eq(claim(CAT, id, 4, "g1f3"), 5000, "Cat");
        eq(claim(CAT, id, 0, "g1h3"), 1000, "Cat, not played");
        eq(address(arena).balance, owed(), "to the wei");
    }

    function test_potGoesBackIfTheWorldNeverMoved() external {
        uint256 id = begin(false);
        vm.warp(block.timestamp + MOVE_TIME + 1);
        arena.claimTimeout(id);
        over(id, Outcome.HumanWon, Reason.Timeout);
        eq(arena.balanceOf(HOST), POT, "pot");
    }

    function test_unplayedVotesGoBack() external {
        uint256 id = begin(true);
        vote(ANN, id, "e2e4", 3000);
        vote(BOB, id, "d2d4", 2999);
        close(id);
        // At once, while the game goes on; and with no share, whoever wins.
        eq(claim(BOB, id, 0, "d2d4"), 2999, "back");
        refusedClaim(BOB, id, 0, "d2d4");
        vm.warp(block.timestamp + MOVE_TIME + 1);
        arena.claimTimeout(id);
        refusedClaim(BOB, id, 0, "d2d4");
        eq(claim(ANN, id, 0, "e2e4"), 3000 + POT, "all of the pot");
    }

    function test_claimsOnceAndInTime() external {
        uint256 id = begin(true);
        world(ANN, id, "e2e4", 3000);
        refusedClaim(ANN, id, 0, "e2e4");
        vm.warp(block.timestamp + MOVE_TIME + 1);
        refusedClaim(ANN, id, 0, "e2e4");
        arena.claimTimeout(id);
        refusedClaim(BOB, id, 0, "e2e4");
        refusedClaim(ANN, id, 0, "d2d4");
        refusedClaim(ANN, id, 2, "e2e4");
        refusedClaim(ANN, 77, 0, "e2e4");
        // The same vote twice in one claim counts once.
        WorldArena.Vote[] memory twice = new WorldArena.Vote[](2);
        twice[0] = twice[1] = WorldArena.Vote(0, Fen.move("e2e4"));
        vm.prank(ANN);
        eq(arena.claim(id, twice), 3000 + POT, "once");
        refusedClaim(ANN, id, 0, "e2e4");
        eq(address(arena).balance, owed(), "to the wei");
    }

    /// @notice Somebody stakes a thousand times what all others did on the last move of a won game.
    function test_lateWhaleTakesOneRoundsPart() external {
        uint256 id = threeRounds();
        npc(id, "b8c6");
        vote(ANN, id, "b1c3", 1000);
        vote(BOB, id, "b1c3", 9 ether);
        close(id);
        arena.playNpc(id, 7, 0, "proof");
        uint256 whale = claim(BOB, id, 6, "b1c3") - 9 ether;
        require(whale <= POT / 4, "a round's part");
        eq(claim(ANN, id, 2, "d2d4"), 2000 + POT / 4, "Ann's round is hers");
    }

    function test_worldVotersAreNotPaidTwice() external {
        Voter thief = new Voter(arena, false);
        vm.deal(address(this), 1 ether);
        uint256 id = begin(true);
        thief.vote{value: 3000}(id, 0, Fen.move("e2e4"));
        vote(ANN, id, "e2e4", 3000);
        close(id);
        vm.warp(block.timestamp + MOVE_TIME + 1);
        arena.claimTimeout(id);
        uint256 due = thief.claim(id, one(0, "e2e4"));
        eq(due, 3000 + POT / 2, "due");
        refused(WorldArena.NothingToClaim.selector);
        thief.claim(id, one(0, "e2e4"));
        refused(Balances.PaymentFailed.selector);
        thief.withdraw(due);
        refused(Balances.InsufficientBalance.selector);
        thief.withdraw(due + 1);
        eq(address(thief).balance, 0, "stolen");
        eq(claim(ANN, id, 0, "e2e4"), due, "Ann's");
    }

    function test_voterWhoRefusesHurtsOnlyItself() external {
        Voter refuser = new Voter(arena, true);
        vm.deal(address(this), 1 ether);
        uint256 id = begin(true);
        refuser.vote{value: 3000}(id, 0, Fen.move("e2e4"));
        vote(ANN, id, "e2e4", 3000);
        close(id);
        vm.warp(block.timestamp + MOVE_TIME + 1);
        arena.claimTimeout(id);
        uint256 due = refuser.claim(id, one(0, "e2e4"));
        refused(Balances.PaymentFailed.selector);
        refuser.withdraw(due);
        claim(ANN, id, 0, "e2e4");
        vm.prank(ANN);
        arena.withdraw(payable(ANN), due);
        eq(ANN.balance, 10 ether - 3000 + due, "Ann is paid");
    }

    /// @notice However a round's stakes are split, what is paid is no more than came in, and no more than dust is lost.
    function testFuzz_sharesAreNeverMoreThanThePot(uint96 pot, uint96 ann, uint96 bob, uint96 cat, uint8 rounds)
        external
    {
        uint256[3] memory stakes;
        (stakes[0], stakes[1], stakes[2]) = (LEAST + ann % (1 << 92), LEAST + bob % (1 << 92), LEAST + cat % (1 << 92));
        uint256 count = 1 + rounds % 3;
        vm.deal(HOST, pot);
        WorldArena.Terms memory t = terms(true);
        vm.prank(HOST);
        uint256 id = arena.openGame{value: pot}(t);
        for (uint256 i; i < count; ++i) {
            for (uint256 v; v < 3; ++v) {
                vm.deal(_voters[v], stakes[v]);
                vote(_voters[v], id, _moves[i], stakes[v]);
            }
            close(id);
            if (i + 1 < count) npc(id, _answers[i]);
        }
        arena.playNpc(id, plyOf(id), 0, "proof");
        uint256 paid;
        for (uint256 v; v < 3; ++v) {
            uint256 gained = claimAll(_voters[v], id, count) - count * stakes[v];
            // Equal stakes in each round: the share is that of one round, but for rounding.
            uint256 fair = uint256(pot) * stakes[v] / (stakes[0] + stakes[1] + stakes[2]);
            require(gained <= fair && gained + count >= fair, "not by weight");
            paid += gained;
        }
        require(paid <= pot && paid + 3 * count >= pot, "not the pot");
    }

    function claimAll(address who, uint256 id, uint256 count) private returns (uint256) {
        WorldArena.Vote[] memory votes = new WorldArena.Vote[](count);
        for (uint256 i; i < count; ++i) {
            votes[i] = WorldArena.Vote(2 * i, Fen.move(_moves[i]));
        }
        vm.prank(who);
        return arena.claim(id, votes);
    }

    /// @dev Ann and Bob, then Ann, then Cat have played a move; the NPC is to move at ply 5.
    function threeRounds() private returns (uint256 id) {
        id = begin(true);
        vote(CAT, id, "g1h3", 1000);
        vote(ANN, id, "e2e4", 3000);
        vote(BOB, id, "e2e4", 1000);
        close(id);
        npc(id, "e7e5");
        world(ANN, id, "d2d4", 2000);
        npc(id, "e5d4");
        world(CAT, id, "g1f3", 5000);
    }

    function owed() private view returns (uint256) {
        return arena.balanceOf(HOST) + arena.balanceOf(ANN) + arena.balanceOf(BOB) + arena.balanceOf(CAT);
    }
}
