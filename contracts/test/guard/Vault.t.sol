// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {FraudGuard} from "../../src/guard/FraudGuard.sol";
import {GuardedVault} from "../../src/guard/GuardedVault.sol";
import {TokenCall} from "../../src/guard/TokenCall.sol";
import {GuardBase} from "./GuardBase.sol";
import {CallingToken, FalseToken, FeeToken, SilentToken, Token} from "./Tokens.sol";

/// @title ERC-4626: prices, roundings, allowances
contract VaultTest is GuardBase {
    /// @dev A vault in which nothing has happened yet, and which flags nothing but what exceeds its assets.
    function fresh() private returns (GuardedVault v) {
        FraudGuard.Terms memory t = terms();
        (t.singleBps, t.windowBps) = (10_000, 10_000);
        v = new GuardedVault(address(token), "Fresh", "FRS", t);
        vm.prank(HONEST);
        token.approve(address(v), type(uint256).max);
        vm.prank(THIEF);
        token.approve(address(v), type(uint256).max);
    }

    function bound(uint256 x, uint256 low, uint256 high) private pure returns (uint256) {
        return low + x % (high - low + 1);
    }

    function test_metadata() external view {
        eq(vault.decimals(), 21, "decimals");
        require(vault.asset() == address(token), "asset");
        eq(vault.totalAssets(), 200 ether, "assets");
        eq(vault.totalSupply(), 200_000 ether, "supply");
        eq(vault.convertToAssets(1000), 1, "price");
        eq(vault.maxDeposit(HONEST), type(uint96).max, "maxDeposit");
    }

    /// @dev Each preview is exact, and each pair of steps, at any price, leaves no more than there was.
    function testFuzz_roundTripsNeverGain(uint256 a, uint256 b, uint256 gift, bool byShares, bool backByShares)
        external
    {
        GuardedVault v = fresh();
        a = bound(a, 1, 100 ether);
        b = bound(b, 1, 100 ether);
        gift = bound(gift, 0, 50 ether);
        vm.prank(HONEST);
        v.deposit(a, HONEST);
        vm.prank(HONEST);
        token.transfer(address(v), gift);
        uint256 before = token.balanceOf(THIEF);
        uint256 price = price18(v);
        vm.startPrank(THIEF);
        if (byShares) {
            uint256 shares = v.previewDeposit(b);
            uint256 cost = v.previewMint(shares);
            eq(v.mint(shares, THIEF), cost, "mint");
            eq(before - token.balanceOf(THIEF), cost, "taken");
        } else {
            uint256 shares = v.previewDeposit(b);
            eq(v.deposit(b, THIEF), shares, "deposit");
            eq(v.balanceOf(THIEF), shares, "given");
        }
        require(price18(v) >= price, "the price fell on deposit");
        price = price18(v);
        // Whoever got no shares has nothing to give back.
        if (v.balanceOf(THIEF) == 0) return;
        if (backByShares) {
            uint256 shares = v.maxRedeem(THIEF);
            uint256 assets = v.previewRedeem(shares);
            eq(v.redeem(shares, THIEF, THIEF), assets, "redeem");
        } else {
            uint256 assets = v.maxWithdraw(THIEF);
            if (assets == 0) return;
            uint256 shares = v.previewWithdraw(assets);
            require(shares <= v.balanceOf(THIEF), "maxWithdraw is too much");
            eq(v.withdraw(assets, THIEF, THIEF), shares, "withdraw");
        }
        vm.stopPrank();
        require(token.balanceOf(THIEF) + v.escrowed() <= before, "gained");
        require(price18(v) >= price, "the price fell on withdrawal");
    }

    function price18(GuardedVault v) private view returns (uint256) {
        return 1e27 * (v.totalAssets() + 1) / (v.totalSupply() + 1000);
    }

    /// @dev The first depositor gives itself away, whatever it gives and whatever the next one brings.
    function testFuzz_inflationDoesNotPay(uint256 first, uint256 gift, uint256 next) external {
        GuardedVault v = fresh();
        first = bound(first, 1, 1 ether);
        gift = bound(gift, 0, 500 ether);
        next = bound(next, 1, 500 ether);
        uint256 before = token.balanceOf(THIEF);
        vm.startPrank(THIEF);
        v.deposit(first, THIEF);
        token.transfer(address(v), gift);
        vm.stopPrank();
        vm.prank(HONEST);
        uint256 shares = v.deposit(next, HONEST);
        uint256 lost = next - v.previewRedeem(shares);
        // What rounding takes from the next depositor is at most a thousandth of what the first one risks.
        require(lost <= (first + gift) / 1000 + 2, "the next depositor loses");
        vm.startPrank(THIEF);
        v.redeem(v.balanceOf(THIEF), THIEF, THIEF);
        vm.stopPrank();
        require(token.balanceOf(THIEF) + v.escrowed() <= before, "the attack pays");
    }

    /// @dev An incident holds 96 bits of assets: more at once would be delayed as less, and the rest be nobody's.
    function test_noMoreAtOnceThanAnIncidentHolds() external {
        uint256 most = type(uint96).max;
        fund(HONEST, 2 * most);
        put(HONEST, most);
        put(HONEST, most);
        vm.prank(HONEST);
        vm.expectRevert(abi.encodeWithSelector(FraudGuard.TooLarge.selector, most + 1));
        vault.withdraw(most + 1, HONEST, HONEST);
        eq(vault.escrowed(), 0, "nothing is in escrow");
        uint256 incident = flagged(HONEST, most);
        eq(vault.incidents(incident).assets, most, "as much as fits");
        eq(vault.escrowed(), most, "is in escrow");
    }

    /// @dev Shares are 128 bits. Where the assets are gone, a deposit is worth more shares than that.
    function test_noMoreSharesThanTheSupplyHolds() external {
        uint256 lost = token.balanceOf(address(vault));
        vm.prank(address(vault));
        token.transfer(address(0xdead), lost);
        uint256 supply = vault.totalSupply();
        uint256 fits = (type(uint128).max - supply) / (supply + 1000);
        uint256 shares = (fits + 1) * (supply + 1000);
        require(supply + shares > type(uint128).max, "too many");
        fund(HONEST, fits + 1);
        vm.prank(HONEST);
        vm.expectRevert(abi.encodeWithSelector(FraudGuard.TooLarge.selector, shares));
        vault.deposit(fits + 1, HONEST);
        eq(vault.totalSupply(), supply, "as it was");
        put(HONEST, fits);
        eq(vault.totalSupply(), supply + fits * (supply + 1000), "what fits is taken");
    }

    function test_allowances() external {
        vm.prank(ANYONE);
        refused(GuardedVault.InsufficientAllowance.selector);
        vault.withdraw(1, ANYONE, HONEST);
        vm.prank(ANYONE);
        refused(GuardedVault.InsufficientAllowance.selector);
        vault.transferFrom(HONEST, ANYONE, 1);
        vm.prank(HONEST);
        vault.approve(ANYONE, 3000);
        vm.startPrank(ANYONE);
        vault.withdraw(1, ANYONE, HONEST);
        vault.transferFrom(HONEST, ANYONE, 500);
        vault.redeem(1000, ANYONE, HONEST);
        eq(vault.allowance(HONEST, ANYONE), 500, "left");
        refused(GuardedVault.InsufficientAllowance.selector);
        vault.redeem(501, ANYONE, HONEST);
        refused(GuardedVault.InsufficientShares.selector);
        vault.transfer(HONEST, 501);
        vault.transfer(HONEST, 500);
        refused(GuardedVault.InsufficientShares.selector);
        vault.redeem(1, ANYONE, ANYONE);
        refused(GuardedVault.ZeroAddress.selector);
        vault.transfer(address(0), 0);
        refused(GuardedVault.ZeroAddress.selector);
        vault.deposit(0, address(0));
        refused(GuardedVault.ZeroAddress.selector);
        vault.withdraw(1, address(0), ANYONE);
        vm.stopPrank();
        vm.prank(HONEST);
        vault.approve(ANYONE, type(uint256).max);
        vm.prank(ANYONE);
        vault.redeem(1000, ANYONE, HONEST);
        eq(vault.allowance(HONEST, ANYONE), type(uint256).max, "all");
    }

    function test_escrowIsApart() external {
        uint256 price = price18(vault);
        flagged(THIEF, 90 ether);
        eq(vault.totalAssets(), 110 ether, "assets");
        eq(vault.escrowed(), 90 ether, "escrow");
        require(price18(vault) >= price, "price");
        // A gift after the withdrawal belongs to those who stayed.
        vm.prank(HONEST);
        token.transfer(address(vault), 11 ether);
        vm.warp(START + DELAY);
        vault.claim(1);
        eq(token.balanceOf(THIEF), 990 ether, "what it withdrew");
        eq(vault.totalAssets(), 121 ether, "assets");
    }

    function test_amountsThatDontFit() external {
        refused(FraudGuard.TooLarge.selector);
        vault.deposit(uint256(1) << 96, HONEST);
    }
}

