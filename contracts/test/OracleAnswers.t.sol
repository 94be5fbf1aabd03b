// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {InferenceOracle} from "../src/oracle/InferenceOracle.sol";
import {MockVerifier} from "./MockVerifier.sol";
import {OracleBase} from "./OracleBase.sol";

/// @title Answers, proofs and bounties
contract OracleAnswersTest is OracleBase {
    function test_proverTakesTheBounty() external {
        uint256 id = ask();
        eq(id, 1, "counted from 1");
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
    }
}
