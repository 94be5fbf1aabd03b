// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {BulletinMarket} from "../src/market/BulletinMarket.sol";
import {Bulletins} from "../src/market/Bulletins.sol";
import {Bulletin, Market, Status, Terms} from "../src/market/Terms.sol";
import {Vm} from "./Base.sol";
import {MarketBase} from "./MarketBase.sol";
import {MockVerifier} from "./MockVerifier.sol";

/// @title What holds for every contract that signed bulletins decide
/// @dev Tests inherit from this, once for each such contract.
abstract contract ResolveBase is MarketBase {
    BulletinMarket internal at;
    uint256 internal market;

    function setUp() public override {
        super.setUp();
        at = deployed();
        market = opened(terms());
    }

    /// @dev A new contract to test.
    function deployed() internal virtual returns (BulletinMarket);

    /// @dev Opens a market there.
    function opened(Terms memory terms_) internal virtual returns (uint256);

    /// @dev Resolves as home win.
    function resolve(Bulletin memory bulletin_) internal {
        resolve(at, market, bulletin_, 0);
    }

    function statusOf(uint256 id) internal view returns (uint256) {
        return uint256(at.marketOf(id).status);
    }

    function stillOpen() internal view {
        eq(statusOf(market), uint256(Status.Open), "status");
    }

    function refusedAs(bytes4 selector, Terms memory terms_) private {
        uint256 count = at.marketCount();
        refused(selector);
        this.open(terms_);
        eq(at.marketCount(), count, "count");
    }

    /// @dev From outside, so that the refusal is of one call.
    function open(Terms calldata terms_) external returns (uint256) {
        return opened(terms_);
    }

    function test_marketSaysItsTerms() external {
        vm.recordLogs();
        Terms memory t = terms();
        t.question = "Another?";
        uint256 id = opened(t);
        eq(id, 2, "counted from 1");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        require(logs[0].topics[0] == BulletinMarket.MarketOpened.selector, "event");
        eq(uint256(logs[0].topics[1]), id, "market");
        require(logs[0].topics[2] == FEED, "feed");
        eq(uint256(logs[0].topics[3]), uint160(t.publisher), "publisher");
        bytes memory expected = abi.encode(
            SEQUENCE, close, deadline, address(verifier), MODEL, uint32(10), uint8(4), NO_RESULT, "Another?"
        );
        require(keccak256(logs[0].data) == keccak256(expected), "MarketOpened");
        Market memory m = at.marketOf(id);
        require(m.publisher == t.publisher && m.feedId == FEED && m.sequence == SEQUENCE, "bulletin");
        require(m.close == close && m.deadline == deadline, "times");
        require(m.verifier == address(verifier) && m.modelId == MODEL && m.minMargin == 10, "model");
        require(m.codeHash == address(verifier).codehash, "code");
        require(m.classes == 4 && m.noResult == NO_RESULT && m.status == Status.Open, "classes");
        refused(BulletinMarket.NoSuchMarket.selector);
        at.marketOf(3);
    }

    function test_bulletinDecides() external {
        vm.warp(close);
        vm.recordLogs();
        resolve(bulletin());
        Vm.Log[] memory logs = vm.getRecordedLogs();
        require(logs[0].topics[0] == BulletinMarket.Resolved.selector, "event");
        eq(uint256(logs[0].topics[1]), market, "market");
        require(keccak256(logs[0].data) == keccak256(abi.encode(uint8(0), 10, keccak256(TEXT))), "Resolved");
        eq(statusOf(market), uint256(Status.Decided), "status");
    }

    function test_instancesAreWhatTheVerifierGets() external {
        vm.warp(close);
        uint256[] memory words = at.instances(market, TEXT, SUBMITTER);
        eq(words.length, 10, "request and text");
        uint256 request = uint256(keccak256(abi.encode(block.chainid, address(at), market, uint256(0), SUBMITTER)));
        eq(words[0], request >> 128, "request_hi");
        eq(words[1], uint128(request), "request_lo");
        uint256[8] memory packed = slowlyPacked(TEXT);
        for (uint256 i; i < 8; ++i) {
            eq(words[2 + i], packed[i], "limb");
        }
        verifier.expect("proof", joined(words, 2, 77));
        bytes4 no = BulletinMarket.ProofRejected.selector;
        vm.startPrank(SUBMITTER);
        refused(no);
        at.resolve(market, bulletin(), 1, 77, "proof");
        refused(no);
        at.resolve(market, bulletin(), 2, 78, "proof");
        refused(no);
        at.resolve(market, bulletin(), 2, 77, "another proof");
        at.resolve(market, bulletin(), 2, 77, "proof");
        eq(at.marketOf(market).class, 2, "class");
    }

    function test_proofIsBoundToItsSubmitter() external {
        vm.warp(close);
        verifier.expect("proof", joined(at.instances(market, TEXT, SUBMITTER), 0, 10));
        vm.prank(OTHER);
        refused(BulletinMarket.ProofRejected.selector);
        at.resolve(market, bulletin(), 0, 10, "proof");
        resolve(bulletin());
    }

    function test_proofIsForOneMarket() external {
        Terms memory t = terms();
        t.question = "The same, asked again";
        uint256 other = opened(t);
        vm.warp(close);
        verifier.expect("proof", joined(at.instances(market, TEXT, SUBMITTER), 0, 10));
        vm.prank(SUBMITTER);
        refused(BulletinMarket.ProofRejected.selector);
        at.resolve(other, bulletin(), 0, 10, "proof");
        resolve(bulletin());
    }

    function test_bulletinMustBeInTime() external {
        // The market hasn't closed, whatever the publisher's clock says.
        vm.warp(close - 1);
        refused(BulletinMarket.NotClosed.selector);
        resolve(bulletin());
        vm.warp(close + 500);
        vm.expectRevert(abi.encodeWithSelector(BulletinMarket.BulletinTooEarly.selector, close - 1, close));
        this.resolveAt(close - 1);
        uint64 last = uint64(block.timestamp + at.CLOCK_SKEW());
        vm.expectRevert(
            abi.encodeWithSelector(BulletinMarket.BulletinFromTheFuture.selector, last + 1, block.timestamp)
        );
        this.resolveAt(last + 1);
        stillOpen();
        this.resolveAt(last);
        eq(statusOf(market), uint256(Status.Decided), "status");
    }

    function resolveAt(uint64 timestamp) external {
        resolve(signed(PUBLISHER_KEY, FEED, SEQUENCE, timestamp, TEXT));
    }

    function test_bulletinOfAnotherFeedOrNumber() external {
        vm.warp(close);
        bytes4 wrong = BulletinMarket.WrongPublisher.selector;
        refused(wrong);
        resolve(signed(PUBLISHER_KEY, keccak256("weather"), SEQUENCE, close, TEXT));
        refused(wrong);
        resolve(signed(PUBLISHER_KEY, FEED, SEQUENCE - 1, close, TEXT));
        refused(wrong);
        resolve(signed(PUBLISHER_KEY, FEED, SEQUENCE + 1, close, TEXT));
        refused(wrong);
        resolve(signed(OTHER_KEY, FEED, SEQUENCE, close, TEXT));
        stillOpen();
    }

    function test_alteredBulletins() external {
        vm.warp(close + 10);
        bytes4 wrong = BulletinMarket.WrongPublisher.selector;
        Bulletin memory b = bulletin();
        // One byte, one more, one less, another time.
        b.text = "Rovers 1-2 United (full time). Rovers take all three points.";
        refused(wrong);
        resolve(b);
        b.text = bytes.concat(TEXT, " ");
        refused(wrong);
        resolve(b);
        b.text = "Rovers 2-1 United (full time). Rovers take all three points";
        refused(wrong);
        resolve(b);
        b = bulletin();
        ++b.timestamp;
        refused(wrong);
        resolve(b);
        stillOpen();
        // A zero byte at the end would give the same limbs.
        b = bulletin();
        b.text = bytes.concat(TEXT, hex"00");
        refused(Bulletins.BadText.selector);
        resolve(b);
    }

    function test_badSignatures() external {
        vm.warp(close);
        Bulletin memory b = bulletin();
        bytes memory good = b.signature;
        b.signature = "";
        refused(Bulletins.BadSignature.selector);
        resolve(b);
        b.signature = bytes.concat(good, hex"00");
        refused(Bulletins.BadSignature.selector);
        resolve(b);
        (bytes32 r, bytes32 s) = abi.decode(good, (bytes32, bytes32));
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        b.signature = abi.encodePacked(r, order - uint256(s), uint8(good[64]) ^ 7);
        refused(Bulletins.BadSignature.selector);
        resolve(b);
        b.signature = new bytes(65);
        refused(Bulletins.BadSignature.selector);
        resolve(b);
        b.signature[64] = bytes1(uint8(27));
        refused(Bulletins.BadSignature.selector);
        resolve(b);
        stillOpen();
    }

    function test_textsThatNoPublisherMaySign() external {
        vm.warp(close);
        bytes[4] memory texts = [bytes(""), new bytes(249), "2-1\n", hex"7f"];
        for (uint256 i; i < 4; ++i) {
            refused(Bulletins.BadText.selector);
            resolve(signed(PUBLISHER_KEY, FEED, SEQUENCE, close, texts[i]));
            refused(Bulletins.BadText.selector);
            at.instances(market, texts[i], SUBMITTER);
        }
        stillOpen();
    }

    function test_lowMarginChangesNothing() external {
        vm.warp(close);
        vm.prank(SUBMITTER);
        vm.expectRevert(abi.encodeWithSelector(BulletinMarket.MarginTooLow.selector, 9, 10));
        at.resolve(market, bulletin(), 1, 9, "proof");
        stillOpen();
        // A negative number, as a field element, is not a great margin.
        vm.prank(SUBMITTER);
        refused(BulletinMarket.MarginTooLarge.selector);
        at.resolve(market, bulletin(), 1, 1 << 64, "proof");
        vm.prank(SUBMITTER);
        at.resolve(market, bulletin(), 1, (1 << 64) - 1, "proof");
        eq(statusOf(market), uint256(Status.Decided), "status");
    }

    function test_classesBeyondTheTerms() external {
        vm.warp(close);
        refused(BulletinMarket.NoSuchClass.selector);
        resolve(at, market, bulletin(), 4);
        refused(BulletinMarket.NoSuchClass.selector);
        resolve(at, market, bulletin(), 256);
        stillOpen();
    }

    function test_onlyOnceAndInTime() external {
        Terms memory t = terms();
        t.question = "Late";
        uint256 late = opened(t);
        vm.warp(deadline);
        resolve(bulletin());
        refused(BulletinMarket.NotOpen.selector);
        resolve(at, market, bulletin(), 1);
        vm.warp(deadline + 1);
        refused(BulletinMarket.NotOpen.selector);
        at.expire(market);
        vm.expectRevert(abi.encodeWithSelector(BulletinMarket.DeadlinePassed.selector, deadline));
        this.resolveLate(late);
        at.expire(late);
        refused(BulletinMarket.NotOpen.selector);
        at.expire(late);
        refused(BulletinMarket.NotOpen.selector);
        resolve(at, late, bulletin(), 1);
        refused(BulletinMarket.NoSuchMarket.selector);
        resolve(at, 3, bulletin(), 1);
        refused(BulletinMarket.NoSuchMarket.selector);
        at.expire(3);
        refused(BulletinMarket.NoSuchMarket.selector);
        at.instances(3, TEXT, SUBMITTER);
    }

    function resolveLate(uint256 id) external {
        resolve(at, id, bulletin(), 1);
    }

    function test_expiresOnlyAfterTheDeadline() external {
        vm.warp(deadline);
        vm.prank(OTHER);
        vm.expectRevert(abi.encodeWithSelector(BulletinMarket.DeadlineNotPassed.selector, deadline));
        at.expire(market);
        vm.warp(deadline + 1);
        vm.recordLogs();
        vm.prank(OTHER);
        at.expire(market);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        require(logs[0].topics[0] == BulletinMarket.Undecided.selector, "event");
        eq(uint256(logs[0].topics[1]), market, "market");
        eq(statusOf(market), uint256(Status.Undecided), "status");
    }

    function test_verifierThatMisbehaves() external {
        vm.warp(close);
        for (uint256 a = uint256(MockVerifier.Answer.False); a <= uint256(MockVerifier.Answer.Revert); ++a) {
            verifier.set(MockVerifier.Answer(a));
            refused(BulletinMarket.ProofRejected.selector);
            resolve(bulletin());
        }
        verifier.set(MockVerifier.Answer.Burn);
        vm.prank(SUBMITTER);
        refused(BulletinMarket.ProofRejected.selector);
        at.resolve{gas: 2_000_000}(market, bulletin(), 0, 10, "proof");
        stillOpen();
    }

    function test_verifierThatChanges() external {
        vm.warp(close);
        bytes4 no = BulletinMarket.NotAVerifier.selector;
        verifier.setModel(keccak256("another model"));
        refused(no);
        resolve(bulletin());
        verifier.setModel(MODEL);
        bytes memory code = address(verifier).code;
        vm.etch(address(verifier), bytes.concat(code, hex"00"));
        refused(no);
        resolve(bulletin());
        vm.etch(address(verifier), "");
        refused(no);
        resolve(bulletin());
        vm.etch(address(verifier), code);
        resolve(bulletin());
    }

    function test_badTerms() external {
        bytes4 bad = BulletinMarket.BadTerms.selector;
        Terms memory t = terms();
        t.publisher = address(0);
        refusedAs(bad, t);
        t = terms();
        t.close = uint64(block.timestamp);
        refusedAs(bad, t);
        t = terms();
        t.deadline = t.close;
        refusedAs(bad, t);
        t = terms();
        t.classes = 17;
        refusedAs(bad, t);
        (t.classes, t.noResult) = (2, 1);
        refusedAs(bad, t);
        (t.classes, t.noResult) = (1, 255);
        refusedAs(bad, t);
        (t.classes, t.noResult) = (3, 3);
        refusedAs(bad, t);
        (t.classes, t.noResult) = (3, 254);
        refusedAs(bad, t);
        t = terms();
        t.question = string(new bytes(at.MAX_QUESTION() + 1));
        refusedAs(bad, t);
        bytes4 no = BulletinMarket.NotAVerifier.selector;
        t = terms();
        t.verifier = OTHER;
        refusedAs(no, t);
        t.verifier = address(at);
        refusedAs(no, t);
        vm.etch(OTHER, abi.encodePacked(hex"ef0100", address(verifier)));
        t.verifier = OTHER;
        refusedAs(no, t);
        t = terms();
        t.modelId = keccak256("another model");
        refusedAs(no, t);
        // The least and the most.
        t = terms();
        (t.classes, t.noResult, t.close, t.deadline) =
        (2, 255, uint64(block.timestamp) + 1, uint64(block.timestamp) + 2);
        opened(t);
        (t.classes, t.noResult, t.deadline) = (16, 0, type(uint64).max);
        t.question = string(new bytes(at.MAX_QUESTION()));
        opened(t);
    }
}
