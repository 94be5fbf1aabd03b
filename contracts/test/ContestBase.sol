// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ModelContest} from "../src/examples/ModelContest.sol";
import {InferenceOracle} from "../src/oracle/InferenceOracle.sol";
import {Tensor} from "../src/oracle/Schema.sol";
import {Base} from "./Base.sol";
import {MockArchitecture} from "./MockArchitecture.sol";

/// @title A contest on sixty-four rows of two bytes, answered by a bit each
abstract contract ContestBase is Base {
    uint256 internal constant PRIZE = 5 ether;
    bytes32 internal constant SALT = keccak256("thirty-two random bytes");
    uint64 internal constant PROVING = 1000;

    address internal constant ORGANISER = address(0x046);
    address internal constant ALICE = address(0xa11ce);
    address internal constant BOB = address(0xb0b);

    InferenceOracle internal oracle;
    ModelContest internal contests;
    MockArchitecture internal architecture;
    uint256 internal contest;
    uint64 internal entriesUntil;
    uint64 internal revealUntil;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        oracle = new InferenceOracle();
        contests = new ModelContest(oracle);
        architecture = makeArchitecture();
        entriesUntil = uint64(block.timestamp) + 100;
        revealUntil = entriesUntil + 100;
        vm.deal(ORGANISER, 100 ether);
        vm.prank(ORGANISER);
        contest = contests.open{value: PRIZE}(terms());
    }

    function makeArchitecture() internal virtual returns (MockArchitecture) {
        return new MockArchitecture();
    }

    function terms() internal view returns (ModelContest.Terms memory) {
        return ModelContest.Terms({
            architecture: address(architecture),
            codeHash: address(architecture).codehash,
            input: Tensor(128, 8),
            output: Tensor(64, 1),
            testSet: keccak256(abi.encode(SALT, rows(), labels())),
            entriesUntil: entriesUntil,
            revealUntil: revealUntil,
            provingTime: PROVING,
            uri: "https://example.org/contest"
        });
    }

    /// @dev 128 bytes are five limbs.
    function rows() internal pure returns (uint256[] memory limbs) {
        limbs = new uint256[](5);
        for (uint256 i; i < 5; ++i) {
            limbs[i] = i + 1;
        }
    }

    function labels() internal pure returns (uint256[] memory) {
        return one(0xf0f0f0f0f0f0f0f0);
    }

    function one(uint256 limb) internal pure returns (uint256[] memory limbs) {
        limbs = new uint256[](1);
        limbs[0] = limb;
    }

    /// @dev What a model with these weights is registered by.
    function commitments(bytes32 weights) internal pure returns (bytes memory) {
        return abi.encode(uint256(0), keccak256(abi.encode(weights)));
    }

    function enter(address who, bytes32 weights) internal returns (uint256) {
        vm.prank(who);
        return contests.enter(contest, commitments(weights));
    }

    function reveal() internal {
        vm.warp(entriesUntil + 1);
        contests.reveal(contest, SALT, rows(), labels());
    }

    function ask(address who, uint256 entry) internal returns (uint256) {
        vm.prank(who);
        return contests.ask(contest, entry, rows());
    }

    /// @dev What only the owner of the weights can make.
    function proofOf(bytes32 weights, uint256 id, uint256[] memory answers, address submitter)
        internal
        view
        returns (bytes memory)
    {
        uint256[] memory first = oracle.instances(id, rows(), submitter);
        return abi.encode(weights, keccak256(abi.encodePacked(first, answers)));
    }

    function prove(address who, uint256 entry, uint256 answers, bytes memory proof) internal {
        vm.prank(who);
        contests.prove(contest, entry, rows(), one(answers), proof);
    }

    /// @dev Asks and proves: all that an honest contestant does after the reveal.
    function score(address who, uint256 entry, bytes32 weights, uint256 answers) internal {
        uint256 id = ask(who, entry);
        prove(who, entry, answers, proofOf(weights, id, one(answers), address(contests)));
    }

    function scoreOf(uint256 entry) internal view returns (uint256) {
        return contests.entriesOf(contest)[entry].score;
    }

    function refused(bytes4 selector) internal {
        vm.expectPartialRevert(selector);
    }
}
