// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Request} from "../../src/Request.sol";
import {FraudGuard} from "../../src/guard/FraudGuard.sol";
import {GuardedVault} from "../../src/guard/GuardedVault.sol";
import {Record} from "../../src/guard/Record.sol";
import {MockVerifier} from "../MockVerifier.sol";
import {GuardBase} from "./GuardBase.sol";
import {Token} from "./Tokens.sol";

/// @title What is flagged
contract GuardFlag is GuardBase {
    function test_smallOnesPass() external {
        take(HONEST, 20 ether);
        eq(vault.incidentCount(), 0, "flagged");
        eq(token.balanceOf(HONEST), 920 ether, "paid");
    }

    function test_largeOnesWait() external {
        uint256 incident = flagged(HONEST, 20 ether + 1);
        status(incident, FraudGuard.Status.Delayed);
        eq(token.balanceOf(HONEST), 900 ether, "not paid yet");
        eq(vault.escrowed(), 20 ether + 1, "escrow");
        refused(FraudGuard.TooEarly.selector);
        vault.claim(incident);
        vm.warp(START + DELAY - 1);
        refused(FraudGuard.TooEarly.selector);
        vault.claim(incident);
        vm.warp(START + DELAY);
        vm.prank(ANYONE);
        vault.claim(incident);
        eq(token.balanceOf(HONEST), 920 ether + 1, "paid");
        eq(vault.escrowed(), 0, "escrow");
        refused(FraudGuard.WrongStatus.selector);
        vault.claim(incident);
        refused(FraudGuard.WrongStatus.selector);
        vault.claim(99);
    }

    function test_slicesFillTheBucket() external {
        take(THIEF, 15 ether);
        take(THIEF, 15 ether);
        require(vault.wouldFlag(15 ether, vault.totalAssets()), "third");
        flagged(THIEF, 15 ether);
        // What was flagged took nothing from the bucket: others' small withdrawals go on.
        take(HONEST, 0.5 ether);
        // It leaks empty in a day.
        vm.warp(START + WINDOW);
        uint256 all = vault.totalAssets();
        require(!vault.wouldFlag(all / 10, all) && vault.wouldFlag(all / 10 + 1, all), "empty again");
        take(THIEF, all / 10);
        eq(vault.incidentCount(), 1, "flagged");
    }

    function test_flagTellsWhatIsStored() external {
        vm.recordLogs();
        uint256 incident = flagged(THIEF, 90 ether);
        uint256 at;
        bytes32 topic = FraudGuard.Flagged.selector;
        FraudLog[] memory found = logs(topic);
        eq(found.length, 1, "one event");
        at = uint256(found[0].topics[1]);
        eq(at, incident, "incident");
        eq(uint256(found[0].topics[2]), uint160(THIEF), "account");
        (uint64 round, uint256[] memory features, uint64 releaseAt) =
            abi.decode(found[0].data, (uint64, uint256[], uint64));
        eq(round, 0, "round");
        eq(releaseAt, START + DELAY, "releaseAt");
        uint256[] memory asked = vault.instances(incident, PROVER);
        eq(features.length, 2, "limbs");
        eq(features[0], asked[2], "limb 0");
        eq(features[1], asked[3], "limb 1");
    }

    struct FraudLog {
        bytes32[] topics;
        bytes data;
    }

    function logs(bytes32 topic) private returns (FraudLog[] memory found) {
        Log[] memory all = abi.decode(abi.encode(vm.getRecordedLogs()), (Log[]));
        uint256 n;
        for (uint256 i; i < all.length; ++i) {
            if (all[i].topics[0] == topic) ++n;
        }
        found = new FraudLog[](n);
        n = 0;
        for (uint256 i; i < all.length; ++i) {
            if (all[i].topics[0] == topic) found[n++] = FraudLog(all[i].topics, all[i].data);
        }
    }

    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function test_termsAreChecked() external {
        FraudGuard.Terms memory t = terms();
        t.modelId = keccak256("another");
        made(t, FraudGuard.NotAVerifier.selector);
        t = terms();
        t.verifier = ANYONE;
        made(t, FraudGuard.NotAVerifier.selector);
        bytes4 bad = FraudGuard.BadTerms.selector;
        t = terms();
        t.delay = 0;
        made(t, bad);
        t = terms();
        t.pause = 0;
        made(t, bad);
        t = terms();
        t.window = 0;
        made(t, bad);
        t = terms();
        t.singleBps = 10_001;
        made(t, bad);
        t = terms();
        t.windowBps = 10_001;
        made(t, bad);
        t = terms();
        t.numerator = 0;
        made(t, bad);
        t = terms();
        t.denominator = 0;
        made(t, bad);
        t = terms();
        t.releaseBelow = t.pauseAt + 1;
        made(t, bad);
    }

    function made(FraudGuard.Terms memory t, bytes4 error_) private {
        refused(error_);
        new GuardedVault(address(token), "", "", t);
    }
}

