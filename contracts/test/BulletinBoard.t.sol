// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {BulletinBoard} from "../src/market/BulletinBoard.sol";
import {Bulletins} from "../src/market/Bulletins.sol";
import {Bulletin} from "../src/market/Terms.sol";
import {Vm} from "./Base.sol";
import {MarketBase} from "./MarketBase.sol";

/// @title What the board publishes, and in whose name
contract BulletinBoardTest is MarketBase {
    BulletinBoard private board;

    function setUp() public override {
        super.setUp();
        board = new BulletinBoard();
    }

    /// @dev Posts a bulletin of the usual feed and number; returns in whose name.
    function posted(Bulletin memory b) private returns (address publisher) {
        vm.recordLogs();
        board.post(FEED, SEQUENCE, b.timestamp, b.text, b.signature);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        eq(logs.length, 1, "logs");
        require(logs[0].topics[0] == BulletinBoard.BulletinPosted.selector, "event");
        require(logs[0].topics[1] == FEED, "feed");
        eq(uint256(logs[0].topics[2]), SEQUENCE, "number");
        require(keccak256(logs[0].data) == keccak256(abi.encode(b.timestamp, b.text, b.signature)), "the rest");
        return address(uint160(uint256(logs[0].topics[3])));
    }

    function test_anyonePostsWhatWasSigned() external {
        require(posted(bulletin()) == vm.addr(PUBLISHER_KEY), "publisher");
        vm.prank(OTHER);
        require(posted(bulletin()) == vm.addr(PUBLISHER_KEY), "again, by another");
    }

    function test_othersCannotPostInAPublishersName() external {
        address publisher = vm.addr(PUBLISHER_KEY);
        require(posted(signed(OTHER_KEY, FEED, SEQUENCE, close, TEXT)) == vm.addr(OTHER_KEY), "another's");
        require(posted(signed(PUBLISHER_KEY, FEED, SEQUENCE + 1, close, TEXT)) != publisher, "another number");
        require(posted(signed(PUBLISHER_KEY, keccak256("x"), SEQUENCE, close, TEXT)) != publisher, "another feed");
        Bulletin memory b = bulletin();
        ++b.timestamp;
        require(posted(b) != publisher, "another time");
        b = bulletin();
        b.text[0] = "L";
        require(posted(b) != publisher, "another text");
    }

    function test_badSignatures() external {
        bytes4 bad = Bulletins.BadSignature.selector;
        Bulletin memory b = bulletin();
        (bytes32 r, bytes32 s) = abi.decode(b.signature, (bytes32, bytes32));
        uint8 v = uint8(b.signature[64]);
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        bytes[4] memory signatures = [
            bytes(""),
            abi.encodePacked(r, order - uint256(s), v ^ 7),
            abi.encodePacked(uint256(0), s, v),
            abi.encodePacked(r, s, v - 27)
        ];
        for (uint256 i; i < 4; ++i) {
            refused(bad);
            board.post(FEED, SEQUENCE, b.timestamp, b.text, signatures[i]);
        }
    }

    function test_badTexts() external {
        bytes[4] memory texts = [bytes(""), new bytes(249), "two\nlines", unicode"é"];
        for (uint256 i; i < 4; ++i) {
            Bulletin memory b = signed(PUBLISHER_KEY, FEED, SEQUENCE, close, texts[i]);
            refused(Bulletins.BadText.selector);
            board.post(FEED, SEQUENCE, b.timestamp, b.text, b.signature);
        }
    }
}
