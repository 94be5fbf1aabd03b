// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {GuardedVault} from "../../src/guard/GuardedVault.sol";
import {Record} from "../../src/guard/Record.sol";
import {GuardBase} from "./GuardBase.sol";

/// @title What those without shares, or without capital, can do to others
contract GuardStrangers is GuardBase {
    function test_strangersWithdrawNothing() external {
        vm.prank(ANYONE);
        vm.expectRevert(abi.encodeWithSelector(GuardedVault.InsufficientShares.selector, 0));
        vault.redeem(0, ANYONE, HONEST);
        vm.prank(ANYONE);
        vm.expectRevert(abi.encodeWithSelector(GuardedVault.InsufficientShares.selector, 0));
        vault.withdraw(0, ANYONE, HONEST);
        (, uint256 sent) = vault.recordOf(HONEST);
        eq(Record.count(sent), 0, "withdrawals");
        eq(vault.incidentCount(), 0, "incidents");
    }

    function test_depositsOfNothingDontCount() external {
        (uint256 before,) = vault.recordOf(HONEST);
        vm.prank(HONEST);
        vault.deposit(0, HONEST);
        (uint256 received,) = vault.recordOf(HONEST);
        eq(received, before, "the record");
    }

    /// @dev Coins that are put in and taken out again in one transaction fill the bucket; then dust is flagged.
    function test_dustDoesntPause() external {
        fund(ANYONE, 18 ether);
        vm.startPrank(ANYONE);
        for (uint256 i; i < 8 && vault.incidentCount() == 0; ++i) {
            vault.deposit(18 ether, ANYONE);
            uint256 all = vault.maxWithdraw(ANYONE);
            if (vault.wouldFlag(all, vault.totalAssets())) all = 1;
            vault.withdraw(all, ANYONE, ANYONE);
            if (all == 1 && vault.incidentCount() == 0) break;
        }
        for (uint256 part = 8 ether; part != 0 && vault.incidentCount() == 0; part /= 2) {
            uint256 most = vault.maxWithdraw(ANYONE);
            if (most != 0) vault.withdraw(most < part ? most : part, ANYONE, ANYONE);
        }
        vm.stopPrank();
        uint256 n = vault.incidentCount();
        require(n != 0, "the bucket is full");
        judge(n, 0, HIGH);
        require(!isPaused(), "paused for dust");
    }
}
