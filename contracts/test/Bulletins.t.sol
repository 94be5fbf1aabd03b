// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Bulletins} from "../src/market/Bulletins.sol";
import {BulletinsHarness} from "./BulletinsHarness.sol";
import {MarketBase} from "./MarketBase.sol";

/// @title Packing, checking and signing, against plain versions of the same
contract BulletinsTest is MarketBase {
    bytes private constant JUNK =
        "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~";

    BulletinsHarness private harness;

    function setUp() public override {
        super.setUp();
        harness = new BulletinsHarness();
    }

    /// @dev A text of this length, made from a seed, of any bytes.
    function anyBytes(uint256 seed, uint256 length) private pure returns (bytes memory out) {
        out = new bytes(length);
        for (uint256 i; i < length; ++i) {
            out[i] = bytes1(uint8(uint256(keccak256(abi.encode(seed, i)))));
        }
    }

    function slowlyPrintable(bytes memory text_) private pure returns (bool) {
        for (uint256 i; i < text_.length; ++i) {
            if (uint8(text_[i]) < 0x20 || uint8(text_[i]) > 0x7e) return false;
        }
        return true;
    }

    function checkPacking(bytes memory text_, bytes memory junk) private view {
        uint256[8] memory limbs = harness.pack(text_, junk);
        uint256[8] memory expected = slowlyPacked(text_);
        for (uint256 i; i < 8; ++i) {
            eq(limbs[i], expected[i], "limb");
        }
    }

    function checkPrintable(bytes memory text_) private view {
        require(harness.printable(text_, hex"00ff7f") == slowlyPrintable(text_), "printable");
    }

    function test_packsEveryLength() external view {
        for (uint256 length; length <= 248; ++length) {
            checkPacking(anyBytes(1, length), JUNK);
        }
    }

    function test_packsNoMoreThan248Bytes() external view {
        bytes memory long = anyBytes(2, 249);
        uint256[8] memory limbs = harness.pack(long, JUNK);
        assembly ("memory-safe") {
            mstore(long, 248)
        }
        uint256[8] memory expected = slowlyPacked(long);
        for (uint256 i; i < 8; ++i) {
            eq(limbs[i], expected[i], "limb");
        }
    }

    function testFuzz_packsLikeThePlainVersion(uint256 seed, uint256 length, bytes calldata junk) external view {
        checkPacking(anyBytes(seed, length % 249), junk);
    }

    function test_firstByteIsLowest() external view {
        eq(harness.pack("AB", "")[0], 0x4241, "two bytes");
        uint256[8] memory limbs = harness.pack("0123456789abcdef0123456789abcdeXY", "");
        eq(limbs[0] >> 240, uint256(uint8(bytes1("e"))), "31st byte");
        eq(limbs[1], 0x5958, "32nd and 33rd");
    }

    function test_everyByteAtBothEnds() external view {
        uint256[6] memory lengths = [uint256(1), 31, 32, 33, 64, 248];
        for (uint256 k; k < 6; ++k) {
            for (uint256 b; b < 256; ++b) {
                bytes memory text_ = new bytes(lengths[k]);
                for (uint256 i; i < text_.length; ++i) {
                    text_[i] = "a";
                }
                text_[text_.length - 1] = bytes1(uint8(b));
                checkPrintable(text_);
                text_[text_.length - 1] = "~";
                text_[0] = bytes1(uint8(b));
                checkPrintable(text_);
            }
        }
    }

    function testFuzz_printableLikeThePlainVersion(uint256 seed, uint256 length, uint256 at) external view {
        bytes memory text_ = anyBytes(seed, length % 249);
        checkPrintable(text_);
        for (uint256 i; i < text_.length; ++i) {
            text_[i] = bytes1(0x20 + uint8(text_[i]) % 95);
        }
        require(harness.printable(text_, hex"00ff7f"), "all are printable");
        if (text_.length == 0) return;
        text_[at % text_.length] = bytes1(uint8(seed));
        checkPrintable(text_);
    }

    function test_lengths() external {
        bytes memory longest = new bytes(248);
        for (uint256 i; i < 248; ++i) {
            longest[i] = " ";
        }
        require(harness.checkedHash(longest) == keccak256(longest), "hash");
        refused(Bulletins.BadText.selector);
        harness.checkedHash(bytes.concat(longest, " "));
        refused(Bulletins.BadText.selector);
        harness.checkedHash("");
        refused(Bulletins.BadText.selector);
        harness.checkedHash("line\n");
        refused(Bulletins.BadText.selector);
        harness.checkedHash(unicode"Málaga 1-0");
    }

    function test_digestIsThatOfEip712() external pure {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version)"), keccak256("Zugzwang Feed"), keccak256("1")
            )
        );
        require(domain == Bulletins.DOMAIN, "domain");
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Bulletin(bytes32 feedId,uint64 sequence,uint64 timestamp,bytes32 textHash)"),
                FEED,
                SEQUENCE,
                uint64(1_800_001_000),
                keccak256(TEXT)
            )
        );
        bytes32 digest = Bulletins.digest(FEED, SEQUENCE, 1_800_001_000, keccak256(TEXT));
        require(digest == keccak256(abi.encodePacked(hex"1901", domain, structHash)), "digest");
    }

    /// @notice What the Python package eth-account signs for the same bulletin and key.
    function test_signatureOfAnotherImplementation() external view {
        bytes32 digest = Bulletins.digest(FEED, SEQUENCE, 1_800_001_000, keccak256(TEXT));
        require(digest == 0x640fd7f33352eaa988cab78b9510cd77ad9ec2b96ed68cf99d65f4f87c6d02d8, "digest");
        bytes memory signature =
            hex"3b5b2ad8547486790e9fac2855d9ddc06ec0b000c0023249bcd49381803f212c65e546f558d05a11247619ba4e06d723edbe03d50cd7e8728239245dc1c4db1d1b";
        require(harness.signer(digest, signature) == 0x0376AAc07Ad725E01357B1725B5ceC61aE10473c, "signer");
    }

    function test_signaturesThatAreNone() external {
        bytes32 digest = keccak256("digest");
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(PUBLISHER_KEY, digest);
        require(harness.signer(digest, abi.encodePacked(r, s, v)) == vm.addr(PUBLISHER_KEY), "good");
        bytes4 bad = Bulletins.BadSignature.selector;
        refused(bad);
        harness.signer(digest, "");
        refused(bad);
        harness.signer(digest, abi.encodePacked(r, s));
        refused(bad);
        harness.signer(digest, abi.encodePacked(r, s, v, uint8(0)));
        // EIP-2098's short form is another encoding of the same; there is to be just one.
        refused(bad);
        harness.signer(digest, abi.encodePacked(r, uint256(s) | (uint256(v - 27) << 255)));
        uint8[5] memory others = [0, 1, 26, 29, 255];
        for (uint256 i; i < 5; ++i) {
            refused(bad);
            harness.signer(digest, abi.encodePacked(r, s, others[i]));
        }
        // The mirrored signature, which the precompile takes.
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        bytes32 mirrored = bytes32(order - uint256(s));
        require(ecrecover(digest, v ^ 7, r, mirrored) == vm.addr(PUBLISHER_KEY), "mirrored");
        refused(bad);
        harness.signer(digest, abi.encodePacked(r, mirrored, v ^ 7));
        // Nobody's: r is no point, or zero.
        refused(bad);
        harness.signer(digest, abi.encodePacked(uint256(0), s, v));
        refused(bad);
        harness.signer(digest, abi.encodePacked(type(uint256).max, s, v));
        refused(bad);
        harness.signer(digest, abi.encodePacked(r, uint256(0), v));
    }
}
