// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IVerifier} from "./IVerifier.sol";

/// @title Calls to a verifier that can't be fooled
/// @notice A call counts as a yes only if the address has code and answers with exactly one word.
/// @dev All calls are static, so a verifier can't call back to change anything, and no more than one word of an
/// answer is ever copied. You must still trust the verifier's code itself: it can lie.
library VerifierCall {
    /// @notice Whether `verifier` accepts `proof` for the seven instances of a chess move.
    /// @dev False for an address without code, a revert, an answer of any length but 32 bytes, and any word but 1.
    function accepts(address verifier, bytes calldata proof, uint256[7] memory instances)
        internal
        view
        returns (bool ok)
    {
        uint256 words;
        assembly ("memory-safe") {
            words := instances
        }
        return _accepts(verifier, proof, words, 7);
    }

    /// @notice Whether `verifier` accepts `proof` for any number of instances.
    /// @dev As for seven. You must see to it that each instance is below the BN254 scalar modulus, or let the
    /// verifier refuse it.
    function accepts(address verifier, bytes calldata proof, uint256[] memory instances)
        internal
        view
        returns (bool ok)
    {
        uint256 words;
        assembly ("memory-safe") {
            words := add(instances, 0x20)
        }
        return _accepts(verifier, proof, words, instances.length);
    }

    /// @notice Whether `verifier` has code of its own and says that it verifies `modelId`.
    /// @dev False for an account that merely delegates to code (it begins with 0xef), because its key's holder
    /// can change that at will.
    function verifies(address verifier, bytes32 modelId) internal view returns (bool ok) {
        bytes4 selector = IVerifier.modelId.selector;
        assembly ("memory-safe") {
            mstore(0, 0)
            extcodecopy(verifier, 0, 0, 1)
            ok := and(gt(extcodesize(verifier), 0), iszero(eq(byte(0, mload(0)), 0xef)))
            mstore(0, selector)
            ok := and(ok, staticcall(gas(), verifier, 0, 4, 0, 0x20))
            ok := and(and(ok, eq(returndatasize(), 0x20)), eq(mload(0), modelId))
        }
    }

    /// @dev `words` is the memory address of the first of `count` instances.
    function _accepts(address verifier, bytes calldata proof, uint256 words, uint256 count)
        private
        view
        returns (bool ok)
    {
        bytes4 selector = IVerifier.verifyProof.selector;
        assembly ("memory-safe") {
            let p := mload(0x40)
            let padded := and(add(proof.length, 31), not(31))
            mstore(p, selector)
            mstore(add(p, 0x04), 0x40)
            mstore(add(p, 0x24), add(0x60, padded))
            mstore(add(p, 0x44), proof.length)
            let q := add(add(p, 0x64), padded)
            // Zero the last word first, for the padding; without a proof this is its length, zero already.
            mstore(sub(q, 0x20), 0)
            calldatacopy(add(p, 0x64), proof.offset, proof.length)
            mstore(q, count)
            let size := shl(5, count)
            mcopy(add(q, 0x20), words, size)
            mstore(0, 0)
            ok := staticcall(gas(), verifier, p, add(sub(q, p), add(0x20, size)), 0, 0x20)
            ok := and(and(ok, eq(returndatasize(), 0x20)), and(eq(mload(0), 1), gt(extcodesize(verifier), 0)))
        }
    }
}
