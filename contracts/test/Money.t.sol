// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Balances} from "../src/Balances.sol";
import {ChessArena} from "../src/ChessArena.sol";
import {ChessGames} from "../src/chess/ChessGames.sol";
import {Outcome, Reason} from "../src/chess/GameWord.sol";
import {ArenaBase} from "./ArenaBase.sol";
import {MockVerifier} from "./MockVerifier.sol";

/// @title A player that tries to be paid twice
contract Thief {
    ChessArena private immutable arena;
    uint256 private depth;

    constructor(ChessArena arena_) {
        arena = arena_;
    }

    function start(uint256 offerId) external payable returns (uint256) {
        return arena.createGame{value: msg.value}(offerId, true);
    }

    function steal(uint256 amount) external {
        arena.withdraw(payable(address(this)), amount);
    }

    receive() external payable {
        if (depth++ < 2) arena.withdraw(payable(address(this)), msg.value);
    }
}

/// @title Offers, stakes and payments
contract MoneyTest is ArenaBase {
    function test_offerTerms() external {
        bytes4 bad = ChessArena.BadTerms.selector;
        refused(bad);
        arena.openOffer(address(verifier), MODEL, 0, 0, 1);
        refused(bad);
        arena.openOffer(address(verifier), MODEL, 0, 1 << 22, 1);
        refused(bad);
        arena.openOffer(address(verifier), MODEL, 1 << 96, 60, 1);
        refused(bad);
        arena.openOffer(address(verifier), MODEL, 0, 60, 0);
        refused(bad);
        arena.openOffer(address(verifier), MODEL, 0, 60, 1 << 32);
        arena.openOffer(address(verifier), MODEL, (1 << 96) - 1, (1 << 22) - 1, (1 << 32) - 1);
    }

    function test_verifierMustHaveCodeAndTheModel() external {
        bytes4 bad = ChessGames.NotAVerifier.selector;
        refused(bad);
        arena.openOffer(address(verifier), keccak256("another model"), 0, 60, 1);
        refused(bad);
        arena.openOffer(ANYONE, MODEL, 0, 60, 1);
        refused(bad);
        arena.openOffer(address(0), 0, 0, 60, 1);
        refused(bad);
        arena.openOffer(address(arena), 0, 0, 60, 1);
        // The identity precompile, and a key whose account delegates to the verifier's code.
        refused(bad);
        arena.openOffer(address(4), MODEL, 0, 60, 1);
        vm.etch(ANYONE, abi.encodePacked(hex"ef0100", address(verifier)));
        refused(bad);
        arena.openOffer(ANYONE, MODEL, 0, 60, 1);
        // It must still be so when a game begins.
        verifier.setModel(keccak256("another model"));
        vm.prank(HUMAN);
        refused(bad);
        arena.createGame(freeOffer, true);
    }

    function test_stakesMustMatch() external {
        vm.startPrank(HUMAN);
        refused(ChessArena.WrongStake.selector);
        arena.createGame(stakedOffer, true);
        refused(ChessArena.WrongStake.selector);
        arena.createGame{value: STAKE + 1}(stakedOffer, true);
        refused(ChessArena.WrongStake.selector);
        arena.createGame{value: 1}(freeOffer, true);
    }

    function test_offersFillUpAndClose() external {
        uint256 id = beginStaked(true);
        beginStaked(true);
        vm.startPrank(HUMAN);
        refused(ChessArena.OfferUnavailable.selector);
        arena.createGame{value: STAKE}(stakedOffer, true);
        arena.resign(id);
        id = arena.createGame{value: STAKE}(stakedOffer, true);
        refused(ChessArena.NotYourGame.selector);
        arena.closeOffer(stakedOffer);
        refused(ChessArena.OfferUnavailable.selector);
        arena.createGame(99, true);
        vm.stopPrank();
        vm.prank(HOST);
        arena.closeOffer(stakedOffer);
        vm.prank(HUMAN);
        arena.resign(id);
        vm.prank(HUMAN);
        refused(ChessArena.OfferUnavailable.selector);
        arena.createGame{value: STAKE}(stakedOffer, true);
        vm.prank(HOST);
        refused(ChessArena.OfferUnavailable.selector);
        arena.closeOffer(stakedOffer);
    }

    function test_hostMustBeAbleToPay() external {
        vm.prank(HOST);
        arena.withdraw(payable(HOST), 2.5 ether);
        vm.prank(HUMAN);
        refused(Balances.InsufficientBalance.selector);
        arena.createGame{value: STAKE}(stakedOffer, true);
    }

    function test_winnerTakesBoth() external {
        uint256 id = beginStaked(true);
        eq(arena.balanceOf(HOST), 2 ether, "staked");
        human(id, "e2e4");
        arena.playNpc(id, 1, 0, "proof");
        over(id, Outcome.HumanWon, Reason.NoLegalChoice);
        eq(arena.balanceOf(HUMAN), 2 ether, "won");
        id = beginStaked(true);
        vm.prank(HUMAN);
        arena.resign(id);
        eq(arena.balanceOf(HOST), 3 ether, "won back");
        vm.prank(HUMAN);
        arena.withdraw(payable(ANYONE), 2 ether);
        eq(ANYONE.balance, 2 ether, "paid");
        eq(arena.balanceOf(HUMAN), 0, "paid out");
        eq(address(arena).balance, 3 ether, "nothing is lost");
    }

    function test_drawGivesBack() external {
        uint256 id = beginStaked(true);
        arena.put(id, 6 | 12 << 252, 0);
        arena.claimDraw(id);
        over(id, Outcome.Draw, Reason.InsufficientMaterial);
        eq(arena.balanceOf(HOST), 3 ether, "host");
        eq(arena.balanceOf(HUMAN), 1 ether, "human");
    }

    function test_onlyTheHumanResigns() external {
        uint256 id = beginStaked(true);
        vm.prank(HOST);
        refused(ChessArena.NotYourGame.selector);
        arena.resign(id);
        vm.prank(HUMAN);
        arena.resign(id);
        over(id, Outcome.NpcWon, Reason.Resignation);
        vm.prank(HUMAN);
        refused(ChessGames.GameIsOver.selector);
        arena.resign(id);
    }

    function test_nobodyIsPaidTwice() external {
        Thief thief = new Thief(arena);
        vm.deal(address(this), 5 ether);
        uint256 id = thief.start{value: STAKE}(stakedOffer);
        vm.warp(block.timestamp + 1);
        arena.put(id, 6 | 12 << 252, 0);
        arena.claimDraw(id);
        eq(arena.balanceOf(address(thief)), 1 ether, "credited");
        refused(Balances.PaymentFailed.selector);
        thief.steal(1 ether);
        refused(Balances.InsufficientBalance.selector);
        thief.steal(2 ether);
        eq(address(thief).balance, 0, "stolen");
        // Half and half is not theft: the second call finds the rest.
        refused(Balances.PaymentFailed.selector);
        thief.steal(0.5 ether);
        eq(arena.balanceOf(address(thief)), 1 ether, "still there");
    }

    function test_noCoinWithoutDeposit() external {
        vm.deal(address(this), 1 ether);
        (bool ok,) = address(arena).call{value: 1}("");
        require(!ok, "plain payment");
    }

    function test_paymentToOneWhoRefuses() external {
        vm.prank(HOST);
        refused(Balances.PaymentFailed.selector);
        arena.withdraw(payable(address(verifier)), 1);
    }
}
