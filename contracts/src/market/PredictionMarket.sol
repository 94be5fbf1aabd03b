// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Balances} from "../Balances.sol";
import {BulletinMarket} from "./BulletinMarket.sol";
import {Market, Status, Terms} from "./Terms.sol";

/// @title Bets on what a publisher will say
/// @notice Who bets on the outcome that a signed bulletin and a proof decide shares all that was bet, in proportion to
/// what was bet on it. Everybody gets their bets back if the market is undecided at its deadline, if the bulletin
/// decides nothing, or if nobody bet on the outcome.
/// @dev No owner, no fee. Shares are rounded down: what is lost, less than a wei for each winner, stays here for good.
/// See `BulletinMarket` for what decides, and for its dangers. Odds are only known when the market closes: a bet just
/// before dilutes those before it.
///
/// Threats: who could gain by what, and the test in test/Market*.t.sol that tries it.
///   a bettor bets when the outcome is known                            test_noBetsAfterTheClose
///   a bettor resolves early, or by a bulletin from before the close    test_bulletinMustBeInTime
///   a forger resolves by words that the publisher never signed         test_alteredBulletins
///   a bettor resolves by another feed's or number's bulletin           test_bulletinOfAnotherFeedOrNumber
///   a bettor resolves by a mirrored or short signature                 test_badSignatures
///   a submitter claims a class or margin that the model didn't give    test_instancesAreWhatTheVerifierGets
///   a submitter sends a copied proof                                   test_proofIsBoundToItsSubmitter
///   a submitter uses a proof for one market in another with its terms  test_proofIsForOneMarket
///   an opener swaps the verifier's code under the market                test_verifierThatChanges
///   a verifier says anything but a clear yes                           test_verifierThatMisbehaves
///   a loser sends a margin too low, so that the market is stuck        test_lowMarginChangesNothing
///   a loser resolves late, or again, for another outcome                test_onlyOnceAndInTime
///   a loser expires a market before its deadline                       test_expiresOnlyAfterTheDeadline
///   a winner claims twice, or withdraws twice by calling back          test_nobodyIsPaidTwice
///   a bettor makes dust of bets to take more by rounding               testFuzz_payoutsAreNeverMoreThanBets
///   a bettor who refuses payment holds the others up                   test_thoseWhoRefusePaymentHurtOnlyThemselves
///   an opener makes a market that can't be decided or paid             test_badTerms
contract PredictionMarket is BulletinMarket, Balances {
    // ---------------------------------------------------------------- errors

    /// @notice There is no such outcome to bet on.
    error NoSuchOutcome(uint256 outcome);

    /// @notice The market has closed.
    error Closed(uint256 close);

    /// @notice A bet of nothing.
    error EmptyBet();

    /// @notice The market is still open.
    error NotSettled(uint256 market);

    /// @notice The caller has nothing to get, or has claimed it.
    error NothingToClaim(uint256 market);

    // ---------------------------------------------------------------- events

    /// @notice Somebody bet.
    event BetPlaced(uint256 indexed market, address indexed account, uint8 indexed outcome, uint256 amount);

    /// @notice An account's share, or its bets, have been credited to it.
    event Claimed(uint256 indexed market, address indexed account, uint256 amount);

    // ---------------------------------------------------------------- storage

    /// @notice What was bet on each outcome, in wei.
    mapping(uint256 market => mapping(uint256 outcome => uint256)) public poolOf;

    /// @notice What each account bet on each outcome and hasn't claimed, in wei.
    mapping(uint256 market => mapping(address account => mapping(uint256 outcome => uint256))) public betOf;

    // ---------------------------------------------------------------- functions

    /// @notice Opens a market. Anyone may.
    function open(Terms calldata terms) external returns (uint256 market) {
        return _open(terms);
    }

    /// @notice Bets the value sent on an outcome. Only before the close.
    /// @param outcome A class of the market's model, but not the one that decides nothing.
    function bet(uint256 market, uint8 outcome) external payable {
        Market storage m = _open(market);
        if (block.timestamp >= m.close) revert Closed(m.close);
        if (outcome >= m.classes || outcome == m.noResult) revert NoSuchOutcome(outcome);
        if (msg.value == 0) revert EmptyBet();
        poolOf[market][outcome] += msg.value;
        betOf[market][msg.sender][outcome] += msg.value;
        emit BetPlaced(market, msg.sender, outcome, msg.value);
    }

    /// @notice Credits what the caller gets of a market that is decided or undecided for good.
    function claim(uint256 market) external returns (uint256 amount) {
        Market storage m = _markets[market];
        Status status = m.status;
        if (status == Status.None) revert NoSuchMarket(market);
        if (status == Status.Open) revert NotSettled(market);
        mapping(uint256 outcome => uint256) storage bets = betOf[market][msg.sender];
        uint256 class = m.class;
        // Nobody can have bet on the class that decides nothing.
        uint256 winning = status == Status.Decided ? poolOf[market][class] : 0;
        if (winning == 0) {
            amount = _takeAll(bets, m.classes);
        } else {
            amount = bets[class] * totalOf(market) / winning;
            bets[class] = 0;
        }
        if (amount == 0) revert NothingToClaim(market);
        _credit(msg.sender, amount);
        emit Claimed(market, msg.sender, amount);
    }

    // ---------------------------------------------------------------- views

    /// @notice What was bet on all outcomes, in wei.
    function totalOf(uint256 market) public view returns (uint256 total) {
        uint256 classes = _markets[market].classes;
        for (uint256 outcome; outcome < classes; ++outcome) {
            total += poolOf[market][outcome];
        }
    }

    // ---------------------------------------------------------------- inner functions

    /// @dev All bets of an account, which it has no more.
    function _takeAll(mapping(uint256 outcome => uint256) storage bets, uint256 classes)
        private
        returns (uint256 amount)
    {
        for (uint256 outcome; outcome < classes; ++outcome) {
            uint256 wei_ = bets[outcome];
            if (wei_ == 0) continue;
            bets[outcome] = 0;
            amount += wei_;
        }
    }

    /// @dev Nothing to do: what everybody gets follows from the pools, when it is claimed.
    function _decided(uint256, Market storage, uint256) internal override {}

    /// @dev Nothing to do either.
    function _undecided(uint256, Market storage) internal override {}
}
