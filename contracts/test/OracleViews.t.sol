// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {InferenceOracle} from "../src/oracle/InferenceOracle.sol";
import {Schema} from "../src/oracle/Schema.sol";
import {Vm} from "./Base.sol";
import {Source} from "./OracleActors.sol";
import {OracleBase} from "./OracleBase.sol";

/// @title Requests whose input a view function returns
contract OracleViewsTest is OracleBase {
    Source private source;

    function setUp() public override {
        super.setUp();
        source = new Source();
    }

    /// @dev What makes the source say `input` for the last block.
    function data() private view returns (bytes memory) {
        return abi.encode(block.number - 1, input());
    }

    function answerView(uint256 id) private {
        vm.prank(PROVER);
        oracle.answer(id, nothing(), output(), "proof");
    }

    function test_inputIsReadFromTheSource() external {
        uint256 id = askView(address(source), data());
        uint256[] memory words = oracle.instances(id, nothing(), PROVER);
        eq(words.length, 5, "request and input");
        for (uint256 i; i < 3; ++i) {
            eq(words[2 + i], input()[i], "input");
        }
        verifier.expect("proof", joined(words, output()));
        vm.prank(OTHER);
        refused(InferenceOracle.ProofRejected.selector);
        oracle.answer(id, nothing(), output(), "proof");
        answerView(id);
        eq(oracle.balanceOf(PROVER), BOUNTY, "bounty");
        require(oracle.outputHashOf(id) == keccak256(abi.encodePacked(output())), "output");
    }

    function test_proverCannotChooseTheInput() external {
        uint256 id = askView(address(source), data());
        refused(InferenceOracle.WrongInput.selector);
        answer(id);
        refused(InferenceOracle.WrongInput.selector);
        oracle.instances(id, input(), PROVER);
        // The block is a part of the question: this source would answer for no other.
        vm.roll(block.number + 100);
        answerView(id);
    }

    function test_blockMustBeOver() external {
        bytes4 early = InferenceOracle.BlockNotOver.selector;
        uint256 now_ = block.number;
        vm.prank(REQUESTER);
        uint256 id =
            oracle.requestView(model, address(source), abi.encode(now_ + 1, input()), now_ + 1, nobody(), deadline);
        refused(early);
        answerView(id);
        vm.roll(now_ + 1);
        refused(early);
        answerView(id);
        refused(early);
        oracle.instances(id, nothing(), PROVER);
        vm.roll(now_ + 2);
        answerView(id);
        vm.prank(REQUESTER);
        id = oracle.requestView(model, address(source), data(), type(uint256).max, nobody(), deadline);
        refused(early);
        answerView(id);
    }

    function test_sourceThatMisbehaves() external {
        uint256 id = askView(address(source), data());
        bytes4 failed = InferenceOracle.SourceFailed.selector;
        for (uint256 m = uint256(Source.Mood.Reverts); m <= uint256(Source.Mood.Empty); ++m) {
            source.set(Source.Mood(m), oracle);
            uint256 before = gasleft();
            vm.prank(PROVER);
            refused(failed);
            oracle.answer{gas: 10_000_000}(id, nothing(), output(), "proof");
            require(before - gasleft() < oracle.SOURCE_GAS() + 200_000, "what a source burns is bounded");
        }
        source.set(Source.Mood.LimbTooLarge, oracle);
        vm.expectRevert(abi.encodeWithSelector(Schema.LimbTooLarge.selector, 2));
        answerView(id);
        source.set(Source.Mood.CallsBack, oracle);
        answerView(id);
        eq(oracle.balanceOf(PROVER), BOUNTY, "bounty");
    }

    function test_sourceThatVanishes() external {
        uint256 id = askView(address(source), data());
        bytes memory code = address(source).code;
        vm.etch(address(source), "");
        refused(InferenceOracle.SourceFailed.selector);
        answerView(id);
        vm.etch(address(source), code);
        vm.warp(deadline + 1);
        oracle.refund(id);
        eq(oracle.balanceOf(REQUESTER), BOUNTY, "back");
    }

    function test_changedSourceMakesProofsWorthless() external {
        uint256 id = askView(address(source), data());
        verifier.expect("proof", joined(oracle.instances(id, nothing(), PROVER), output()));
        source.set(Source.Mood.LimbTooLarge, oracle);
        refused(Schema.LimbTooLarge.selector);
        answerView(id);
        source.set(Source.Mood.Right, oracle);
        answerView(id);
    }

    function test_badViewRequests() external {
        uint256 past = block.number - 1;
        vm.startPrank(REQUESTER);
        refused(InferenceOracle.NotASource.selector);
        oracle.requestView(model, OTHER, "", past, nobody(), deadline);
        refused(InferenceOracle.NoSuchModel.selector);
        oracle.requestView(model + 1, address(source), "", past, nobody(), deadline);
        bytes memory long = new bytes(oracle.MAX_BYTES());
        oracle.requestView(model, address(source), long, past, nobody(), deadline);
        refused(InferenceOracle.TooLong.selector);
        oracle.requestView(model, address(source), bytes.concat(long, "x"), past, nobody(), deadline);
    }

    function test_eventAndViewSayEverything() external {
        vm.recordLogs();
        uint256 id = askView(address(source), data());
        Vm.Log[] memory logs = vm.getRecordedLogs();
        bytes memory expected =
            abi.encode(nothing(), address(source), data(), block.number - 1, nobody(), BOUNTY, deadline);
        require(keccak256(logs[0].data) == keccak256(expected), "Requested");
        InferenceOracle.RequestView memory r = oracle.requestOf(id);
        eq(r.model, model, "model");
        require(r.requester == REQUESTER && r.source == address(source), "accounts");
        eq(r.deadline, deadline, "deadline");
        eq(r.bounty, BOUNTY, "bounty");
        require(r.digest == 0 && !r.delivered, "no digest");
        require(keccak256(r.data) == keccak256(data()), "data");
        eq(r.blockNumber, block.number - 1, "block");
    }
}