/// @title Proofs: whose, of what, and how often
contract GuardJudge is GuardBase {
    function test_lowReleases() external {
        uint256 incident = flagged(HONEST, 50 ether);
        judge(incident, 0, 299);
        status(incident, FraudGuard.Status.Released);
        vault.claim(incident);
        eq(token.balanceOf(HONEST), 950 ether, "paid before its time");
    }

    function test_highPauses() external {
        uint256 incident = flagged(THIEF, 50 ether);
        judge(incident, 0, 500);
        status(incident, FraudGuard.Status.Held);
        require(isPaused(), "paused");
    }

    function test_inBetweenWaits() external {
        uint256 incident = flagged(THIEF, 50 ether);
        for (uint256 score = 300; score < 500; score += 199) {
            vm.prank(PROVER);
            refused(FraudGuard.Inconclusive.selector);
            vault.judge(incident, 0, score, "proof");
        }
        status(incident, FraudGuard.Status.Delayed);
        // A score that is no score, such as one above the field's modulus, is none.
        vm.prank(PROVER);
        refused(FraudGuard.Inconclusive.selector);
        vault.judge(incident, 0, 1 << 32, "proof");
    }

    function test_proofsAreForOneSender() external {
        uint256 incident = flagged(THIEF, 50 ether);
        verifier.expect("proof", told(incident, 0, PROVER, HIGH));
        vm.prank(ANYONE);
        refused(FraudGuard.ProofRejected.selector);
        vault.judge(incident, 0, HIGH, "proof");
        vm.prank(PROVER);
        refused(FraudGuard.ProofRejected.selector);
        vault.judge(incident, 0, HIGH + 1, "proof");
        vm.prank(PROVER);
        refused(FraudGuard.ProofRejected.selector);
        vault.judge(incident, 0, LOW, "proof");
        vm.prank(PROVER);
        refused(FraudGuard.ProofRejected.selector);
        vault.judge(incident, 0, HIGH, "prooF");
        judge(incident, 0, HIGH);
    }

    function test_proofsAreForOneIncident() external {
        uint256 first = flagged(THIEF, 30 ether);
        uint256 second = flagged(THIEF, 30 ether);
        verifier.expect("proof", told(first, 0, PROVER, LOW));
        vm.prank(PROVER);
        refused(FraudGuard.ProofRejected.selector);
        vault.judge(second, 0, LOW, "proof");
        judge(first, 0, LOW);
        vm.prank(PROVER);
        refused(FraudGuard.WrongStatus.selector);
        vault.judge(first, 0, LOW, "proof");
        refused(FraudGuard.WrongStatus.selector);
        vault.judge(99, 0, LOW, "proof");
        refused(FraudGuard.WrongStatus.selector);
        vault.instances(99, PROVER);
    }

    function test_proofsAreForOneRound() external {
        uint256 incident = flagged(THIEF, 50 ether);
        vm.prank(PROVER);
        refused(FraudGuard.WrongRound.selector);
        vault.judge(incident, 1, HIGH, "proof");
        judge(incident, 0, HIGH);
        vm.warp(START + DELAY);
        vm.prank(THIEF);
        vault.appeal(incident);
        eq(vault.incidents(incident).round, 1, "round");
        vm.prank(PROVER);
        refused(FraudGuard.WrongRound.selector);
        vault.judge(incident, 0, LOW, "proof");
        // The same limbs, and still another question.
        verifier.expect("proof", told(incident, 0, PROVER, LOW));
        vm.prank(PROVER);
        refused(FraudGuard.ProofRejected.selector);
        vault.judge(incident, 1, LOW, "proof");
        verifier.expect("proof", told(incident, 1, PROVER, LOW));
        judge(incident, 1, LOW);
        status(incident, FraudGuard.Status.Released);
    }

    function test_featuresStayAsTheyWere() external {
        uint256 incident = flagged(THIEF, 50 ether);
        uint256[] memory before = vault.instances(incident, PROVER);
        vm.warp(START + 60);
        put(THIEF, 1 ether);
        take(THIEF, 1);
        fund(ANYONE, 1 ether);
        vm.prank(ANYONE);
        vault.deposit(1 ether, THIEF);
        uint256[] memory later = vault.instances(incident, PROVER);
        for (uint256 i; i < 4; ++i) {
            eq(later[i], before[i], "instance");
        }
        require(vault.featuresOf(THIEF)[0] != before[2], "the record goes on");
    }

    function test_verifierMustStay() external {
        uint256 incident = flagged(THIEF, 50 ether);
        verifier.setModel(keccak256("another"));
        vm.prank(PROVER);
        refused(FraudGuard.NotAVerifier.selector);
        vault.judge(incident, 0, HIGH, "proof");
        verifier.setModel(MODEL);
        for (uint256 a = uint256(MockVerifier.Answer.False); a <= uint256(MockVerifier.Answer.Revert); ++a) {
            verifier.set(MockVerifier.Answer(a));
            vm.prank(PROVER);
            refused(FraudGuard.ProofRejected.selector);
            vault.judge(incident, 0, HIGH, "proof");
        }
        vm.etch(address(verifier), "");
        vm.prank(PROVER);
        refused(FraudGuard.NotAVerifier.selector);
        vault.judge(incident, 0, HIGH, "proof");
        // Without a verifier the withdrawal is only late.
        vm.warp(START + DELAY);
        vault.claim(incident);
    }

    /// @dev The instances by the words of the specification.
    function told(uint256 incident, uint256 round, address sender, uint256 score)
        private
        view
        returns (uint256[] memory list)
    {
        uint256[] memory features = vault.instances(incident, sender);
        list = new uint256[](5);
        Request.put(list, Request.hash(address(vault), incident, round, sender));
        (list[2], list[3], list[4]) = (features[2], features[3], score);
    }
}

