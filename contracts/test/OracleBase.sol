// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {InferenceOracle} from "../src/oracle/InferenceOracle.sol";
import {Tensor} from "../src/oracle/Schema.sol";
import {Base} from "./Base.sol";
import {MockVerifier} from "./MockVerifier.sol";

/// @title A model, a requester and provers for the oracle's tests
/// @dev The model takes 33 bytes and 3 bits, which is three limbs, and returns two numbers of 32 bits each in a limb.
abstract contract OracleBase is Base {
    bytes32 internal constant MODEL = keccak256("a model");
    uint256 internal constant BOUNTY = 1 ether;
    uint64 internal constant WAIT = 60;

    address internal constant REQUESTER = address(0x4e9);
    address internal constant PROVER = address(0x9407e4);
    address internal constant OTHER = address(0x074e4);

    InferenceOracle internal oracle;
    MockVerifier internal verifier;
    uint256 internal model;
    uint64 internal deadline;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        vm.roll(1000);
        oracle = new InferenceOracle();
        verifier = new MockVerifier(MODEL);
        model = oracle.register(address(verifier), MODEL, inputs(), outputs(), "https://example.org/model");
        deadline = uint64(block.timestamp) + WAIT;
        vm.deal(REQUESTER, 100 ether);
    }

    function inputs() internal pure returns (Tensor[] memory t) {
        t = new Tensor[](2);
        t[0] = Tensor(33, 8);
        t[1] = Tensor(3, 1);
    }

    function outputs() internal pure returns (Tensor[] memory t) {
        t = new Tensor[](2);
        t[0] = Tensor(1, 32);
        t[1] = Tensor(1, 32);
    }

    /// @dev The largest input there is.
    function input() internal pure returns (uint256[] memory limbs) {
        limbs = new uint256[](3);
        limbs[0] = (1 << 248) - 1;
        limbs[1] = (1 << 16) - 1;
        limbs[2] = 7;
    }

    function output() internal pure returns (uint256[] memory limbs) {
        limbs = new uint256[](2);
        limbs[0] = 3;
        limbs[1] = (1 << 32) - 1;
    }

    function nothing() internal pure returns (uint256[] memory) {
        return new uint256[](0);
    }

    function nobody() internal pure returns (InferenceOracle.Callback memory) {
        return InferenceOracle.Callback(address(0), 0);
    }

    /// @dev A request with the bounty, without a callback.
    function ask() internal returns (uint256) {
        return askFor(address(0), 0);
    }

    function askFor(address target, uint32 gasLimit) internal returns (uint256) {
        vm.prank(REQUESTER);
        return oracle.request{value: BOUNTY}(model, input(), InferenceOracle.Callback(target, gasLimit), deadline);
    }

    function askView(address source, bytes memory data) internal returns (uint256) {
        vm.prank(REQUESTER);
        return oracle.requestView{value: BOUNTY}(model, source, data, block.number - 1, nobody(), deadline);
    }

    /// @dev The right answer to a request by `input`, from the prover.
    function answer(uint256 id) internal {
        vm.prank(PROVER);
        oracle.answer(id, input(), output(), "proof");
    }

    /// @dev The instances, then the output.
    function joined(uint256[] memory first, uint256[] memory second) internal pure returns (uint256[] memory words) {
        words = new uint256[](first.length + second.length);
        for (uint256 i; i < words.length; ++i) {
            words[i] = i < first.length ? first[i] : second[i - first.length];
        }
    }

    function statusOf(uint256 id) internal view returns (uint256) {
        return uint256(oracle.requestOf(id).status);
    }

    function refused(bytes4 selector) internal {
        vm.expectPartialRevert(selector);
    }
}
