// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Balances} from "../src/Balances.sol";
import {InferenceOracle} from "../src/oracle/InferenceOracle.sol";
import {Vm} from "./Base.sol";
import {Consumer, Reenterer, Refuser} from "./OracleActors.sol";
import {OracleBase} from "./OracleBase.sol";

/// @title Callbacks, and those who would misuse them
contract OracleCallbacksTest is OracleBase {
    uint32 private constant GAS = 200_000;

    /// @dev Enough that 1/64 of it is more than what the oracle keeps for itself.
    uint32 private constant MUCH_GAS = 4_000_000;

    Consumer private consumer;

    function setUp() public override {
        super.setUp();
        consumer = new Consumer();
    }

    /// @dev Whether an answer has been told to the consumer right.
    function checkTold(uint256 id) private view {
        require(consumer.told() == keccak256(abi.encode(id, model, output())), "told");
        require(consumer.caller() == address(oracle), "caller");
        eq(consumer.calls(), 1, "calls");
        require(oracle.requestOf(id).delivered, "delivered");
    }

    /// @dev Whether the request is answered and paid for, and still to be told.
    function checkKept(uint256 id) private view {
        eq(statusOf(id), uint256(InferenceOracle.Status.Answered), "status");
        require(oracle.outputHashOf(id) == keccak256(abi.encodePacked(output())), "output");
        eq(oracle.balanceOf(PROVER), BOUNTY, "bounty");
        require(!oracle.requestOf(id).delivered, "not delivered");
    }

    function test_targetIsTold() external {
        uint256 id = askFor(address(consumer), GAS);
        vm.recordLogs();
        answer(id);
        checkTold(id);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        (, bool delivered) = abi.decode(logs[0].data, (uint256[], bool));
        require(delivered, "delivered");
        // Exactly what was promised, but for what it took to get to the line that looks.
        require(consumer.gasGiven() <= GAS && consumer.gasGiven() > GAS - 1000, "gas");
        refused(InferenceOracle.NothingToDeliver.selector);
        oracle.deliver(id, output());
    }

    function test_callbackThatFails() external {
        uint256 first = uint256(Consumer.Mood.Reverts);
        uint256 last = uint256(Consumer.Mood.Invalid);
        for (uint256 mood = first; mood <= last; ++mood) {
            if (mood == uint256(Consumer.Mood.ReturnsMegabytes)) continue;
            uint256 state = vm.snapshotState();
            uint256 id = askFor(address(consumer), GAS);
            consumer.set(Consumer.Mood(mood));
            uint256 before = gasleft();
            answer(id);
            require(before - gasleft() < GAS + 400_000, "what a callback burns is bounded");
            checkKept(id);
            vm.expectRevert(abi.encodeWithSelector(InferenceOracle.DeliveryFailed.selector, consumer));
            oracle.deliver(id, output());
            checkKept(id);
            // Nobody loses anything by its being late.
            consumer.set(Consumer.Mood.Takes);
            vm.warp(deadline + 1000);
            vm.recordLogs();
            vm.prank(OTHER);
            oracle.deliver(id, output());
            checkTold(id);
            Vm.Log[] memory logs = vm.getRecordedLogs();
            require(logs[0].topics[0] == InferenceOracle.Delivered.selector, "event");
            refused(InferenceOracle.NothingToDeliver.selector);
            oracle.deliver(id, output());
            vm.revertToState(state);
        }
    }

    function test_callbackThatAnswersTooMuch() external {
        uint32 limit = uint32(oracle.MAX_CALLBACK_GAS());
        uint256 id = askFor(address(consumer), limit);
        consumer.set(Consumer.Mood.ReturnsMegabytes);
        uint256 before = gasleft();
        answer(id);
        // A copy of the million bytes would cost more than two million gas here, after as much there.
        require(before - gasleft() < 2_700_000, "not copied");
        checkTold(id);
        id = askFor(address(consumer), limit);
        consumer.set(Consumer.Mood.RevertsWithMegabytes);
        before = gasleft();
        answer(id);
        require(before - gasleft() < 2_700_000, "not copied");
        require(!oracle.requestOf(id).delivered, "not delivered");
        eq(oracle.balanceOf(PROVER), 2 * BOUNTY, "paid");
    }

    function test_targetWithoutCode() external {
        uint256 id = askFor(OTHER, GAS);
        answer(id);
        checkKept(id);
        refused(InferenceOracle.DeliveryFailed.selector);
        oracle.deliver(id, output());
        // It comes to be: a contract may ask in its constructor.
        vm.etch(OTHER, address(consumer).code);
        consumer = Consumer(OTHER);
        oracle.deliver(id, output());
        checkTold(id);
    }

    /// @notice Whatever gas a submitter sends, either the target gets all that was promised to it, or nothing happens.
    function test_submitterCannotStarveTheCallback() external {
        consumer.set(Consumer.Mood.UsesNearlyAll);
        uint256 id = askFor(address(consumer), MUCH_GAS);
        uint256 refusals;
        uint256 answers;
        uint256 state = vm.snapshotState();
        for (uint256 given = 60_000; given < MUCH_GAS + 250_000; given += given < 3_900_000 ? 300_000 : 5_000) {
            vm.prank(PROVER);
            try oracle.answer{gas: given}(id, input(), output(), "proof") {
                require(oracle.requestOf(id).delivered, "starved");
                require(consumer.gasGiven() > MUCH_GAS - 1000, "less than promised");
                ++answers;
                vm.revertToState(state);
                state = vm.snapshotState();
            } catch {
                ++refusals;
                eq(statusOf(id), uint256(InferenceOracle.Status.Open), "status");
            }
        }
        require(refusals > 10 && answers > 10, "both were tried");
    }

    function test_delivererCannotStarveTheCallback() external {
        consumer.set(Consumer.Mood.Reverts);
        uint256 id = askFor(address(consumer), MUCH_GAS);
        answer(id);
        consumer.set(Consumer.Mood.UsesNearlyAll);
        bool delivered;
        for (uint256 given = 60_000; !delivered; given += given < 3_900_000 ? 300_000 : 5_000) {
            try oracle.deliver{gas: given}(id, output()) {
                delivered = true;
            } catch {
                require(!oracle.requestOf(id).delivered, "not delivered");
            }
        }
        require(consumer.gasGiven() > MUCH_GAS - 1000, "less than promised");
        checkTold(id);
    }

    function test_errorSaysWhatGasIsMissing() external {
        uint256 id = askFor(address(consumer), MUCH_GAS);
        vm.prank(PROVER);
        refused(InferenceOracle.NotEnoughGas.selector);
        oracle.answer{gas: MUCH_GAS}(id, input(), output(), "proof");
    }

    function test_consumerThatReenters() external {
        Reenterer thief = new Reenterer(oracle, input());
        uint256 id = askFor(address(thief), 2_000_000);
        thief.attack(id, 0, false, output());
        eq(thief.told(), 1, "told once");
        eq(thief.succeeded(), 0, "nothing else succeeded");
        eq(oracle.balanceOf(address(thief)), BOUNTY, "one bounty");
        // Another request from within is fine; each is told and paid once.
        id = askFor(address(thief), 4_000_000);
        uint256 other = askFor(address(thief), 1_000_000);
        thief.attack(id, other, false, output());
        eq(thief.told(), 3, "two more");
        eq(thief.succeeded(), 0, "nothing else succeeded");
        eq(oracle.balanceOf(address(thief)), 3 * BOUNTY, "three bounties");
        // If the outer one fails, the inner one has never been answered.
        id = askFor(address(thief), 4_000_000);
        other = askFor(address(thief), 1_000_000);
        thief.attack(id, other, true, output());
        eq(statusOf(other), uint256(InferenceOracle.Status.Open), "inner");
        require(!oracle.requestOf(id).delivered, "outer");
        eq(oracle.balanceOf(address(thief)), 4 * BOUNTY, "the outer one's");
        // It takes out what it has, and can't take more by taking it twice at once.
        refused(Balances.PaymentFailed.selector);
        thief.steal(4 * BOUNTY);
        refused(Balances.InsufficientBalance.selector);
        thief.steal(5 * BOUNTY);
        eq(address(oracle).balance, 5 * BOUNTY, "all is there");
    }

    function test_wrongDeliveries() external {
        bytes4 no = InferenceOracle.NothingToDeliver.selector;
        consumer.set(Consumer.Mood.Reverts);
        uint256 id = askFor(address(consumer), GAS);
        uint256 silent = ask();
        refused(no);
        oracle.deliver(id, output());
        // What is stored of an open request is its input's hash: that must not pass for an answer.
        consumer.set(Consumer.Mood.Takes);
        refused(no);
        oracle.deliver(id, input());
        consumer.set(Consumer.Mood.Reverts);
        answer(id);
        answer(silent);
        consumer.set(Consumer.Mood.Takes);
        uint256[] memory other = output();
        other[0] ^= 1;
        refused(no);
        oracle.deliver(id, other);
        refused(no);
        oracle.deliver(id, nothing());
        refused(no);
        oracle.deliver(silent, output());
        refused(no);
        oracle.deliver(99, nothing());
        uint256 late = askFor(address(consumer), GAS);
        vm.warp(deadline + 1);
        oracle.refund(late);
        refused(no);
        oracle.deliver(late, output());
        refused(no);
        oracle.deliver(late, input());
    }

    function test_badCallbacks() external {
        uint32 limit = uint32(oracle.MAX_CALLBACK_GAS());
        bytes4 bad = InferenceOracle.BadCallback.selector;
        vm.startPrank(REQUESTER);
        refused(bad);
        oracle.request(model, input(), InferenceOracle.Callback(address(consumer), limit + 1), deadline);
        refused(bad);
        oracle.request(model, input(), InferenceOracle.Callback(address(0), 1), deadline);
        oracle.request(model, input(), InferenceOracle.Callback(address(consumer), limit), deadline);
    }

    function test_thoseWhoRefusePaymentHurtOnlyThemselves() external {
        Refuser refuser = new Refuser();
        vm.deal(address(this), BOUNTY);
        uint256 id = refuser.ask{value: BOUNTY}(oracle, model, input(), deadline);
        uint256 other = ask();
        vm.warp(deadline + 1);
        oracle.refund(id);
        oracle.refund(other);
        refused(Balances.PaymentFailed.selector);
        refuser.withdraw(oracle, payable(address(refuser)), BOUNTY);
        eq(oracle.balanceOf(address(refuser)), BOUNTY, "still there");
        refuser.withdraw(oracle, payable(OTHER), BOUNTY);
        eq(OTHER.balance, BOUNTY, "paid to another");
        vm.prank(REQUESTER);
        oracle.withdraw(payable(REQUESTER), BOUNTY);
        eq(REQUESTER.balance, 100 ether, "paid");
        vm.prank(OTHER);
        refused(Balances.InsufficientBalance.selector);
        oracle.withdraw(payable(OTHER), 1);
    }
}