/// @title Pauses: what they stop, how they end
contract GuardPause is GuardBase {
    function test_nothingLeavesDuringAPause() external {
        uint256 held = flagged(THIEF, 50 ether);
        uint256 waiting = flagged(THIEF, 40 ether);
        uint256 released = flagged(HONEST, 40 ether);
        judge(released, 0, LOW);
        judge(held, 0, HIGH);
        bytes4 paused = FraudGuard.Paused.selector;
        vm.warp(START + DELAY);
        refused(paused);
        vault.claim(held);
        refused(paused);
        vault.claim(waiting);
        refused(paused);
        vault.claim(released);
        vm.prank(HONEST);
        refused(paused);
        vault.withdraw(1, HONEST, HONEST);
        vm.prank(HONEST);
        refused(paused);
        vault.redeem(1, HONEST, HONEST);
        eq(vault.maxWithdraw(HONEST), 0, "maxWithdraw");
        eq(vault.maxRedeem(HONEST), 0, "maxRedeem");
        eq(token.balanceOf(address(vault)), 200 ether, "all there");
    }

    function test_pausesExpire() external {
        uint256 held = flagged(THIEF, 50 ether);
        uint256 waiting = flagged(THIEF, 50 ether);
        judge(held, 0, HIGH);
        vm.warp(START + PAUSE - 1);
        refused(FraudGuard.Paused.selector);
        vault.claim(waiting);
        vm.warp(START + PAUSE);
        require(!isPaused(), "over");
        // Honest money leaves whole, before the held withdrawal does.
        uint256 large = flagged(HONEST, vault.maxWithdraw(HONEST));
        vm.warp(START + PAUSE + DELAY - 1);
        refused(FraudGuard.TooEarly.selector);
        vault.claim(held);
        judge(large, 0, LOW);
        vault.claim(large);
        require(token.balanceOf(HONEST) >= 1000 ether - 1, "honest money");
        vm.warp(START + PAUSE + DELAY);
        vault.claim(held);
        vault.claim(waiting);
        eq(token.balanceOf(THIEF), 1000 ether, "nothing is taken, it is late");
        eq(vault.escrowed(), 0, "escrow");
    }

    function test_governanceOnlyEndsPauses() external {
        vm.prank(GOVERNANCE);
        refused(FraudGuard.NotPaused.selector);
        vault.endPause();
        uint256 held = flagged(THIEF, 50 ether);
        judge(held, 0, HIGH);
        vm.prank(THIEF);
        refused(FraudGuard.NotAllowed.selector);
        vault.endPause();
        vm.prank(GOVERNANCE);
        vault.endPause();
        require(!isPaused(), "ended");
        take(HONEST, 1 ether);
        // The held one waits as long as if the pause had run out.
        vm.warp(START + PAUSE + DELAY - 1);
        refused(FraudGuard.TooEarly.selector);
        vault.claim(held);
        vm.prank(GOVERNANCE);
        refused(FraudGuard.NotPaused.selector);
        vault.endPause();
        // It has no share, no allowance, and no say in an appeal.
        vm.prank(GOVERNANCE);
        refused(FraudGuard.NotAllowed.selector);
        vault.appeal(held);
        vm.prank(GOVERNANCE);
        refused(GuardedVault.InsufficientAllowance.selector);
        vault.redeem(1, GOVERNANCE, HONEST);
    }

    function test_pausesHaveGaps() external {
        uint256 first = flagged(THIEF, 30 ether);
        uint256 second = flagged(THIEF, 30 ether);
        uint256 third = flagged(THIEF, 30 ether);
        judge(first, 0, HIGH);
        vm.warp(START + 1 hours);
        judge(second, 0, HIGH);
        (, uint256 until, uint256 by) = vault.paused();
        eq(until, START + PAUSE, "not prolonged");
        eq(by, first, "by the first");
        // Held all the same: for as long as a pause and a delay from its own judgement.
        eq(vault.incidents(second).releaseAt, START + 1 hours + PAUSE + DELAY, "held");
        vm.warp(START + PAUSE + GRACE - 1);
        judge(third, 0, HIGH);
        require(!isPaused(), "grace");
        vm.warp(START + PAUSE + GRACE);
        uint256 fourth = flagged(HONEST, 30 ether);
        judge(fourth, 0, HIGH);
        require(isPaused(), "another");
    }

    function test_appealsCantDodge() external {
        uint256 incident = flagged(THIEF, 50 ether);
        vm.prank(THIEF);
        refused(FraudGuard.WrongStatus.selector);
        vault.appeal(incident);
        judge(incident, 0, HIGH);
        vm.prank(ANYONE);
        refused(FraudGuard.NotAllowed.selector);
        vault.appeal(incident);
        vm.prank(THIEF);
        refused(FraudGuard.TooEarly.selector);
        vault.appeal(incident);
        vm.warp(START + DELAY);
        vm.prank(THIEF);
        vault.appeal(incident);
        vm.prank(THIEF);
        refused(FraudGuard.TooEarly.selector);
        vault.appeal(incident);
        // A high score changes nothing more.
        vm.prank(PROVER);
        refused(FraudGuard.Inconclusive.selector);
        vault.judge(incident, 1, HIGH, "proof");
    }

    function test_falseAlarmIsLifted() external {
        uint256 incident = flagged(HONEST, 50 ether);
        uint256[] memory before = vault.instances(incident, PROVER);
        judge(incident, 0, HIGH);
        vm.warp(START + DELAY);
        // Its record goes on, as deposits do.
        put(HONEST, 5 ether);
        vm.prank(HONEST);
        vault.appeal(incident);
        uint256[] memory later = vault.instances(incident, PROVER);
        require(later[2] != before[2] && later[0] != before[0], "a later record");
        eq(later[2], vault.featuresOf(HONEST)[0], "as it is now");
        judge(incident, 1, LOW);
        require(!isPaused(), "lifted");
        vault.claim(incident);
        take(THIEF, 1 ether);
    }

    function test_anotherAlarmStays() external {
        uint256 first = flagged(THIEF, 30 ether);
        uint256 second = flagged(HONEST, 30 ether);
        judge(first, 0, HIGH);
        judge(second, 0, HIGH);
        vm.warp(START + DELAY);
        vm.prank(HONEST);
        vault.appeal(second);
        judge(second, 1, LOW);
        require(isPaused(), "the first one's pause");
        refused(FraudGuard.Paused.selector);
        vault.claim(second);
    }

    function test_latestPauseIsFromADelayedOne() external {
        // Judged after its time, before it is claimed: it is held after all.
        uint256 incident = flagged(THIEF, 30 ether);
        vm.warp(START + DELAY);
        judge(incident, 0, HIGH);
        refused(FraudGuard.Paused.selector);
        vault.claim(incident);
    }
}

