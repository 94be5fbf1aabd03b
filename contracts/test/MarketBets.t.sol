// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Balances} from "../src/Balances.sol";
import {BulletinMarket} from "../src/market/BulletinMarket.sol";
import {PredictionMarket} from "../src/market/PredictionMarket.sol";
import {Terms} from "../src/market/Terms.sol";
import {Vm} from "./Base.sol";
import {MarketBase} from "./MarketBase.sol";

/// @title A bettor that tries to be paid more than once
contract GreedyBettor {
    PredictionMarket private immutable markets;
    uint256 private immutable market;
    uint256 public claimed;

    constructor(PredictionMarket markets_, uint256 market_) {
        (markets, market) = (markets_, market_);
    }

    function bet(uint8 outcome) external payable {
        markets.bet{value: msg.value}(market, outcome);
    }

    function claim() external returns (uint256) {
        return markets.claim(market);
    }

    function withdraw(uint256 amount) external {
        markets.withdraw(payable(address(this)), amount);
    }

    receive() external payable {
        // Neither a claim nor a payment can be had again from in here.
        (bool ok,) = address(markets).call(abi.encodeCall(markets.claim, (market)));
        require(!ok, "claimed twice");
        uint256 rest = markets.balanceOf(address(this));
        (ok,) = address(markets).call(abi.encodeCall(markets.withdraw, (payable(msg.sender), rest + 1)));
        require(!ok, "paid twice");
    }
}

/// @title A bettor that takes no payments
contract RefusingBettor {
    function bet(PredictionMarket markets, uint256 market, uint8 outcome) external payable {
        markets.bet{value: msg.value}(market, outcome);
    }

    function claim(PredictionMarket markets, uint256 market) external {
        markets.claim(market);
    }

    function withdraw(PredictionMarket markets, address payable to, uint256 amount) external {
        markets.withdraw(to, amount);
    }
}

