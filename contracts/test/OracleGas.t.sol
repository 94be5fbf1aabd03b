// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {InferenceOracle} from "../src/oracle/InferenceOracle.sol";
import {Tensor} from "../src/oracle/Schema.sol";
import {FreeVerifier} from "./FreeVerifier.sol";
import {Consumer, Source} from "./OracleActors.sol";
import {OracleBase} from "./OracleBase.sol";

/// @title What the oracle costs
/// @notice Whole transactions, with cold storage: each call runs on its own. The verifier costs nothing.
/// forge-config: default.isolate = true
contract InferenceOracleGasTest is OracleBase {
    uint256[] private limbs;

    function setUp() public override {
        super.setUp();
        FreeVerifier free = new FreeVerifier(MODEL);
        model = oracle.register(address(free), MODEL, text_(), outputs(), "https://example.org/model");
        vm.snapshotGasLastCall("register, one input, two outputs");
        for (uint256 i; i < 8; ++i) {
            limbs.push((1 << 248) - 1);
        }
        // The oracle's and the prover's balances aren't the first ones.
        vm.prank(REQUESTER);
        uint256 id = oracle.request{value: BOUNTY}(model, limbs, nobody(), deadline);
        vm.prank(PROVER);
        oracle.answer(id, limbs, output(), "");
    }

    /// @dev 248 bytes, which is eight limbs.
    function text_() private pure returns (Tensor[] memory t) {
        t = new Tensor[](1);
        t[0] = Tensor(248, 8);
    }

    function request(address target, uint32 gasLimit) private returns (uint256) {
        vm.prank(REQUESTER);
        return oracle.request{value: BOUNTY}(model, limbs, InferenceOracle.Callback(target, gasLimit), deadline);
    }

    function answer(uint256 id, uint256 proofBytes) private {
        bytes memory proof = new bytes(proofBytes);
        for (uint256 i; i < proofBytes; ++i) {
            proof[i] = 0xff;
        }
        vm.prank(PROVER);
        oracle.answer(id, limbs, output(), proof);
    }

    function test_requests() external {
        uint256 id = request(address(0), 0);
        vm.snapshotGasLastCall("request, 8 limbs, no callback");
        answer(id, 0);
        vm.snapshotGasLastCall("answer, 8 limbs, no proof, no callback");
        id = request(address(0), 0);
        answer(id, 1024);
        vm.snapshotGasLastCall("answer, 8 limbs, 1024 proof bytes 0xff, no callback");
        id = request(address(0), 0);
        vm.warp(deadline + 1);
        oracle.refund(id);
        vm.snapshotGasLastCall("refund, the requester's first balance");
        vm.prank(PROVER);
        oracle.withdraw(payable(PROVER), BOUNTY);
        vm.snapshotGasLastCall("withdraw, a part, to a new account");
    }

    function test_callbacks() external {
        Consumer consumer = new Consumer();
        uint256 id = request(address(consumer), 200_000);
        vm.snapshotGasLastCall("request, 8 limbs, callback");
        consumer.set(Consumer.Mood.Reverts);
        answer(id, 0);
        vm.snapshotGasLastCall("answer, 8 limbs, no proof, callback that reverts");
        consumer.set(Consumer.Mood.Takes);
        oracle.deliver(id, output());
        vm.snapshotGasLastCall("deliver, callback that stores four words");
    }

    function test_views() external {
        Source source = new Source();
        bytes memory data = abi.encode(block.number - 1, limbs);
        uint256 id = askView(address(source), data);
        vm.snapshotGasLastCall("requestView, 352 bytes of data, no callback");
        vm.prank(PROVER);
        oracle.answer(id, nothing(), output(), "");
        vm.snapshotGasLastCall("answer, view of 8 limbs, no proof, no callback");
    }
}