/// @title Nobody changes another account's record
contract GuardGrief is GuardBase {
    function test_othersDepositsDontCount() external {
        (uint256 received, uint256 sent) = vault.recordOf(HONEST);
        fund(ANYONE, 10 ether);
        vm.startPrank(ANYONE);
        vault.deposit(1, HONEST);
        vault.deposit(5 ether, HONEST);
        vault.mint(1, HONEST);
        vault.deposit(1 ether, ANYONE);
        vault.transfer(HONEST, vault.balanceOf(ANYONE));
        vm.stopPrank();
        same(received, sent);
        // Nor what leaves another account for this one.
        vm.prank(THIEF);
        vault.withdraw(1, HONEST, THIEF);
        same(received, sent);
        // Nor a claim by anyone, nor tokens sent to the vault.
        vm.prank(ANYONE);
        token.transfer(address(vault), 1);
        same(received, sent);
    }

    function test_acceptedPayersCount() external {
        fund(ANYONE, 10 ether);
        vm.prank(HONEST);
        vault.setPayer(ANYONE, true);
        vm.prank(ANYONE);
        vault.deposit(2 ether, HONEST);
        (uint256 received,) = vault.recordOf(HONEST);
        eq(Record.count(received), 2, "count");
        eq(Record.distinct(received), 2, "payers");
        eq(Record.smallest(received), 2e6, "smallest");
        eq(Record.total(received), 102e6, "total");
        vm.prank(HONEST);
        vault.setPayer(ANYONE, false);
        vm.prank(ANYONE);
        vault.deposit(1 ether, HONEST);
        (uint256 after_,) = vault.recordOf(HONEST);
        eq(after_, received, "no more");
    }

    function test_spendersActForTheirOwner() external {
        vm.prank(HONEST);
        vault.approve(ANYONE, 2000 ether);
        vm.prank(ANYONE);
        vault.withdraw(2 ether, ANYONE, HONEST);
        (, uint256 sent) = vault.recordOf(HONEST);
        eq(Record.count(sent), 1, "the owner's");
        (, sent) = vault.recordOf(ANYONE);
        eq(sent, 0, "not the spender's");
    }

    function test_dustDoesntReleaseOrHold() external {
        uint256 incident = flagged(HONEST, 50 ether);
        uint256[] memory before = vault.instances(incident, PROVER);
        fund(ANYONE, 1 ether);
        for (uint256 i; i < 10; ++i) {
            vm.prank(ANYONE);
            vault.deposit(1, HONEST);
        }
        uint256[] memory later = vault.instances(incident, PROVER);
        for (uint256 i; i < 4; ++i) {
            eq(later[i], before[i], "instance");
        }
    }

    function same(uint256 received, uint256 sent) private view {
        (uint256 r, uint256 s) = vault.recordOf(HONEST);
        eq(r, received, "received");
        eq(s, sent, "sent");
    }
}
