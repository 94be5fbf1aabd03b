// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {PredictionMarket} from "../src/market/PredictionMarket.sol";
import {MarketBase} from "./MarketBase.sol";

/// @title Bets and what they pay
contract MarketBetsTest is MarketBase {
    address internal constant ANN = address(0xa);
    address internal constant BEN = address(0xb);
    address internal constant CAT = address(0xc);

    PredictionMarket internal markets;
    uint256 internal market;

    function setUp() public override {
        super.setUp();
        markets = new PredictionMarket();
        market = markets.open(terms());
        vm.deal(ANN, 100 ether);
        vm.deal(BEN, 100 ether);
        vm.deal(CAT, 100 ether);
    }

    function bet(address account, uint8 outcome, uint256 amount) internal {
        vm.prank(account);
        markets.bet{value: amount}(market, outcome);
    }

    function claim(address account) internal returns (uint256) {
        vm.prank(account);
        return markets.claim(market);
    }

    function test_winnersShareAllBets() external {
        bet(ANN, 0, 1 ether);
        bet(BEN, 0, 3 ether);
        bet(CAT, 2, 4 ether);
        vm.warp(close);
        resolve(markets, market, bulletin(), 0);
        eq(claim(ANN), 2 ether, "a quarter");
        eq(claim(BEN), 6 ether, "three quarters");
        refused(PredictionMarket.NothingToClaim.selector);
        claim(CAT);
        vm.prank(BEN);
        markets.withdraw(payable(BEN), 6 ether);
        eq(BEN.balance, 103 ether, "paid");
    }
}
