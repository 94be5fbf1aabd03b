// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {BulletinMarket} from "./BulletinMarket.sol";
import {IConditionalTokens} from "./IConditionalTokens.sol";
import {Market, Status, Terms} from "./Terms.sol";

/// @title An oracle of Conditional Tokens that nobody runs
/// @notice Prepares a condition for a market's terms, and reports its payouts: all to the outcome that a signed
/// bulletin and a proof decide, or the same to each if the bulletin decides nothing, or nothing decides by the deadline.
/// @dev The adapter itself is the condition's oracle, and what it reports is final. No owner, and no money is here. The
/// question's id is the hash of the terms, so that a condition says all of what decides it. See `BulletinMarket` for
/// that, and for its dangers.
///
/// Outcome slot i is class i, but the class that decides nothing has no slot: those above it move down by one.
///
/// Threats: who could gain by what, and the test in test/Adapter.t.sol that tries it.
///   an opener takes a question's id for other terms                      test_questionIsItsTerms
///   somebody prepares the condition first, so that opening it fails       test_conditionThatIsPreparedAlready
///   somebody prepares the question with another number of outcomes        test_conditionThatIsPreparedAlready
///   somebody opens the same terms first, so that opening them fails       test_sameTermsAreOneMarket
///   somebody else reports payouts                                         test_onlyTheAdapterReports
///   a submitter reports twice, early, late or without a proof             test_onlyOnceAndInTime
///   a submitter resolves by what the publisher never signed               test_onlyThePublishersBulletin
///   a holder of one outcome gains by a bulletin that decides nothing      test_noResultPaysEachTheSame
contract ConditionalTokensAdapter is BulletinMarket {
    // ---------------------------------------------------------------- errors

    /// @notice There is no code at the address of the Conditional Tokens.
    error NoConditionalTokens(address tokens);

    // ---------------------------------------------------------------- storage

    /// @notice The Conditional Tokens to which payouts are reported.
    IConditionalTokens public immutable conditionalTokens;

    /// @notice The market of a question, zero if there is none.
    mapping(bytes32 questionId => uint256 market) public marketOfQuestion;

    /// @notice The question of a market.
    mapping(uint256 market => bytes32 questionId) public questionIdOf;

    // ---------------------------------------------------------------- functions

    /// @param tokens The Conditional Tokens; the chain's one deployment of them.
    constructor(IConditionalTokens tokens) {
        if (address(tokens).code.length == 0) revert NoConditionalTokens(address(tokens));
        conditionalTokens = tokens;
    }

    /// @notice Opens a market and prepares its condition, or finds the one that has these terms already. Anyone may.
    function open(Terms calldata terms) external returns (uint256 market) {
        bytes32 questionId = keccak256(abi.encode(terms));
        market = marketOfQuestion[questionId];
        if (market != 0) return market;
        market = _open(terms);
        marketOfQuestion[questionId] = market;
        questionIdOf[market] = questionId;
        // Anyone can have prepared it before, and it is the same.
        uint256 slots = _slots(_markets[market]);
        if (conditionalTokens.getOutcomeSlotCount(_conditionId(questionId, slots)) == 0) {
            conditionalTokens.prepareCondition(address(this), questionId, slots);
        }
    }

    // ---------------------------------------------------------------- views

    /// @notice The condition of a market.
    function conditionIdOf(uint256 market) external view returns (bytes32) {
        Market storage m = _markets[market];
        if (m.status == Status.None) revert NoSuchMarket(market);
        return _conditionId(questionIdOf[market], _slots(m));
    }

    // ---------------------------------------------------------------- inner functions

    /// @dev Reports all to the slot of a class, or the same to each for the one that decides nothing.
    function _decided(uint256 market, Market storage m, uint256 class) internal override {
        uint256 noResult = m.noResult;
        if (class == noResult) return _reportEqual(market, m);
        uint256[] memory payouts = new uint256[](_slots(m));
        payouts[class > noResult ? class - 1 : class] = 1;
        conditionalTokens.reportPayouts(questionIdOf[market], payouts);
    }

    /// @inheritdoc BulletinMarket
    function _undecided(uint256 market, Market storage m) internal override {
        _reportEqual(market, m);
    }

    function _reportEqual(uint256 market, Market storage m) private {
        uint256[] memory payouts = new uint256[](_slots(m));
        for (uint256 slot; slot < payouts.length; ++slot) {
            payouts[slot] = 1;
        }
        conditionalTokens.reportPayouts(questionIdOf[market], payouts);
    }

    /// @dev How many outcomes a market has.
    function _slots(Market storage m) private view returns (uint256) {
        return m.noResult == NO_CLASS ? m.classes : m.classes - 1;
    }

    function _conditionId(bytes32 questionId, uint256 slots) private view returns (bytes32) {
        return keccak256(abi.encodePacked(address(this), questionId, slots));
    }
}
