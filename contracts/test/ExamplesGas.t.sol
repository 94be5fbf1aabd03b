// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ContestBase} from "./ContestBase.sol";
import {LendingBase} from "./LendingBase.sol";

/// @title What a lending pool's transactions cost, with a verifier that is nearly free
/// forge-config: default.isolate = true
contract LendingGasTest is LendingBase {
    function test_transactions() external {
        vm.startPrank(SUPPLIER);
        pool.supply{value: 1 ether}();
        vm.snapshotGasLastCall("supply");
        pool.redeem(1e20);
        vm.snapshotGasLastCall("redeem");
        vm.stopPrank();
        vm.startPrank(BORROWER);
        pool.borrow(1 ether);
        vm.snapshotGasLastCall("borrow");
        pool.repay{value: 1 ether}(BORROWER);
        vm.snapshotGasLastCall("repay");
        vm.stopPrank();
        period();
        vm.snapshotGasLastCall("checkpoint, nothing asked");
        fill();
        vm.warp(block.timestamp + PERIOD);
        uint256 id = pool.checkpoint();
        vm.snapshotGasLastCall("checkpoint, with a request");
        vm.roll(block.number + 1);
        answer(id, 50);
        vm.snapshotGasLastCall("answer, with the new rate, mock verifier");
    }
}

/// @title What a contest's transactions cost, with a mock architecture of 64 bytes
/// forge-config: default.isolate = true
contract ContestGasTest is ContestBase {
    function test_transactions() external {
        bytes32 weights = keccak256("weights");
        vm.prank(ORGANISER);
        contests.open{value: PRIZE}(terms());
        vm.snapshotGasLastCall("open");
        enter(ALICE, weights);
        vm.snapshotGasLastCall("enter, 64 bytes of commitments");
        reveal();
        vm.snapshotGasLastCall("reveal, 64 rows in 5 limbs");
        uint256 id = ask(ALICE, 0);
        vm.snapshotGasLastCall("ask");
        prove(ALICE, 0, 0, proofOf(weights, id, one(0), address(contests)));
        vm.snapshotGasLastCall("prove, 64 rows, mock architecture");
        vm.warp(block.timestamp + PROVING + 1);
        contests.settle(contest);
        vm.snapshotGasLastCall("settle");
    }
}
