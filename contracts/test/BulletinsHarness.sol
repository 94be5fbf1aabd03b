// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Bulletins} from "../src/market/Bulletins.sol";

/// @title The bulletins library behind external functions
/// @dev `junk` follows the text in the calldata, and fills the memory that the library is about to use.
contract BulletinsHarness {
    function pack(bytes calldata text, bytes calldata junk) external pure returns (uint256[8] memory limbs) {
        dirty(junk);
        return Bulletins.pack(text);
    }

    function printable(bytes calldata text, bytes calldata) external pure returns (bool) {
        return Bulletins.printable(text);
    }

    function checkedHash(bytes calldata text) external pure returns (bytes32) {
        return Bulletins.checkedHash(text);
    }

    function signer(bytes32 digest, bytes calldata signature) external pure returns (address) {
        return Bulletins.signer(digest, signature);
    }

    /// @dev What the two loops cost, without calldata and call.
    function gasOf(bytes calldata text) external view returns (uint256 check, uint256 packing) {
        uint256 start = gasleft();
        Bulletins.printable(text);
        check = start - gasleft();
        start = gasleft();
        Bulletins.pack(text);
        packing = start - gasleft();
    }

    function dirty(bytes calldata junk) private pure {
        assembly ("memory-safe") {
            calldatacopy(add(mload(0x40), 0x100), junk.offset, junk.length)
            calldatacopy(mload(0x40), junk.offset, junk.length)
        }
    }
}