/// @title Bets and what they pay
contract MarketBetsTest is MarketBase {
    address private constant ANN = address(0xa22);
    address private constant BEN = address(0xbe2);
    address private constant CAT = address(0xca7);

    PredictionMarket private markets;
    uint256 private market;

    function setUp() public override {
        super.setUp();
        markets = new PredictionMarket();
        market = markets.open(terms());
        vm.deal(ANN, 100 ether);
        vm.deal(BEN, 100 ether);
        vm.deal(CAT, 100 ether);
    }

    function bet(address account, uint8 outcome, uint256 amount) private {
        vm.prank(account);
        markets.bet{value: amount}(market, outcome);
    }

    function claim(address account) private returns (uint256) {
        vm.prank(account);
        return markets.claim(market);
    }

    function decide(uint256 class) private {
        vm.warp(close);
        resolve(markets, market, bulletin(), class);
    }

    function noClaim(address account) private {
        refused(PredictionMarket.NothingToClaim.selector);
        claim(account);
    }

    function test_winnersShareAllBets() external {
        bet(ANN, 0, 0.5 ether);
        bet(ANN, 0, 0.5 ether);
        bet(ANN, 1, 1 ether);
        bet(BEN, 0, 3 ether);
        bet(CAT, 2, 3 ether);
        eq(markets.poolOf(market, 0), 4 ether, "pool");
        eq(markets.totalOf(market), 8 ether, "total");
        eq(markets.betOf(market, ANN, 0), 1 ether, "bet");
        decide(0);
        vm.recordLogs();
        eq(claim(ANN), 2 ether, "a quarter");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        require(logs[0].topics[0] == PredictionMarket.Claimed.selector, "event");
        eq(uint256(logs[0].topics[1]), market, "market");
        eq(uint256(logs[0].topics[2]), uint160(ANN), "account");
        eq(abi.decode(logs[0].data, (uint256)), 2 ether, "amount");
        eq(claim(BEN), 6 ether, "three quarters");
        noClaim(CAT);
        noClaim(SUBMITTER);
        vm.prank(BEN);
        markets.withdraw(payable(BEN), 6 ether);
        eq(BEN.balance, 103 ether, "paid");
        vm.prank(ANN);
        markets.withdraw(payable(CAT), 2 ether);
        eq(CAT.balance, 99 ether, "paid to another");
        eq(address(markets).balance, 0, "nothing is left");
    }

    function test_betsAreSaid() external {
        vm.recordLogs();
        bet(ANN, 2, 5);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        require(logs[0].topics[0] == PredictionMarket.BetPlaced.selector, "event");
        eq(uint256(logs[0].topics[1]), market, "market");
        eq(uint256(logs[0].topics[2]), uint160(ANN), "account");
        eq(uint256(logs[0].topics[3]), 2, "outcome");
        eq(abi.decode(logs[0].data, (uint256)), 5, "amount");
    }

    function test_noBetsAfterTheClose() external {
        vm.warp(close - 1);
        bet(ANN, 0, 1);
        vm.warp(close);
        vm.prank(BEN);
        vm.expectRevert(abi.encodeWithSelector(PredictionMarket.Closed.selector, close));
        markets.bet{value: 1}(market, 0);
        decide(0);
        vm.prank(BEN);
        refused(BulletinMarket.NotOpen.selector);
        markets.bet{value: 1}(market, 0);
        // Nor by a clock that runs back, as no chain's does.
        vm.warp(close - 1);
        vm.prank(BEN);
        refused(BulletinMarket.NotOpen.selector);
        markets.bet{value: 1}(market, 0);
    }

    function test_badBets() external {
        vm.startPrank(ANN);
        refused(PredictionMarket.NoSuchOutcome.selector);
        markets.bet{value: 1}(market, 4);
        refused(PredictionMarket.NoSuchOutcome.selector);
        markets.bet{value: 1}(market, 255);
        // The class that decides nothing is no outcome.
        refused(PredictionMarket.NoSuchOutcome.selector);
        markets.bet{value: 1}(market, NO_RESULT);
        refused(PredictionMarket.EmptyBet.selector);
        markets.bet(market, 0);
        refused(BulletinMarket.NoSuchMarket.selector);
        markets.bet{value: 1}(2, 0);
        (bool ok,) = address(markets).call{value: 1}("");
        require(!ok, "plain payment");
    }

    function test_noClaimsBefore() external {
        bet(ANN, 0, 1);
        refused(PredictionMarket.NotSettled.selector);
        claim(ANN);
        vm.warp(deadline + 1);
        refused(PredictionMarket.NotSettled.selector);
        claim(ANN);
        refused(BulletinMarket.NoSuchMarket.selector);
        markets.claim(2);
    }

    /// @dev Three bets of two accounts come back, once.
    function checkRefunds() private {
        eq(claim(ANN), 3 ether, "both bets");
        eq(claim(BEN), 5 ether, "the bet");
        noClaim(ANN);
        noClaim(BEN);
        noClaim(CAT);
        eq(markets.balanceOf(ANN) + markets.balanceOf(BEN), address(markets).balance, "all comes back");
    }

    function betThrice() private {
        bet(ANN, 0, 1 ether);
        bet(ANN, 2, 2 ether);
        bet(BEN, 2, 5 ether);
    }

    function test_undecidedGivesBack() external {
        betThrice();
        vm.warp(deadline + 1);
        markets.expire(market);
        checkRefunds();
    }

    function test_noResultGivesBack() external {
        betThrice();
        decide(NO_RESULT);
        checkRefunds();
    }

    function test_outcomeThatNobodyBetOnGivesBack() external {
        betThrice();
        decide(1);
        checkRefunds();
    }

    function test_lowMarginGivesBackInTheEnd() external {
        betThrice();
        vm.warp(close);
        vm.prank(SUBMITTER);
        refused(BulletinMarket.MarginTooLow.selector);
        markets.resolve(market, bulletin(), 0, 9, "proof");
        vm.warp(deadline + 1);
        markets.expire(market);
        checkRefunds();
    }

    function test_nobodyIsPaidTwice() external {
        GreedyBettor greedy = new GreedyBettor(markets, market);
        vm.deal(address(this), 2 ether);
        greedy.bet{value: 2 ether}(0);
        bet(ANN, 0, 2 ether);
        bet(BEN, 1, 4 ether);
        decide(0);
        eq(greedy.claim(), 4 ether, "half");
        refused(PredictionMarket.NothingToClaim.selector);
        greedy.claim();
        refused(Balances.InsufficientBalance.selector);
        greedy.withdraw(5 ether);
        greedy.withdraw(1 ether);
        greedy.withdraw(3 ether);
        eq(address(greedy).balance, 4 ether, "what it won");
        eq(claim(ANN), 4 ether, "the other half");
        eq(address(markets).balance, 4 ether, "is there");
    }

    function test_nobodyIsRefundedTwice() external {
        GreedyBettor greedy = new GreedyBettor(markets, market);
        vm.deal(address(this), 2 ether);
        greedy.bet{value: 2 ether}(0);
        bet(ANN, 1, 2 ether);
        vm.warp(deadline + 1);
        markets.expire(market);
        eq(greedy.claim(), 2 ether, "back");
        refused(PredictionMarket.NothingToClaim.selector);
        greedy.claim();
        greedy.withdraw(2 ether);
        eq(address(markets).balance, 2 ether, "Ann's");
    }

    function test_thoseWhoRefusePaymentHurtOnlyThemselves() external {
        RefusingBettor refuser = new RefusingBettor();
        vm.deal(address(this), 1 ether);
        refuser.bet{value: 1 ether}(markets, market, 0);
        bet(ANN, 0, 1 ether);
        bet(BEN, 1, 2 ether);
        decide(0);
        refuser.claim(markets, market);
        refused(Balances.PaymentFailed.selector);
        refuser.withdraw(markets, payable(address(refuser)), 2 ether);
        claim(ANN);
        vm.prank(ANN);
        markets.withdraw(payable(ANN), 2 ether);
        eq(ANN.balance, 101 ether, "paid");
        refuser.withdraw(markets, payable(CAT), 2 ether);
        eq(CAT.balance, 102 ether, "elsewhere");
    }

    function test_marketsDoNotMix() external {
        Terms memory t = terms();
        t.sequence = SEQUENCE + 1;
        uint256 other = markets.open(t);
        bet(ANN, 0, 1 ether);
        vm.prank(BEN);
        markets.bet{value: 7 ether}(other, 0);
        decide(0);
        eq(claim(ANN), 1 ether, "her own");
        noClaim(BEN);
        eq(markets.totalOf(other), 7 ether, "the other one's");
    }

    /// @notice All shares together are the pool, but for less than a wei for each winner, whatever was bet.
    function testFuzz_payoutsAreNeverMoreThanBets(uint96[8] calldata amounts, uint256 outcomes, uint256 class)
        external
    {
        class %= 4;
        uint256 total;
        uint256 winning;
        uint256 winners;
        for (uint256 i; i < 8; ++i) {
            uint8 outcome = uint8((outcomes >> (8 * i)) % 3);
            // A few bets of dust.
            uint256 amount = i < 3 ? 1 + amounts[i] % 5 : 1 + uint256(amounts[i]);
            vm.deal(bettor(i), amount);
            bet(bettor(i), outcome, amount);
            total += amount;
            if (outcome != class) continue;
            winning += amount;
            ++winners;
        }
        decide(class);
        uint256 paid;
        for (uint256 i; i < 8; ++i) {
            uint256 own = markets.betOf(market, bettor(i), class);
            if (winning == 0 || own != 0) {
                uint256 amount = claim(bettor(i));
                if (winning != 0) eq(amount, own * total / winning, "share");
                paid += amount;
                vm.prank(bettor(i));
                markets.withdraw(payable(bettor(i)), amount);
            } else {
                noClaim(bettor(i));
            }
        }
        require(paid <= total, "more than was bet");
        require(total - paid < (winners == 0 ? 1 : winners), "more than dust is lost");
        eq(address(markets).balance, total - paid, "dust");
    }

    function bettor(uint256 i) private pure returns (address) {
        return address(uint160(0x100000 + i));
    }

    /// @notice A bet in many small parts pays as much as one of the same size.
    function testFuzz_splittingABetGainsNothing(uint96 whole, uint96 part, uint96 others, uint96 lost) external {
        uint256 first = 1 + uint256(part);
        uint256 second = 1 + uint256(whole);
        vm.deal(ANN, first);
        vm.deal(BEN, second);
        vm.deal(CAT, 2 + uint256(others) + lost);
        bet(ANN, 0, first);
        bet(BEN, 0, second);
        bet(CAT, 0, 1 + uint256(others));
        bet(CAT, 1, 1 + uint256(lost));
        decide(0);
        uint256 together = (first + second) * markets.totalOf(market) / markets.poolOf(market, 0);
        require(claim(ANN) + claim(BEN) <= together, "gain");
    }
}
