// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {FraudGuard} from "../../src/guard/FraudGuard.sol";
import {GuardedVault} from "../../src/guard/GuardedVault.sol";
import {GuardBase} from "./GuardBase.sol";

/// @dev The same vault without a guard, to see what the guard adds.
contract PlainVault is GuardedVault {
    constructor(address asset_, Terms memory t) GuardedVault(asset_, "Plain", "PLN", t) {}

    function _in(address, address, uint256) internal override {}

    function _out(address, address, uint256, uint256) internal override returns (uint256) {}
}

/// @dev Answers yes in 100 gas or so, to leave the guard's own costs.
contract FreeFraudVerifier {
    bytes32 public constant modelId = keccak256("a fraud model");

    fallback() external {
        assembly ("memory-safe") {
            mstore(0, 1)
            return(0, 0x20)
        }
    }
}

/// @title What the guard costs
/// @notice Whole transactions, with cold storage. "warm" is an account that has a record in this direction.
/// forge-config: default.isolate = true
contract GuardGas is GuardBase {
    uint256 private constant MOST = 15_000;

    function setUp() public override {
        super.setUp();
        vm.etch(address(verifier), address(new FreeFraudVerifier()).code);
    }

    function test_guardedCalls() external {
        PlainVault plain = new PlainVault(address(token), terms());
        uint256[4] memory guarded = calls(vault, "guarded");
        uint256[4] memory bare = calls(plain, "without a guard");
        for (uint256 i = 2; i < 4; ++i) {
            uint256 extra = guarded[i] - bare[i];
            require(extra <= MOST, string.concat("the guard adds ", text(extra)));
            vm.snapshotValue(i == 2 ? "extra: deposit, warm" : "extra: withdraw, warm", extra);
        }
    }

    function calls(GuardedVault v, string memory which) private returns (uint256[4] memory gas) {
        vm.startPrank(HONEST);
        token.approve(address(v), type(uint256).max);
        v.deposit(100 ether, THIEF);
        v.deposit(1 ether, HONEST);
        gas[0] = vm.snapshotGasLastCall(string.concat("deposit, first, ", which));
        v.withdraw(0.1 ether, HONEST, HONEST);
        gas[1] = vm.snapshotGasLastCall(string.concat("withdraw, first, ", which));
        vm.warp(block.timestamp + 60);
        v.deposit(1 ether, HONEST);
        gas[2] = vm.snapshotGasLastCall(string.concat("deposit, warm, ", which));
        v.withdraw(0.1 ether, HONEST, HONEST);
        gas[3] = vm.snapshotGasLastCall(string.concat("withdraw, warm, ", which));
        vm.stopPrank();
    }

    function test_incidents() external {
        take(THIEF, 0.1 ether);
        vm.prank(THIEF);
        vault.withdraw(50 ether, THIEF, THIEF);
        vm.snapshotGasLastCall("withdraw, flagged");
        vm.prank(THIEF);
        vault.withdraw(30 ether, THIEF, THIEF);
        vm.prank(PROVER);
        vault.judge(1, 0, LOW, "");
        vm.snapshotGasLastCall("judge, released, no proof, verifier free");
        vm.prank(PROVER);
        vault.judge(2, 0, HIGH, new bytes(2048));
        vm.snapshotGasLastCall("judge, paused, 2048 proof bytes, verifier free");
        vm.warp(block.timestamp + DELAY);
        vm.prank(THIEF);
        vault.appeal(2);
        vm.snapshotGasLastCall("appeal");
        vm.prank(GOVERNANCE);
        vault.endPause();
        vm.snapshotGasLastCall("endPause");
        vault.claim(1);
        vm.snapshotGasLastCall("claim");
    }
}
