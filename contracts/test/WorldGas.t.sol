// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {WorldArena} from "../src/WorldArena.sol";
import {FreeVerifier} from "./FreeVerifier.sol";
import {WorldBase} from "./WorldBase.sol";

/// @title What a game of the World costs
/// forge-config: default.isolate = true
contract WorldArenaGasTest is WorldBase {
    function setUp() public override {
        super.setUp();
        vm.etch(address(verifier), address(new FreeVerifier(MODEL)).code);
    }

    function test_rounds() external {
        uint256 id = begin(true);
        vm.snapshotGasLastCall("openGame, World is White");
        vote(ANN, id, "e2e4", 2000);
        vm.snapshotGasLastCall("vote, the game's first");
        vote(BOB, id, "d2d4", 1000);
        vm.snapshotGasLastCall("vote, another move, not ahead");
        vote(CAT, id, "d2d4", 1000);
        vm.snapshotGasLastCall("vote, another account's, not ahead");
        vote(BOB, id, "d2d4", 1000);
        vm.snapshotGasLastCall("vote, the same account's again, takes the lead");
        vm.warp(arena.game(id).deadline);
        vote(ANN, id, "e2e4", 2000);
        vm.snapshotGasLastCall("vote, takes the lead in the last second");
        close(id);
        vm.snapshotGasLastCall("closeRound, the first");
        npc(id, "d7d5");
        vm.snapshotGasLastCall("playNpc, no proof, verifier free");
        vote(ANN, id, "e4d5", 2000);
        vm.snapshotGasLastCall("vote, the first of a later round");
        close(id);
        vm.snapshotGasLastCall("closeRound, a later one");
        vm.prank(BOB);
        arena.claim(id, one(0, "d2d4"));
        vm.snapshotGasLastCall("claim, a vote that wasn't played, first balance");
        vm.warp(block.timestamp + MOVE_TIME + 1);
        arena.claimTimeout(id);
        vm.snapshotGasLastCall("claimTimeout, of the NPC");
        WorldArena.Vote[] memory votes = new WorldArena.Vote[](2);
        (votes[0], votes[1]) = (one(0, "e2e4")[0], one(2, "e4d5")[0]);
        vm.prank(ANN);
        arena.claim(id, votes);
        vm.snapshotGasLastCall("claim, shares of two rounds, first balance");
        id = begin(true);
        vm.warp(block.timestamp + WINDOW + 1);
        arena.claimTimeout(id);
        vm.snapshotGasLastCall("claimTimeout, of a window without votes");
    }
}
