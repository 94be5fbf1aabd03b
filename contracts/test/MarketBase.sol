// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {BulletinMarket} from "../src/market/BulletinMarket.sol";
import {Bulletins} from "../src/market/Bulletins.sol";
import {Bulletin, Terms} from "../src/market/Terms.sol";
import {Base} from "./Base.sol";
import {MockVerifier} from "./MockVerifier.sol";

/// @title A publisher, terms and bulletins for the markets' tests
abstract contract MarketBase is Base {
    bytes32 internal constant MODEL = keccak256("a text model");
    bytes32 internal constant FEED = keccak256("football");
    uint64 internal constant SEQUENCE = 7;
    uint256 internal constant PUBLISHER_KEY = 0xb0b;
    uint256 internal constant OTHER_KEY = 0xbad;
    bytes internal constant TEXT = "Rovers 2-1 United (full time). Rovers take all three points.";

    address internal constant SUBMITTER = address(0x5b);
    address internal constant OTHER = address(0x074e4);

    uint8 internal constant NO_RESULT = 3;

    MockVerifier internal verifier;
    uint64 internal close;
    uint64 internal deadline;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        verifier = new MockVerifier(MODEL);
        close = uint64(block.timestamp) + 1000;
        deadline = close + 1000;
    }

    /// @dev Home, draw, away, no result; a margin of 10.
    function terms() internal view returns (Terms memory) {
        return Terms({
            publisher: vm.addr(PUBLISHER_KEY),
            feedId: FEED,
            sequence: SEQUENCE,
            close: close,
            deadline: deadline,
            verifier: address(verifier),
            modelId: MODEL,
            minMargin: 10,
            classes: 4,
            noResult: NO_RESULT,
            question: "Rovers - United: home, draw, away?"
        });
    }

    /// @dev What the publisher says at the close.
    function bulletin() internal view returns (Bulletin memory) {
        return signed(PUBLISHER_KEY, FEED, SEQUENCE, close, TEXT);
    }

    function signed(uint256 key, bytes32 feedId, uint64 sequence, uint64 timestamp, bytes memory text_)
        internal
        pure
        returns (Bulletin memory)
    {
        bytes32 digest = Bulletins.digest(feedId, sequence, timestamp, keccak256(text_));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return Bulletin(timestamp, text_, abi.encodePacked(r, s, v));
    }

    /// @dev The limbs of a text, byte by byte.
    function slowlyPacked(bytes memory text_) internal pure returns (uint256[8] memory limbs) {
        for (uint256 i; i < text_.length; ++i) {
            limbs[i / 31] += uint256(uint8(text_[i])) << (8 * (i % 31));
        }
    }

    /// @dev The instances, then class and margin.
    function joined(uint256[] memory first, uint256 class, uint256 margin)
        internal
        pure
        returns (uint256[] memory words)
    {
        words = new uint256[](first.length + 2);
        for (uint256 i; i < first.length; ++i) {
            words[i] = first[i];
        }
        (words[first.length], words[first.length + 1]) = (class, margin);
    }

    function resolve(BulletinMarket at, uint256 market, Bulletin memory bulletin_, uint256 class) internal {
        vm.prank(SUBMITTER);
        at.resolve(market, bulletin_, class, 10, "proof");
    }

    function refused(bytes4 selector) internal {
        vm.expectPartialRevert(selector);
    }
}
