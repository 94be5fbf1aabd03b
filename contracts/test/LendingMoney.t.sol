// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {LendingPool} from "../src/examples/LendingPool.sol";
import {LendingBase} from "./LendingBase.sol";
import {TestToken} from "./TestToken.sol";

/// @title A token that calls its receiver, who then tries to be paid again
contract HookedToken is TestToken {
    function transfer(address to, uint256 amount) external override returns (bool) {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
        if (to.code.length != 0) Taker(payable(to)).paid(amount);
        return true;
    }
}

/// @title One who takes collateral back again and again
contract Taker {
    LendingPool private immutable pool;
    bool public stopped;

    constructor(LendingPool pool_) {
        pool = pool_;
    }

    function pledge(TestToken token, uint256 amount) external {
        token.mint(address(this), amount);
        token.approve(address(pool), amount);
        pool.depositCollateral(amount);
    }

    function borrow(uint256 amount) external {
        pool.borrow(amount);
    }

    function take(uint256 amount) external {
        pool.withdrawCollateral(amount);
    }

    function paid(uint256 amount) external {
        try pool.withdrawCollateral(amount) {}
        catch {
            stopped = true;
        }
    }
}

/// @title Supplying, borrowing, and what is owed
contract LendingMoneyTest is LendingBase {
    address internal constant LIQUIDATOR = address(0x119);

    function makeToken() internal override returns (TestToken) {
        return new HookedToken();
    }

    function test_interestIsPaidToSuppliers() external {
        vm.warp(block.timestamp + 365 days);
        // Ten per cent of eighty for a year, of which a tenth is for answers.
        pool.accrue();
        eq(pool.debtOf(BORROWER), 88 ether, "debt");
        eq(pool.reserves(), 0.8 ether, "reserves");
        vm.prank(BORROWER);
        pool.repay{value: 90 ether}(BORROWER);
        eq(pool.debtOf(BORROWER), 0, "paid");
        eq(pool.totalDebtShares(), 0, "all of it");
        eq(pool.balanceOf(BORROWER), 80 ether + 2 ether, "borrowed, and too much");
        uint256 shares = pool.sharesOf(SUPPLIER);
        vm.prank(SUPPLIER);
        uint256 amount = pool.redeem(shares);
        require(
            amount <= 107.2 ether && amount > 107.2 ether - 1e6, "what was supplied and nine tenths of the interest"
        );
        require(pool.cash() >= pool.reserves(), "reserves are kept");
        eq(address(pool).balance, pool.cash() + pool.balanceOf(BORROWER) + pool.balanceOf(SUPPLIER), "every wei");
    }

    function test_debtNeedsCollateral() external {
        bytes4 under = LendingPool.Undercollateralised.selector;
        vm.startPrank(BORROWER);
        pool.withdrawCollateral(46 ether);
        refused(under);
        pool.withdrawCollateral(1 ether);
        refused(under);
        pool.borrow(2 ether);
        refused(LendingPool.NotEnough.selector);
        pool.withdrawCollateral(55 ether);
        vm.stopPrank();
        vm.prank(SUPPLIER);
        refused(under);
        pool.borrow(1);
        pledge(BORROWER, 1000 ether);
        vm.prank(BORROWER);
        refused(LendingPool.NotEnoughCash.selector);
        pool.borrow(20 ether + 1);
        vm.prank(SUPPLIER);
        refused(LendingPool.NotEnoughCash.selector);
        pool.redeem(30e21);
        vm.prank(BORROWER);
        refused(LendingPool.NotEnough.selector);
        pool.redeem(1);
        vm.prank(BORROWER);
        refused(LendingPool.Nothing.selector);
        pool.borrow(0);
    }

    function test_sharesCannotBeInflated() external {
        LendingPool empty = new LendingPool(terms());
        vm.prank(BORROWER);
        empty.supply{value: 1}();
        // Coins that are just sent don't count, and what is supplied counts for everybody's shares at once.
        vm.prank(BORROWER);
        empty.supply{value: 100 ether}();
        vm.prank(SUPPLIER);
        uint256 shares = empty.supply{value: 1 ether}();
        vm.prank(SUPPLIER);
        uint256 back = empty.redeem(shares);
        require(back <= 1 ether && back > 1 ether - 1e6, "nothing is lost by rounding");
        refused(LendingPool.Nothing.selector);
        empty.supply();
    }

    /// @dev The first supplier makes a share dear: debts are rounded up, so that each wei borrowed and paid back is a gift of
    /// another, and the only wei's worth of shares is its own. Without virtual shares the next supplier's coins buy one share.
    function test_giftsByRoundingDoNotRobTheNextSupplier() external {
        LendingPool empty = new LendingPool(terms());
        vm.startPrank(BORROWER);
        token.approve(address(empty), 10 ether);
        empty.depositCollateral(token.balanceOf(BORROWER));
        token.mint(BORROWER, 10 ether);
        empty.depositCollateral(10 ether);
        vm.warp(block.timestamp + 30 days);
        empty.supply{value: 1}();
        uint256 gifts = 100;
        for (uint256 i; i < gifts; ++i) {
            empty.borrow(1);
            empty.repay{value: 2}(BORROWER);
        }
        vm.stopPrank();
        eq(empty.cash(), 1 + gifts, "the gifts are there");
        vm.startPrank(SUPPLIER);
        uint256 shares = empty.supply{value: gifts}();
        uint256 back = empty.redeem(shares);
        vm.stopPrank();
        require(back >= gifts - 1, "no more than a wei is lost");
    }

    function test_onlyUnsoundAccountsAreLiquidated() external {
        vm.prank(BORROWER);
        pool.withdrawCollateral(46 ether);
        vm.deal(LIQUIDATOR, 1000 ether);
        vm.startPrank(LIQUIDATOR);
        refused(LendingPool.Sound.selector);
        pool.liquidate{value: 100 ether}(BORROWER);
        // At ten per cent a year the debt passes 80 % of 108 coins in a year.
        vm.warp(block.timestamp + 365 days);
        refused(LendingPool.SendMore.selector);
        pool.liquidate{value: 87 ether}(BORROWER);
        pool.liquidate{value: 100 ether}(BORROWER);
        vm.stopPrank();
        eq(pool.debtOf(BORROWER), 0, "debt");
        eq(pool.balanceOf(LIQUIDATOR), 12 ether, "what was too much");
        eq(token.balanceOf(LIQUIDATOR), 46.2 ether, "88 coins' worth and 5 %");
        eq(pool.collateralOf(BORROWER), 54 ether - 46.2 ether, "the rest stays the borrower's");
        vm.prank(LIQUIDATOR);
        refused(LendingPool.Sound.selector);
        pool.liquidate{value: 1}(BORROWER);
    }

    function test_badDebtIsWrittenOff() external {
        vm.prank(BORROWER);
        pool.withdrawCollateral(46 ether);
        vm.warp(block.timestamp + 5 * 365 days);
        pool.accrue();
        uint256 debt = pool.debtOf(BORROWER);
        eq(debt, 120 ether, "more than the collateral's 108");
        vm.deal(LIQUIDATOR, 1000 ether);
        vm.prank(LIQUIDATOR);
        pool.liquidate{value: 200 ether}(BORROWER);
        eq(pool.collateralOf(BORROWER), 0, "all collateral");
        eq(token.balanceOf(LIQUIDATOR), 54 ether, "is the liquidator's");
        eq(pool.debtOf(BORROWER) + pool.totalDebt(), 0, "no debt is left");
        uint256 paid = 200 ether - pool.balanceOf(LIQUIDATOR);
        eq(paid, uint256(108 ether) * 10_000 / 10_500, "at the same gain");
        eq(pool.cash(), 20 ether + paid, "cash");
    }

    function test_tokenThatReenters() external {
        Taker taker = new Taker(pool);
        taker.pledge(token, 10 ether);
        taker.borrow(10 ether);
        // Five of ten may be taken back, and not by asking twice.
        taker.take(3 ether);
        require(taker.stopped(), "the second time");
        eq(pool.collateralOf(address(taker)), 7 ether, "collateral");
        eq(token.balanceOf(address(taker)), 3 ether, "tokens");
    }

    function test_termsMustMakeSense() external {
        bytes4 bad = LendingPool.BadTerms.selector;
        LendingPool.Terms memory t = terms();
        t.rate = 256;
        refused(bad);
        new LendingPool(t);
        t = terms();
        t.rate = 0;
        refused(bad);
        new LendingPool(t);
        t = terms();
        t.price = 0;
        refused(bad);
        new LendingPool(t);
        t = terms();
        t.model = 99;
        vm.expectRevert();
        new LendingPool(t);
    }

    /// @notice Whatever is done in whatever order, the pool holds what it owes to the wei.
    function testFuzz_everyWeiIsAccountedFor(uint256 seed) external {
        for (uint256 i; i < 12; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(seed, i)));
            uint256 amount = dice >> 16 & (1 << 63) - 1;
            address who = dice & 8 == 0 ? SUPPLIER : BORROWER;
            vm.warp(block.timestamp + (dice >> 96) % 30 days);
            vm.startPrank(who);
            if (dice % 5 == 0) try pool.supply{value: amount}() {} catch {}
            if (dice % 5 == 1) try pool.redeem(amount * 500) {} catch {}
            if (dice % 5 == 2) try pool.borrow(amount) {} catch {}
            if (dice % 5 == 3) pool.repay{value: amount}(BORROWER);
            if (dice % 5 == 4) try pool.checkpoint() {} catch {}
            vm.stopPrank();
            uint256 owed = pool.balanceOf(SUPPLIER) + pool.balanceOf(BORROWER);
            eq(address(pool).balance, pool.cash() + owed, "coins");
            require(pool.utilisation() <= 1e18, "utilisation");
        }
        // The last one out can be paid, once the debts are.
        vm.deal(BORROWER, 10_000 ether);
        vm.startPrank(BORROWER);
        pool.repay{value: 5000 ether}(BORROWER);
        pool.repay{value: 5000 ether}(SUPPLIER);
        uint256 shares = pool.sharesOf(BORROWER);
        if (shares > 1e6) pool.redeem(shares);
        vm.stopPrank();
        shares = pool.sharesOf(SUPPLIER);
        vm.prank(SUPPLIER);
        if (shares > 1e6) pool.redeem(shares);
    }
}
