// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {BulletinMarket} from "../src/market/BulletinMarket.sol";
import {ConditionalTokensAdapter} from "../src/market/ConditionalTokensAdapter.sol";
import {IConditionalTokens} from "../src/market/IConditionalTokens.sol";
import {Status, Terms} from "../src/market/Terms.sol";
import {FakeConditionalTokens} from "./FakeConditionalTokens.sol";
import {MockVerifier} from "./MockVerifier.sol";
import {ResolveBase} from "./ResolveBase.sol";

/// @title Conditions are decided by bulletins and proofs alone, and paid out right
contract AdapterTest is ResolveBase {
    FakeConditionalTokens private tokens;

    function deployed() internal override returns (BulletinMarket) {
        tokens = new FakeConditionalTokens();
        return new ConditionalTokensAdapter(IConditionalTokens(address(tokens)));
    }

    function opened(Terms memory terms_) internal override returns (uint256) {
        return adapter().open(terms_);
    }

    function adapter() private view returns (ConditionalTokensAdapter) {
        return ConditionalTokensAdapter(address(at));
    }

    function questionOf(Terms memory terms_) private pure returns (bytes32) {
        return keccak256(abi.encode(terms_));
    }

    /// @dev Checks the payouts of a market's condition, nothing where they have not been reported.
    function checkPayouts(uint256 id, uint256[] memory expected) private view {
        bytes32 condition = adapter().conditionIdOf(id);
        eq(tokens.getOutcomeSlotCount(condition), expected.length, "slots");
        uint256 sum;
        for (uint256 i; i < expected.length; ++i) {
            eq(tokens.payoutNumerators(condition, i), expected[i], "numerator");
            sum += expected[i];
        }
        eq(tokens.payoutDenominator(condition), sum, "denominator");
    }

    function three(uint256 a, uint256 b, uint256 c) private pure returns (uint256[] memory list) {
        list = new uint256[](3);
        (list[0], list[1], list[2]) = (a, b, c);
    }

    function test_openingPreparesTheCondition() external view {
        bytes32 question = questionOf(terms());
        require(adapter().questionIdOf(market) == question, "question");
        eq(adapter().marketOfQuestion(question), market, "market");
        bytes32 condition = tokens.getConditionId(address(at), question, 3);
        require(adapter().conditionIdOf(market) == condition, "condition");
        checkPayouts(market, three(0, 0, 0));
    }

    function test_eachClassPaysItsSlot() external {
        // The class that decides nothing may be any, or none.
        checkClass(terms(), 0, three(1, 0, 0));
        checkClass(terms(), 2, three(0, 0, 1));
        Terms memory t = terms();
        t.noResult = 1;
        checkClass(t, 0, three(1, 0, 0));
        checkClass(t, 2, three(0, 1, 0));
        checkClass(t, 3, three(0, 0, 1));
        t.noResult = 0;
        checkClass(t, 1, three(1, 0, 0));
        checkClass(t, 3, three(0, 0, 1));
        (t.classes, t.noResult) = (3, 255);
        checkClass(t, 0, three(1, 0, 0));
        checkClass(t, 2, three(0, 0, 1));
    }

    function checkClass(Terms memory terms_, uint256 class, uint256[] memory payouts) private {
        uint256 state = vm.snapshotState();
        uint256 id = opened(terms_);
        vm.warp(close);
        resolve(at, id, bulletin(), class);
        checkPayouts(id, payouts);
        vm.revertToState(state);
    }

    function test_noResultPaysEachTheSame() external {
        vm.warp(close);
        resolve(at, market, bulletin(), NO_RESULT);
        eq(statusOf(market), uint256(Status.Decided), "status");
        checkPayouts(market, three(1, 1, 1));
    }

    function test_undecidedPaysEachTheSame() external {
        vm.warp(deadline + 1);
        at.expire(market);
        checkPayouts(market, three(1, 1, 1));
    }

    function test_onlyThePublishersBulletin() external {
        vm.warp(close);
        refused(BulletinMarket.WrongPublisher.selector);
        resolve(signed(OTHER_KEY, FEED, SEQUENCE, close, TEXT));
        checkPayouts(market, three(0, 0, 0));
    }

    function test_onlyTheAdapterReports() external {
        bytes32 question = questionOf(terms());
        vm.prank(OTHER);
        refused(FakeConditionalTokens.NotPrepared.selector);
        tokens.reportPayouts(question, three(0, 1, 0));
        // Somebody's own condition about the same question is another one.
        vm.prank(OTHER);
        tokens.prepareCondition(OTHER, question, 3);
        vm.prank(OTHER);
        tokens.reportPayouts(question, three(0, 1, 0));
        checkPayouts(market, three(0, 0, 0));
        vm.warp(close);
        resolve(bulletin());
        checkPayouts(market, three(1, 0, 0));
    }

    function test_conditionThatIsPreparedAlready() external {
        Terms memory t = terms();
        t.question = "Prepared by somebody else";
        bytes32 question = questionOf(t);
        vm.startPrank(OTHER);
        tokens.prepareCondition(address(at), question, 3);
        tokens.prepareCondition(address(at), question, 2);
        tokens.prepareCondition(address(at), question, 4);
        vm.stopPrank();
        uint256 id = opened(t);
        vm.warp(close);
        resolve(at, id, bulletin(), 1);
        checkPayouts(id, three(0, 1, 0));
        eq(tokens.payoutDenominator(tokens.getConditionId(address(at), question, 2)), 0, "two slots");
        eq(tokens.payoutDenominator(tokens.getConditionId(address(at), question, 4)), 0, "four slots");
    }

    function test_sameTermsAreOneMarket() external {
        vm.prank(OTHER);
        vm.recordLogs();
        eq(opened(terms()), market, "found");
        eq(vm.getRecordedLogs().length, 0, "nothing happened");
        eq(at.marketCount(), 1, "one market");
        // Also when it is over.
        vm.warp(deadline + 1);
        at.expire(market);
        eq(opened(terms()), market, "found");
        eq(statusOf(market), uint256(Status.Undecided), "status");
    }

    /// @notice A change of any of the terms is another question.
    function test_questionIsItsTerms() external {
        bytes32 otherModel = keccak256("another model");
        for (uint256 field; field < 11; ++field) {
            uint256 count = at.marketCount();
            Terms memory t = terms();
            if (field == 0) t.publisher = OTHER;
            if (field == 1) t.feedId = keccak256("other");
            if (field == 2) ++t.sequence;
            if (field == 3) ++t.close;
            if (field == 4) ++t.deadline;
            if (field == 5) t.verifier = address(new MockVerifier(MODEL));
            if (field == 6) t.modelId = otherModel;
            verifier.setModel(t.modelId);
            if (field == 7) ++t.minMargin;
            if (field == 8) ++t.classes;
            if (field == 9) --t.noResult;
            if (field == 10) t.question = "Rovers - United: draw, home, away?";
            uint256 id = opened(t);
            eq(id, count + 1, "a new market");
            require(adapter().questionIdOf(id) == questionOf(t), "question");
        }
    }

    function test_adapterNeedsTheTokens() external {
        vm.expectRevert(abi.encodeWithSelector(ConditionalTokensAdapter.NoConditionalTokens.selector, OTHER));
        new ConditionalTokensAdapter(IConditionalTokens(OTHER));
        refused(BulletinMarket.NoSuchMarket.selector);
        adapter().conditionIdOf(2);
    }
}
