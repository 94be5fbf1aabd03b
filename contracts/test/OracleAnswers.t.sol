// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {InferenceOracle} from "../src/oracle/InferenceOracle.sol";
import {Schema, Tensor} from "../src/oracle/Schema.sol";
import {Vm} from "./Base.sol";
import {MockVerifier} from "./MockVerifier.sol";
import {OracleBase} from "./OracleBase.sol";

/// @title Answers, proofs and bounties
contract OracleAnswersTest is OracleBase {
    function test_proverTakesTheBounty() external {
        uint256 id = ask();
        eq(id, 1, "counted from 1");
        require(oracle.outputHashOf(id) == 0, "no output yet");
        answer(id);
        eq(statusOf(id), uint256(InferenceOracle.Status.Answered), "status");
        require(oracle.outputHashOf(id) == keccak256(abi.encodePacked(output())), "output");
        eq(oracle.balanceOf(PROVER), BOUNTY, "bounty");
        vm.prank(PROVER);
        oracle.withdraw(payable(PROVER), BOUNTY);
        eq(PROVER.balance, BOUNTY, "paid");
        eq(address(oracle).balance, 0, "nothing is left");
    }

    function test_instancesAreWhatTheVerifierGets() external {
        ask();
        uint256 id = ask();
        uint256[] memory words = oracle.instances(id, input(), PROVER);
        uint256 request = uint256(keccak256(abi.encode(block.chainid, address(oracle), id, uint256(0), PROVER)));
        eq(words.length, 5, "request and input");
        eq(words[0], request >> 128, "request_hi");
        eq(words[1], uint128(request), "request_lo");
        for (uint256 i; i < 3; ++i) {
            eq(words[2 + i], input()[i], "input");
        }
        verifier.expect("proof", joined(words, output()));
        uint256[] memory other = output();
        other[0] ^= 1;
        vm.startPrank(PROVER);
        refused(InferenceOracle.ProofRejected.selector);
        oracle.answer(id, input(), other, "proof");
        refused(InferenceOracle.ProofRejected.selector);
        oracle.answer(id, input(), output(), "another proof");
        refused(InferenceOracle.ProofRejected.selector);
        oracle.answer(id - 1, input(), output(), "proof");
        oracle.answer(id, input(), output(), "proof");
        // The same words are there for who looks later.
        require(
            keccak256(abi.encode(oracle.instances(id, input(), PROVER))) == keccak256(abi.encode(words)), "instances"
        );
    }

    function test_proofIsBoundToItsSubmitter() external {
        uint256 id = ask();
        verifier.expect("proof", joined(oracle.instances(id, input(), PROVER), output()));
        vm.prank(OTHER);
        refused(InferenceOracle.ProofRejected.selector);
        oracle.answer(id, input(), output(), "proof");
        vm.prank(REQUESTER);
        refused(InferenceOracle.ProofRejected.selector);
        oracle.answer(id, input(), output(), "proof");
        answer(id);
        eq(oracle.balanceOf(PROVER), BOUNTY, "bounty");
        eq(oracle.balanceOf(OTHER), 0, "copier's");
    }

    function test_otherInputThanTheRequests() external {
        uint256 id = ask();
        bytes4 wrong = InferenceOracle.WrongInput.selector;
        uint256[] memory other = input();
        other[2] ^= 1;
        vm.startPrank(PROVER);
        refused(wrong);
        oracle.answer(id, other, output(), "proof");
        refused(wrong);
        oracle.answer(id, nothing(), output(), "proof");
        refused(wrong);
        oracle.instances(id, other, PROVER);
        other = joined(input(), output());
        refused(wrong);
        oracle.answer(id, other, output(), "proof");
    }

    function test_outputMustFitTheSchema() external {
        uint256 id = ask();
        uint256[] memory bad = output();
        bad[1] = 1 << 32;
        vm.startPrank(PROVER);
        vm.expectRevert(abi.encodeWithSelector(Schema.LimbTooLarge.selector, 1));
        oracle.answer(id, input(), bad, "proof");
        bad[1] = 0;
        bad[0] = type(uint256).max;
        vm.expectRevert(abi.encodeWithSelector(Schema.LimbTooLarge.selector, 0));
        oracle.answer(id, input(), bad, "proof");
        vm.expectRevert(abi.encodeWithSelector(Schema.WrongLength.selector, 0, 2));
        oracle.answer(id, input(), nothing(), "proof");
        vm.expectRevert(abi.encodeWithSelector(Schema.WrongLength.selector, 4, 2));
        oracle.answer(id, input(), joined(output(), output()), "proof");
        oracle.answer(id, input(), output(), "proof");
    }

    function test_onlyTheFirstAnswerIsPaid() external {
        uint256 id = ask();
        ask();
        answer(id);
        refused(InferenceOracle.NotOpen.selector);
        answer(id);
        vm.prank(OTHER);
        refused(InferenceOracle.NotOpen.selector);
        oracle.answer(id, input(), output(), "proof");
        vm.warp(deadline + 1);
        refused(InferenceOracle.NotOpen.selector);
        oracle.refund(id);
        eq(oracle.balanceOf(PROVER), BOUNTY, "once");
        eq(oracle.balanceOf(REQUESTER), 0, "paid already");
        id = 2;
        oracle.refund(id);
        refused(InferenceOracle.NotOpen.selector);
        oracle.refund(id);
        refused(InferenceOracle.NotOpen.selector);
        answer(id);
        eq(oracle.balanceOf(REQUESTER), BOUNTY, "back once");
        refused(InferenceOracle.NoSuchRequest.selector);
        answer(3);
    }

    function test_noAnswerAfterTheDeadline() external {
        uint256 id = ask();
        uint256 other = ask();
        vm.warp(deadline);
        answer(id);
        vm.warp(deadline + 1);
        vm.prank(PROVER);
        vm.expectRevert(abi.encodeWithSelector(InferenceOracle.DeadlinePassed.selector, deadline));
        oracle.answer(other, input(), output(), "proof");
    }

    function test_noRefundBeforeTheDeadline() external {
        uint256 id = ask();
        vm.warp(deadline);
        vm.expectRevert(abi.encodeWithSelector(InferenceOracle.DeadlineNotPassed.selector, deadline));
        oracle.refund(id);
        vm.warp(deadline + 1);
        // Anyone may ask for it, but it is the requester's.
        vm.prank(OTHER);
        oracle.refund(id);
        eq(statusOf(id), uint256(InferenceOracle.Status.Refunded), "status");
        eq(oracle.balanceOf(REQUESTER), BOUNTY, "requester's");
        eq(oracle.balanceOf(OTHER), 0, "caller's");
        require(oracle.outputHashOf(id) == 0, "no output");
    }

    function test_verifierThatMisbehaves() external {
        uint256 id = ask();
        bytes4 rejected = InferenceOracle.ProofRejected.selector;
        for (uint256 a = uint256(MockVerifier.Answer.False); a <= uint256(MockVerifier.Answer.Revert); ++a) {
            verifier.set(MockVerifier.Answer(a));
            refused(rejected);
            answer(id);
        }
        verifier.set(MockVerifier.Answer.Burn);
        vm.prank(PROVER);
        refused(rejected);
        oracle.answer{gas: 2_000_000}(id, input(), output(), "proof");
        verifier.set(MockVerifier.Answer.True);
        answer(id);
    }

    function test_verifierThatChanges() external {
        uint256 id = ask();
        bytes4 no = InferenceOracle.NotAVerifier.selector;
        verifier.setModel(keccak256("another model"));
        refused(no);
        answer(id);
        vm.prank(REQUESTER);
        refused(no);
        oracle.request(model, input(), nobody(), deadline);
        verifier.setModel(MODEL);
        // Other code that says the same of itself, as one could have whose address can be deployed to again.
        bytes memory code = address(verifier).code;
        vm.etch(address(verifier), bytes.concat(code, hex"00"));
        refused(no);
        answer(id);
        vm.prank(REQUESTER);
        refused(no);
        oracle.request(model, input(), nobody(), deadline);
        vm.etch(address(verifier), "");
        refused(no);
        answer(id);
        vm.etch(address(verifier), code);
        answer(id);
    }

    function test_eventsSayEverything() external {
        vm.recordLogs();
        uint256 id = ask();
        answer(id);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        eq(logs.length, 2, "logs");
        require(logs[0].topics[0] == InferenceOracle.Requested.selector, "requested");
        eq(uint256(logs[0].topics[1]), id, "id");
        eq(uint256(logs[0].topics[2]), model, "model");
        eq(uint256(logs[0].topics[3]), uint160(REQUESTER), "requester");
        checkRequested(logs[0].data, input(), address(0), "", 0);
        require(logs[1].topics[0] == InferenceOracle.Answered.selector, "answered");
        eq(uint256(logs[1].topics[1]), id, "id");
        eq(uint256(logs[1].topics[2]), uint160(PROVER), "prover");
        (uint256[] memory out, bool delivered) = abi.decode(logs[1].data, (uint256[], bool));
        require(keccak256(abi.encode(out)) == keccak256(abi.encode(output())) && !delivered, "output");
    }

    function checkRequested(
        bytes memory log,
        uint256[] memory input_,
        address source,
        bytes memory data,
        uint256 blockNumber
    ) private view {
        bytes memory expected = abi.encode(
            input_, source, data, blockNumber, InferenceOracle.Callback(address(0), 0), BOUNTY, deadline
        );
        require(keccak256(log) == keccak256(expected), "Requested");
    }

    function testFuzz_bountiesAddUp(uint96[4] calldata bounties, uint256 answered) external {
        uint256 sum;
        for (uint256 i; i < 4; ++i) {
            vm.deal(REQUESTER, bounties[i]);
            vm.prank(REQUESTER);
            oracle.request{value: bounties[i]}(model, input(), nobody(), deadline);
            sum += bounties[i];
        }
        eq(address(oracle).balance, sum, "held");
        uint256 won;
        for (uint256 i; i < 4; ++i) {
            if ((answered >> i) & 1 == 0) continue;
            answer(1 + i);
            won += bounties[i];
        }
        vm.warp(deadline + 1);
        for (uint256 i; i < 4; ++i) {
            if ((answered >> i) & 1 == 0) oracle.refund(1 + i);
        }
        eq(oracle.balanceOf(PROVER), won, "won");
        eq(oracle.balanceOf(REQUESTER), sum - won, "back");
    }
}
