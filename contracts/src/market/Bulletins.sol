// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @title Bulletins that a publisher signed, and their bytes as a model's input
/// @notice A bulletin is a line of printable ASCII, 1 to 248 bytes long, with a feed, a sequence number and a time. Its
/// publisher signs it by EIP-712, in a domain without chain or contract: a statement is the same everywhere.
/// @dev You must compare the publisher that is found here with the one you trust, and never with the zero address. You
/// must refuse a bulletin of another feed or sequence number yourself, as these are part of what is signed and not of
/// what is checked. A publisher can sign two bulletins with one sequence number; nothing here can tell.
library Bulletins {
    // ---------------------------------------------------------------- constants

    /// @notice The most bytes in a text.
    uint256 internal constant MAX_TEXT = 248;

    /// @notice How many limbs a packed text has, of 31 bytes each.
    uint256 internal constant LIMBS = 8;

    /// @dev The separator of the domain `EIP712Domain(string name,string version)`, "Zugzwang Feed", "1".
    bytes32 internal constant DOMAIN = 0x319ef756d40695db21d58e030dd5b93e4279a29b855de3c04b82cdc63eeb921b;

    /// @dev The hash of `Bulletin(bytes32 feedId,uint64 sequence,uint64 timestamp,bytes32 textHash)`.
    bytes32 internal constant TYPE = 0x68c03553f319c9070d0f61cdd18df62df2c90949a1c24eb201eb742dc8ebbb09;

    /// @dev Half of secp256k1's order, rounded down: the greatest s of a signature that isn't a mirrored one.
    uint256 private constant MAX_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @dev The lowest bit of each byte; times a byte it fills a word with it.
    uint256 private constant ONES = 0x0101010101010101010101010101010101010101010101010101010101010101;

    // ---------------------------------------------------------------- errors

    /// @notice The text is empty or longer than 248 bytes, or has a byte that isn't printable ASCII.
    error BadText();

    /// @notice The signature hasn't 65 bytes, its s is in the upper half, its v isn't 27 or 28, or nobody signs so.
    error BadSignature();

    // ---------------------------------------------------------------- functions

    /// @notice The keccak of a text. Reverts unless it is one that a bulletin can have.
    function checkedHash(bytes calldata text) internal pure returns (bytes32) {
        if (text.length == 0 || text.length > MAX_TEXT || !printable(text)) revert BadText();
        return keccak256(text);
    }

    /// @notice What a publisher signs.
    function digest(bytes32 feedId, uint64 sequence, uint64 time, bytes32 textHash)
        internal
        pure
        returns (bytes32 hash)
    {
        bytes32 domain = DOMAIN;
        bytes32 typeHash = TYPE;
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore(p, typeHash)
            mstore(add(p, 0x20), feedId)
            mstore(add(p, 0x40), and(sequence, 0xffffffffffffffff))
            mstore(add(p, 0x60), and(time, 0xffffffffffffffff))
            mstore(add(p, 0x80), textHash)
            let structHash := keccak256(p, 0xa0)
            mstore(p, hex"1901")
            mstore(add(p, 0x02), domain)
            mstore(add(p, 0x22), structHash)
            hash := keccak256(p, 0x42)
        }
    }

    /// @notice Who signed a digest; never zero.
    /// @param signature r, s and v, 65 bytes, v 27 or 28, with s in the lower half of the order.
    function signer(bytes32 hash, bytes calldata signature) internal pure returns (address account) {
        if (signature.length != 65) revert BadSignature();
        bytes32 r = bytes32(signature[0:32]);
        bytes32 s = bytes32(signature[32:64]);
        uint8 v = uint8(signature[64]);
        if (uint256(s) > MAX_S || (v != 27 && v != 28)) revert BadSignature();
        account = ecrecover(hash, v, r, s);
        if (account == address(0)) revert BadSignature();
    }

    /// @notice Whether each byte is printable ASCII: 0x20 to 0x7e.
    /// @dev Looks at 32 bytes at a time. A byte is fine if its highest bit is clear (below 0x80), it isn't carried into
    /// that bit by adding 1 (not 0x7f), and one of the next two bits is set (not below 0x20).
    function printable(bytes calldata text) internal pure returns (bool ok) {
        assembly ("memory-safe") {
            let bad := 0
            let at := text.offset
            let end := add(at, text.length)
            let high := mul(0x80, ONES)
            for {} lt(at, end) { at := add(at, 0x20) } {
                let w := calldataload(at)
                let rest := sub(end, at)
                if lt(rest, 0x20) {
                    // What follows the text counts as spaces.
                    let bits := shl(3, rest)
                    w := or(and(w, not(shr(bits, not(0)))), shr(bits, mul(0x20, ONES)))
                }
                bad := or(bad, and(high, or(w, add(w, ONES))))
                bad := or(bad, and(high, not(or(shl(1, w), shl(2, w)))))
            }
            ok := iszero(bad)
        }
    }

    /// @notice The limbs of a text, filled up with zero bytes to 248: 31 bytes each, the first one lowest.
    /// @dev You must have checked that the text isn't longer; what is too much is left out.
    function pack(bytes calldata text) internal pure returns (uint256[LIMBS] memory limbs) {
        uint256 to;
        assembly ("memory-safe") {
            to := limbs
        }
        packTo(to, text);
    }

    /// @notice Writes the eight limbs of a text to memory at `to`.
    function packTo(uint256 to, bytes calldata text) internal pure {
        assembly ("memory-safe") {
            // Reverses the order of a word's bytes: neighbours change places, then pairs, and so on.
            function reversed(w) -> v {
                let m := 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff
                v := or(and(shr(8, w), m), shl(8, and(w, m)))
                m := 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff
                v := or(and(shr(16, v), m), shl(16, and(v, m)))
                m := 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff
                v := or(and(shr(32, v), m), shl(32, and(v, m)))
                m := 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff
                v := or(and(shr(64, v), m), shl(64, and(v, m)))
                v := or(shr(128, v), shl(128, v))
            }
            let p := mload(0x40)
            let length := text.length
            if gt(length, 248) { length := 248 }
            // Zeros, as there is no calldata after the end, and then the text; eight words are read, the last one
            // from p + 217 to p + 249.
            calldatacopy(add(p, length), calldatasize(), sub(249, length))
            calldatacopy(p, text.offset, length)
            for { let i := 0 } lt(i, 8) { i := add(i, 1) } {
                // The word's last byte is the next limb's first.
                mstore(add(to, shl(5, i)), reversed(and(mload(add(p, mul(31, i))), not(0xff))))
            }
        }
    }
}
