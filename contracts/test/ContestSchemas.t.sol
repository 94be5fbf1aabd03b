// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ModelContest} from "../src/examples/ModelContest.sol";
import {InferenceOracle} from "../src/oracle/InferenceOracle.sol";
import {Schema, Tensor} from "../src/oracle/Schema.sol";
import {ContestBase} from "./ContestBase.sol";
import {MockArchitecture} from "./MockArchitecture.sol";

/// @title An architecture that takes instances of one number only, as every real one
contract StrictArchitecture is MockArchitecture {
    /// @dev The request, five limbs of rows, one of answers.
    uint256 private constant INSTANCES = 2 + 5 + 1;

    function verifyProof(bytes calldata proof, uint256[] calldata instances) public view override returns (bool) {
        return instances.length == INSTANCES && super.verifyProof(proof, instances);
    }
}

/// @title An oracle that takes answers and calls nobody back
contract MuteOracle {
    function register(address, bytes32, Tensor[] calldata, Tensor[] calldata, string calldata)
        external
        pure
        returns (uint256)
    {
        return 1;
    }

    function request(uint256, uint256[] calldata, InferenceOracle.Callback calldata, uint64)
        external
        pure
        returns (uint256)
    {
        return 1;
    }

    function answer(uint256, uint256[] calldata, uint256[] calldata, bytes calldata) external {}
}

/// @title Contests whose parts don't go together: what an organiser gets wrong costs nobody but contestants' time
contract ContestSchemasTest is ContestBase {
    bytes32 internal constant GOOD = keccak256("good weights");
    uint256 internal constant RIGHT = 0xf0f0f0f0f0f0f0f0;

    function makeArchitecture() internal override returns (MockArchitecture) {
        return new StrictArchitecture();
    }

    /// @dev Opens another contest, for its prize.
    function opened(ModelContest.Terms memory t) private returns (uint256) {
        vm.prank(ORGANISER);
        return contests.open{value: PRIZE}(t);
    }

    function test_aMatchingContestIsDecided() external {
        enter(ALICE, GOOD);
        reveal();
        score(ALICE, 0, GOOD, RIGHT);
        eq(scoreOf(0), 65, "all right");
    }

    /// @dev The contest can't know what an architecture takes: such a one can be opened, entered, revealed and asked.
    function test_schemasThatTheArchitectureDoesNotTakeScoreNobody() external {
        uint256[] memory right = new uint256[](2);
        (right[0], right[1]) = (RIGHT, 1);
        ModelContest.Terms memory t = terms();
        t.output = Tensor(300, 1);
        t.testSet = keccak256(abi.encode(SALT, rows(), right));
        contest = opened(t);
        enter(ALICE, GOOD);
        vm.warp(entriesUntil + 1);
        contests.reveal(contest, SALT, rows(), right);
        uint256 id = ask(ALICE, 0);
        bytes memory proof = proofOf(GOOD, id, right, address(contests));
        vm.prank(ALICE);
        refused(InferenceOracle.ProofRejected.selector);
        contests.prove(contest, 0, rows(), right, proof);
        // It ends as one in which nobody has proven anything.
        vm.warp(block.timestamp + PROVING + 1);
        contests.settle(contest);
        eq(contests.balanceOf(ORGANISER), PRIZE, "the prize goes back");
        eq(contests.ranking(contest).length, 0, "no scores");
    }

    function test_schemasThatAreNoneCannotBeEntered() external {
        ModelContest.Terms memory t = terms();
        t.input = Tensor(128, 0);
        contest = opened(t);
        vm.prank(ALICE);
        refused(Schema.BadSchema.selector);
        contests.enter(contest, commitments(GOOD));
        vm.warp(revealUntil + 1);
        contests.settle(contest);
        eq(contests.balanceOf(ORGANISER), PRIZE, "the prize goes back");
    }

    /// @dev Rows that don't fit can't be asked about: without a reveal the prize is the entries'.
    function test_rowsThatAreNoneCannotBeRevealed() external {
        uint256[] memory large = rows();
        large[4] = 1 << 32;
        uint256[] memory short = new uint256[](4);
        for (uint256 i; i < 2; ++i) {
            uint256[] memory input = i == 0 ? large : short;
            ModelContest.Terms memory t = terms();
            t.testSet = keccak256(abi.encode(SALT, input, labels()));
            contest = opened(t);
            enter(ALICE, GOOD);
            vm.warp(entriesUntil + 1);
            refused(i == 0 ? Schema.LimbTooLarge.selector : Schema.WrongLength.selector);
            contests.reveal(contest, SALT, input, labels());
            vm.warp(revealUntil + 1);
            contests.settle(contest);
            contests.share(contest, 0);
            eq(contests.balanceOf(ALICE), PRIZE * (i + 1), "whoever entered is paid");
            (entriesUntil, revealUntil) = (uint64(block.timestamp) + 100, uint64(block.timestamp) + 200);
        }
    }

    function test_anAnswerWithoutACallIsNoScore() external {
        contests = new ModelContest(InferenceOracle(address(new MuteOracle())));
        contest = opened(terms());
        enter(ALICE, GOOD);
        reveal();
        ask(ALICE, 0);
        vm.prank(ALICE);
        refused(ModelContest.NotCounted.selector);
        contests.prove(contest, 0, rows(), one(RIGHT), "");
        eq(scoreOf(0), 0, "no score");
    }
}
