// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Balances} from "../src/Balances.sol";
import {ModelContest} from "../src/examples/ModelContest.sol";
import {InferenceOracle} from "../src/oracle/InferenceOracle.sol";
import {Schema} from "../src/oracle/Schema.sol";
import {ContestBase} from "./ContestBase.sol";
import {YesArchitecture} from "./MockArchitecture.sol";

/// @title A winner that tries to be paid twice
contract Winner {
    ModelContest private immutable contests;
    uint256 private depth;

    constructor(ModelContest contests_) {
        contests = contests_;
    }

    function enter(uint256 contest, bytes calldata commitments) external returns (uint256) {
        return contests.enter(contest, commitments);
    }

    function ask(uint256 contest, uint256 entry, uint256[] calldata rows) external returns (uint256) {
        return contests.ask(contest, entry, rows);
    }

    function prove(uint256 contest, uint256[] calldata rows, uint256[] calldata answers, bytes calldata proof)
        external
    {
        contests.prove(contest, 0, rows, answers, proof);
    }

    function take(uint256 amount) external {
        contests.withdraw(payable(address(this)), amount);
    }

    receive() external payable {
        if (depth++ < 2) contests.withdraw(payable(address(this)), msg.value);
    }
}

/// @title Contests from the opening to the prize, and who would cheat in them
contract ContestTest is ContestBase {
    bytes32 internal constant GOOD = keccak256("good weights");
    bytes32 internal constant BAD = keccak256("bad weights");
    uint256 internal constant RIGHT = 0xf0f0f0f0f0f0f0f0;

    function test_theBestModelTakesThePrize() external {
        enter(ALICE, BAD);
        enter(BOB, GOOD);
        reveal();
        score(ALICE, 0, BAD, RIGHT ^ 0xff);
        score(BOB, 1, GOOD, RIGHT ^ 1);
        eq(scoreOf(0), 1 + 56, "eight wrong");
        eq(scoreOf(1), 1 + 63, "one wrong");
        uint256[] memory places = contests.ranking(contest);
        eq(places.length, 2, "both have proven");
        eq(places[0], 1, "first");
        eq(places[1], 0, "second");
        vm.warp(block.timestamp + PROVING + 1);
        contests.settle(contest);
        eq(contests.balanceOf(BOB), PRIZE, "prize");
        vm.prank(BOB);
        contests.withdraw(payable(BOB), PRIZE);
        eq(BOB.balance, PRIZE, "paid");
        refused(ModelContest.WrongPhase.selector);
        contests.settle(contest);
        refused(ModelContest.WrongPhase.selector);
        contests.share(contest, 0);
    }

    function test_tiesGoToTheFirst() external {
        enter(ALICE, BAD);
        enter(BOB, GOOD);
        reveal();
        // The second to enter proves first.
        score(BOB, 1, GOOD, RIGHT ^ 3);
        score(ALICE, 0, BAD, RIGHT ^ 24);
        eq(contests.ranking(contest)[0], 0, "first entered");
        vm.warp(block.timestamp + PROVING + 1);
        contests.settle(contest);
        eq(contests.balanceOf(ALICE), PRIZE, "prize");
    }

    function test_tiesGoToTheFirstWhoeverProvesFirst() external {
        enter(ALICE, BAD);
        enter(BOB, GOOD);
        reveal();
        score(ALICE, 0, BAD, RIGHT ^ 24);
        score(BOB, 1, GOOD, RIGHT ^ 3);
        vm.warp(block.timestamp + PROVING + 1);
        contests.settle(contest);
        eq(contests.balanceOf(ALICE), PRIZE, "prize");
    }

    function test_timesDontWrap() external {
        ModelContest.Terms memory t = terms();
        t.provingTime = type(uint64).max - 1000;
        vm.prank(ORGANISER);
        vm.expectRevert(abi.encodeWithSelector(ModelContest.BadTerms.selector));
        contests.open{value: PRIZE}(t);
        t = terms();
        t.revealUntil = type(uint64).max;
        vm.prank(ORGANISER);
        vm.expectRevert(abi.encodeWithSelector(ModelContest.BadTerms.selector));
        contests.open{value: PRIZE}(t);
    }

    function test_theContestMakesTheVerifier() external {
        // A contestant only chooses commitments, and they only of the right length.
        bytes memory longer = abi.encode(uint256(0), GOOD, uint256(0));
        vm.prank(ALICE);
        refused(ModelContest.WrongCommitments.selector);
        contests.enter(contest, longer);
        vm.prank(ALICE);
        refused(ModelContest.WrongCommitments.selector);
        contests.enter(contest, "");
        enter(ALICE, GOOD);
        InferenceOracle.Model memory model = oracle.modelOf(contests.entriesOf(contest)[0].model);
        require(model.publisher == address(contests), "publisher");
        bytes memory code = abi.encodePacked(
            hex"363d3d373d3d3d363d73", address(architecture), hex"5af43d82803e903d91602b57fd5bf3", commitments(GOOD)
        );
        require(keccak256(model.verifier.code) == keccak256(code), "the account's code");
        // An architecture is what its opener says, by its hash, or there is no contest.
        ModelContest.Terms memory t = terms();
        t.architecture = address(new YesArchitecture());
        refused(ModelContest.WrongArchitecture.selector);
        contests.open(t);
        // Nor may the code be swapped afterwards.
        vm.etch(address(architecture), t.architecture.code);
        vm.prank(BOB);
        refused(ModelContest.WrongArchitecture.selector);
        contests.enter(contest, commitments(GOOD));
        // A key whose account delegates to code can change what it delegates to.
        vm.etch(ALICE, abi.encodePacked(hex"ef0100", t.architecture));
        t.architecture = ALICE;
        t.codeHash = ALICE.codehash;
        refused(ModelContest.WrongArchitecture.selector);
        contests.open(t);
    }

    function test_noEntryAfterTheDeadline() external {
        vm.warp(entriesUntil);
        enter(ALICE, GOOD);
        vm.warp(entriesUntil + 1);
        vm.prank(BOB);
        refused(ModelContest.WrongPhase.selector);
        contests.enter(contest, commitments(BAD));
    }

    function test_noRevealBeforeTheDeadline() external {
        vm.warp(entriesUntil);
        refused(ModelContest.WrongPhase.selector);
        contests.reveal(contest, SALT, rows(), labels());
        vm.warp(revealUntil + 1);
        refused(ModelContest.WrongPhase.selector);
        contests.reveal(contest, SALT, rows(), labels());
        vm.warp(revealUntil);
        contests.reveal(contest, SALT, rows(), labels());
        refused(ModelContest.WrongPhase.selector);
        contests.reveal(contest, SALT, rows(), labels());
    }

    function test_onlyTheCommittedTestSet() external {
        vm.warp(entriesUntil + 1);
        bytes4 wrong = ModelContest.WrongTestSet.selector;
        refused(wrong);
        contests.reveal(contest, SALT, rows(), one(RIGHT ^ 1));
        refused(wrong);
        contests.reveal(contest, keccak256("other salt"), rows(), labels());
        uint256[] memory other = rows();
        other[4] ^= 1;
        refused(wrong);
        contests.reveal(contest, SALT, other, labels());
        reveal();
        enterRefused();
        // One that is no test set at all can't be revealed.
        entriesUntil += 1000;
        revealUntil += 1000;
        ModelContest.Terms memory t = terms();
        t.testSet = keccak256(abi.encode(SALT, rows(), one(1 << 64)));
        contest = contests.open(t);
        vm.warp(entriesUntil + 1);
        refused(Schema.LimbTooLarge.selector);
        contests.reveal(contest, SALT, rows(), one(1 << 64));
    }

    function enterRefused() private {
        refused(ModelContest.WrongPhase.selector);
        contests.enter(contest, commitments(GOOD));
    }

    function test_whoDoesNotRevealLosesThePrize() external {
        enter(ALICE, GOOD);
        enter(BOB, BAD);
        vm.warp(revealUntil);
        refused(ModelContest.WrongPhase.selector);
        contests.settle(contest);
        vm.warp(revealUntil + 1);
        refused(ModelContest.WrongPhase.selector);
        contests.share(contest, 0);
        contests.settle(contest);
        contests.share(contest, 0);
        refused(ModelContest.WrongPhase.selector);
        contests.share(contest, 0);
        contests.share(contest, 1);
        eq(contests.balanceOf(ALICE), PRIZE / 2, "half");
        eq(contests.balanceOf(BOB), PRIZE / 2, "half");
        eq(contests.balanceOf(ORGANISER), 0, "none");
        refused(ModelContest.NoSuchEntry.selector);
        contests.share(contest, 2);
    }

    function test_prizeStaysUntilTheEnd() external {
        refused(ModelContest.WrongPhase.selector);
        contests.settle(contest);
        enter(ALICE, GOOD);
        reveal();
        vm.warp(block.timestamp + PROVING);
        refused(ModelContest.WrongPhase.selector);
        contests.settle(contest);
        // Nobody has proven anything: the organiser did its part.
        vm.warp(block.timestamp + 1);
        contests.settle(contest);
        eq(contests.balanceOf(ORGANISER), PRIZE, "back");
        refused(ModelContest.WrongPhase.selector);
        contests.share(contest, 0);
        // Without entries nobody is let down.
        entriesUntil = uint64(block.timestamp) + 10;
        revealUntil = entriesUntil + 10;
        vm.prank(ORGANISER);
        contest = contests.open{value: PRIZE}(terms());
        vm.warp(revealUntil + 1);
        contests.settle(contest);
        eq(contests.balanceOf(ORGANISER), 2 * PRIZE, "back again");
    }

    function test_copiedCommitmentsAreWorthless() external {
        // The copier's transaction comes first, and the owner is not kept out by it.
        enter(BOB, GOOD);
        enter(ALICE, GOOD);
        reveal();
        uint256 copied = ask(BOB, 0);
        uint256 own = ask(ALICE, 1);
        bytes memory proof = proofOf(GOOD, own, one(RIGHT), address(contests));
        prove(ALICE, 1, RIGHT, proof);
        vm.prank(BOB);
        refused(InferenceOracle.ProofRejected.selector);
        contests.prove(contest, 0, rows(), one(RIGHT), proof);
        eq(oracle.requestCount(), copied + 1, "two requests");
        eq(contests.ranking(contest)[0], 1, "the owner");
        eq(contests.ranking(contest).length, 1, "alone");
    }

    function test_copiedProofIsRefused() external {
        enter(ALICE, GOOD);
        enter(BOB, BAD);
        reveal();
        uint256 id = ask(ALICE, 0);
        ask(BOB, 1);
        bytes memory proof = proofOf(GOOD, id, one(RIGHT), address(contests));
        vm.startPrank(BOB);
        refused(ModelContest.NotYourEntry.selector);
        contests.prove(contest, 0, rows(), one(RIGHT), proof);
        refused(ModelContest.NotYourEntry.selector);
        contests.ask(contest, 0, rows());
        refused(InferenceOracle.ProofRejected.selector);
        contests.prove(contest, 1, rows(), one(RIGHT), proof);
        refused(InferenceOracle.ProofRejected.selector);
        oracle.answer(id, rows(), one(RIGHT), proof);
        vm.stopPrank();
        prove(ALICE, 0, RIGHT, proof);
    }

    function test_answersFromElsewhereDoNotCount() external {
        enter(ALICE, GOOD);
        reveal();
        uint256 id = ask(ALICE, 0);
        // Whoever proves with these weights for itself: the owner's own prover, say, or one that serves everybody.
        bytes memory proof = proofOf(GOOD, id, one(RIGHT), BOB);
        vm.prank(BOB);
        oracle.answer(id, rows(), one(RIGHT), proof);
        eq(scoreOf(0), 0, "no score");
        refused(InferenceOracle.DeliveryFailed.selector);
        oracle.deliver(id, one(RIGHT));
        refused(ModelContest.NotExpected.selector);
        contests.onInference(id, 1, one(RIGHT));
        refused(ModelContest.NotExpected.selector);
        contests.onInference(0, 1, one(RIGHT));
        // A request of somebody's own with the contest as its target.
        uint256 model = contests.entriesOf(contest)[0].model;
        InferenceOracle.Callback memory callback = InferenceOracle.Callback(address(contests), 600_000);
        uint256 foreign = oracle.request(model, rows(), callback, uint64(block.timestamp) + 10);
        proof = proofOf(GOOD, foreign, one(RIGHT), address(this));
        oracle.answer(foreign, rows(), one(RIGHT), proof);
        eq(scoreOf(0), 0, "still none");
        // The request is spent; the owner asks again.
        proof = proofOf(GOOD, id, one(RIGHT), address(contests));
        vm.prank(ALICE);
        refused(InferenceOracle.NotOpen.selector);
        contests.prove(contest, 0, rows(), one(RIGHT), proof);
        score(ALICE, 0, GOOD, RIGHT);
        eq(scoreOf(0), 65, "all right");
    }

    function test_answersMustBeProven() external {
        enter(ALICE, GOOD);
        reveal();
        bytes memory nothing = abi.encode(GOOD, bytes32(0));
        vm.prank(ALICE);
        refused(ModelContest.NotAsked.selector);
        contests.prove(contest, 0, rows(), one(RIGHT), nothing);
        uint256[] memory other = rows();
        other[0] ^= 1;
        vm.prank(ALICE);
        refused(ModelContest.WrongTestSet.selector);
        contests.ask(contest, 0, other);
        uint256 id = ask(ALICE, 0);
        bytes memory proof = proofOf(GOOD, id, one(RIGHT ^ 1), address(contests));
        vm.startPrank(ALICE);
        refused(InferenceOracle.ProofRejected.selector);
        contests.prove(contest, 0, rows(), one(RIGHT), nothing);
        refused(InferenceOracle.ProofRejected.selector);
        contests.prove(contest, 0, rows(), one(RIGHT), proof);
        refused(InferenceOracle.WrongInput.selector);
        contests.prove(contest, 0, other, one(RIGHT ^ 1), proof);
        refused(Schema.LimbTooLarge.selector);
        contests.prove(contest, 0, rows(), one(1 << 64), proof);
        contests.prove(contest, 0, rows(), one(RIGHT ^ 1), proof);
        vm.stopPrank();
        eq(scoreOf(0), 64, "one wrong");
    }

    function test_oneScoreInTime() external {
        enter(ALICE, GOOD);
        enter(BOB, BAD);
        refused(ModelContest.WrongPhase.selector);
        vm.prank(ALICE);
        contests.ask(contest, 0, rows());
        reveal();
        score(ALICE, 0, GOOD, 0);
        vm.prank(ALICE);
        refused(ModelContest.HasScore.selector);
        contests.ask(contest, 0, rows());
        uint256 id = ask(BOB, 1);
        bytes memory proof = proofOf(BAD, id, one(RIGHT), address(contests));
        vm.warp(block.timestamp + PROVING + 1);
        vm.prank(BOB);
        refused(ModelContest.WrongPhase.selector);
        contests.prove(contest, 1, rows(), one(RIGHT), proof);
    }

    function test_winnerThatReenters() external {
        Winner winner = new Winner(contests);
        winner.enter(contest, commitments(GOOD));
        vm.prank(ORGANISER);
        contests.open{value: PRIZE}(terms());
        reveal();
        uint256 id = winner.ask(contest, 0, rows());
        winner.prove(contest, rows(), one(RIGHT), proofOf(GOOD, id, one(RIGHT), address(contests)));
        vm.warp(block.timestamp + PROVING + 1);
        contests.settle(contest);
        refused(Balances.PaymentFailed.selector);
        winner.take(PRIZE);
        eq(address(winner).balance, 0, "stolen");
        eq(address(contests).balance, 2 * PRIZE, "the other contest's prize is there");
        eq(contests.balanceOf(address(winner)), PRIZE, "still its own");
    }

    function test_termsMustMakeSense() external {
        bytes4 bad = ModelContest.BadTerms.selector;
        ModelContest.Terms memory t = terms();
        t.entriesUntil = uint64(block.timestamp);
        refused(bad);
        contests.open(t);
        t = terms();
        t.revealUntil = t.entriesUntil;
        refused(bad);
        contests.open(t);
        t = terms();
        t.provingTime = 0;
        refused(bad);
        contests.open(t);
        t = terms();
        t.output.count = 1025;
        refused(bad);
        contests.open(t);
        t = terms();
        t.output.bits = 9;
        refused(bad);
        contests.open(t);
        refused(ModelContest.NoSuchContest.selector);
        contests.settle(99);
        refused(ModelContest.NoSuchEntry.selector);
        contests.ask(contest, 0, rows());
    }

    /// @notice Right answers are counted as by hand, over limbs and widths.
    function testFuzz_rightAnswersAreCounted(uint256 seed, uint8 width, uint16 size) external {
        uint256 bits = 1 + uint256(width) % 8;
        uint256 count = 1 + uint256(size) % 300;
        uint256 per = 253 / bits;
        uint256[] memory right = new uint256[]((count + per - 1) / per);
        uint256[] memory said = new uint256[](right.length);
        uint256 wanted;
        for (uint256 i; i < count; ++i) {
            uint256 a = uint256(keccak256(abi.encode(seed, i))) & ((1 << bits) - 1);
            uint256 b = uint256(keccak256(abi.encode(seed, i, "said"))) & ((1 << bits) - 1);
            right[i / per] |= a << (i % per * bits);
            said[i / per] |= b << (i % per * bits);
            if (a == b) ++wanted;
        }
        ModelContest.Terms memory t = terms();
        (t.output.count, t.output.bits) = (uint32(count), uint8(bits));
        t.testSet = keccak256(abi.encode(SALT, rows(), right));
        contest = contests.open(t);
        enter(ALICE, GOOD);
        vm.warp(entriesUntil + 1);
        contests.reveal(contest, SALT, rows(), right);
        uint256 id = ask(ALICE, 0);
        bytes memory proof = proofOf(GOOD, id, said, address(contests));
        vm.prank(ALICE);
        contests.prove(contest, 0, rows(), said, proof);
        eq(scoreOf(0), 1 + wanted, "score");
    }
}
