// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {LendingPool} from "../src/examples/LendingPool.sol";
import {InferenceOracle} from "../src/oracle/InferenceOracle.sol";
import {LendingBase} from "./LendingBase.sol";

/// @title How the model sets the rate, and who else would like to
contract LendingRateTest is LendingBase {
    function test_rateFollowsTheModel() external {
        uint256 id = fill();
        eq(id, 1, "asked once the history is full");
        eq(oracle.requestOf(id).bounty, BOUNTY, "bounty from the reserves");
        answer(id, 50);
        eq(pool.rate(), 50, "rate");
        eq(pool.pending(), 0, "nothing is waited for");
        eq(oracle.balanceOf(PROVER), BOUNTY, "the prover's");
        id = period();
        answer(id, 47);
        eq(pool.rate(), 47, "down again");
        // What the model saw: the rates of the periods that are over, the oldest first.
        uint256 number = pool.checkpoints();
        eq(input(number, 63), 50, "the last rate");
        eq(input(number, 62), RATE, "the one before");
        eq(input(number, 31), 204, "four fifths");
        eq(input(number, 0), 204, "four fifths");
    }

    function test_aBountyIsAddedTo() external {
        fill();
        vm.warp(block.timestamp + PERIOD);
        vm.prank(SUPPLIER);
        uint256 id = pool.checkpoint{value: 1 ether}();
        eq(oracle.requestOf(id).bounty, 1 ether + BOUNTY, "both");
    }

    function test_onlyTheOwnRequestSetsTheRate() external {
        uint256 id = fill();
        uint256[] memory output = new uint256[](1);
        output[0] = 1000;
        refused(LendingPool.NotTheOracle.selector);
        pool.onInference(id, model, output);
        // Anybody may ask any model and name the pool as the one to be told.
        InferenceOracle.Callback memory callback = InferenceOracle.Callback(address(pool), pool.CALLBACK_GAS());
        uint64 deadline = uint64(block.timestamp) + 10;
        bytes memory data = abi.encode(pool.checkpoints());
        uint256 own = oracle.requestView(model, address(pool), data, block.number - 1, callback, deadline);
        oracle.answer(own, new uint256[](0), output, "proof");
        require(!oracle.requestOf(own).delivered, "the pool didn't take it");
        eq(pool.rate(), RATE, "rate");
        eq(pool.pending(), id, "still waiting");
    }

    function test_lateAnswerIsRefused() external {
        uint256 old = fill();
        uint256 id = period();
        refused(InferenceOracle.DeadlinePassed.selector);
        vm.warp(block.timestamp + 1);
        answer(old, 50);
        eq(pool.rate(), RATE, "rate");
        // A deadline that hasn't passed helps nobody either, once the next question is asked.
        vm.warp(block.timestamp - 1);
        answer(old, 50);
        require(!oracle.requestOf(old).delivered, "the pool didn't take it");
        eq(pool.rate(), RATE, "still");
        answer(id, 45);
        eq(pool.rate(), 45, "the new one");
    }

    function test_anAnswerCountsOnce() external {
        uint256 id = fill();
        answer(id, 50);
        uint256[] memory output = new uint256[](1);
        output[0] = 200;
        refused(InferenceOracle.NotOpen.selector);
        oracle.answer(id, new uint256[](0), output, "proof");
        refused(InferenceOracle.NothingToDeliver.selector);
        oracle.deliver(id, output);
        eq(pool.rate(), 50, "rate");
    }

    function test_rateIsClamped() external {
        uint256 id = fill();
        answer(id, 255);
        eq(pool.rate(), RATE + 12, "a step up");
        id = period();
        uint256[] memory output = new uint256[](1);
        output[0] = 0;
        oracle.answer(id, new uint256[](0), output, "proof");
        eq(pool.rate(), RATE, "a step down");
        for (uint256 i; i < 4; ++i) {
            answer(period(), 0);
        }
        eq(pool.rate(), 1, "the least");
        for (uint256 i; i < 23; ++i) {
            answer(period(), 400);
        }
        eq(pool.rate(), 255, "the most");
    }

    function test_withoutAnswersTheRateStays() external {
        uint256 id = fill();
        period();
        period();
        eq(pool.rate(), RATE, "rate");
        // Nor is the bounty lost, even if somebody else has the oracle pay it back.
        uint256 reserves = pool.reserves();
        oracle.refund(id);
        pool.recover(id);
        eq(pool.reserves(), reserves + BOUNTY, "back");
        vm.warp(block.timestamp + 1);
        pool.recover(id + 1);
        eq(pool.reserves(), reserves + 2 * BOUNTY, "this one, too");
        eq(oracle.balanceOf(address(pool)), 0, "nothing is left");
        refused(LendingPool.NotTheOracle.selector);
        this.pay();
    }

    function pay() external {
        vm.deal(address(this), 1);
        (bool ok, bytes memory why) = address(pool).call{value: 1}("");
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(why, 0x20), mload(why))
            }
        }
    }

    function test_utilisationIsAMean() external {
        // For all but a second of the period four fifths are lent; the whale comes in just before the checkpoint.
        vm.warp(block.timestamp + PERIOD - 1);
        vm.prank(SUPPLIER);
        pool.supply{value: 900 ether}();
        eq(pool.utilisation() / 1e16, 8, "8 % at the end");
        vm.warp(block.timestamp + 1);
        pool.checkpoint();
        eq(input(1, 31), 204, "80 % for the model");
        // And one that stays in counts in full.
        vm.warp(block.timestamp + PERIOD);
        pool.checkpoint();
        eq(input(2, 31), 20, "8 % from then on");
    }

    function test_historyNeverChanges() external {
        fill();
        uint256 number = pool.checkpoints();
        uint256 then = block.number - 1;
        uint256[] memory before = pool.inferenceInput(abi.encode(number), then);
        answer(pool.pending(), 50);
        vm.prank(SUPPLIER);
        pool.supply{value: 100 ether}();
        period();
        uint256[] memory afterwards = pool.inferenceInput(abi.encode(number), then);
        for (uint256 i; i < 3; ++i) {
            eq(before[i], afterwards[i], "limb");
        }
        // Of the future it says nothing.
        refused(LendingPool.NoCheckpoint.selector);
        pool.inferenceInput(abi.encode(number + 1), then);
        refused(LendingPool.NoCheckpoint.selector);
        pool.inferenceInput(abi.encode(number + 2), block.number);
        refused(LendingPool.NoCheckpoint.selector);
        pool.inferenceInput(abi.encode(uint256(0)), block.number);
    }

    function test_oneCheckpointAPeriod() external {
        vm.warp(block.timestamp + PERIOD - 1);
        refused(LendingPool.TooEarly.selector);
        pool.checkpoint();
        vm.warp(block.timestamp + 1);
        vm.prank(SUPPLIER);
        eq(pool.checkpoint{value: 1 ether}(), 0, "no history to ask about");
        eq(pool.balanceOf(SUPPLIER), 1 ether, "nothing to pay for");
        refused(LendingPool.TooEarly.selector);
        pool.checkpoint();
    }

    function test_inputFitsTheSchema() external {
        uint256 id = fill();
        uint256[] memory words = oracle.instances(id, new uint256[](0), PROVER);
        eq(words.length, 5, "request and three limbs");
        require(words[2] < 1 << 248 && words[3] < 1 << 248 && words[4] < 1 << 16, "bytes");
    }
}