/// @title Tokens that don't do as they are told
contract VaultTokens is GuardBase {
    function vaultOf(address asset) private returns (GuardedVault v) {
        v = new GuardedVault(asset, "V", "V", terms());
        vm.prank(HONEST);
        Token(asset).approve(address(v), type(uint256).max);
    }

    function test_fees() external {
        FeeToken fee = new FeeToken();
        fee.mint(HONEST, 10 ether);
        GuardedVault v = vaultOf(address(fee));
        vm.prank(HONEST);
        refused(TokenCall.TransferFailed.selector);
        v.deposit(1 ether, HONEST);
    }

    function test_answerFalse() external {
        FalseToken f = new FalseToken();
        f.mint(HONEST, 100 ether);
        GuardedVault v = vaultOf(address(f));
        vm.startPrank(HONEST);
        v.deposit(50 ether, HONEST);
        f.setBroken(true);
        refused(TokenCall.TransferFailed.selector);
        v.deposit(1 ether, HONEST);
        refused(TokenCall.TransferFailed.selector);
        v.withdraw(1 ether, HONEST, HONEST);
        // Into escrow it goes without a transfer; the claim can be made again when the token is well.
        v.withdraw(20 ether, HONEST, HONEST);
        vm.warp(START + DELAY);
        refused(TokenCall.TransferFailed.selector);
        v.claim(1);
        f.setBroken(false);
        v.claim(1);
        eq(f.balanceOf(HONEST), 70 ether, "paid");
    }

    function test_silentOnesWork() external {
        SilentToken s = new SilentToken();
        s.mint(HONEST, 100e6);
        GuardedVault v = new GuardedVault(address(s), "V", "V", terms());
        vm.startPrank(HONEST);
        v.deposit(100e6, HONEST);
        v.withdraw(10e6, HONEST, HONEST);
        eq(s.balanceOf(HONEST), 10e6, "paid");
        eq(v.decimals(), 9, "decimals");
    }

    /// @dev Each function that moves value, called from within each that moves tokens.
    function test_reentrancy() external {
        CallingToken c = new CallingToken();
        c.mint(HONEST, 1000 ether);
        GuardedVault v = vaultOf(address(c));
        vm.startPrank(HONEST);
        v.deposit(100 ether, HONEST);
        bytes[5] memory inner = [
            abi.encodeCall(GuardedVault.deposit, (0, HONEST)),
            abi.encodeCall(GuardedVault.mint, (0, HONEST)),
            abi.encodeCall(GuardedVault.withdraw, (0, HONEST, address(c))),
            abi.encodeCall(GuardedVault.redeem, (0, HONEST, address(c))),
            abi.encodeCall(GuardedVault.claim, (1))
        ];
        v.withdraw(50 ether, HONEST, HONEST);
        vm.warp(START + DELAY);
        for (uint256 i; i < 5; ++i) {
            c.arm(address(v), inner[i]);
            v.deposit(1 ether, HONEST);
            locked(c, "deposit");
            v.mint(1000, HONEST);
            locked(c, "mint");
            v.withdraw(1, HONEST, HONEST);
            locked(c, "withdraw");
            v.redeem(1000, HONEST, HONEST);
            locked(c, "redeem");
        }
        v.claim(1);
        locked(c, "claim");
        refused(FraudGuard.WrongStatus.selector);
        v.claim(1);
    }

    function locked(CallingToken c, string memory what) private view {
        require(!c.succeeded() && c.reason() == GuardedVault.Reentered.selector, what);
    }
}
