// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IVerifier} from "../IVerifier.sol";

/// @title A verifier for all private models of one architecture
/// @notice It reads a model's commitments from the end of the running account's code; see `ModelAccount`.
interface IArchitecture is IVerifier {
    /// @notice What all models of the architecture have in common.
    function architectureId() external view returns (bytes32);

    /// @notice The length of a model's commitments.
    function commitmentBytes() external view returns (uint256);
}

/// @title Accounts that are one model's verifier
/// @notice Such an account delegates every call to its architecture's verifier, and carries the model's commitments at
/// the end of its code. Nothing of it can change.
/// @dev Dangers. It does whatever the architecture's code does, as itself: you must know that code. A change of the
/// forty-five bytes below would let a model without weights pass for one with them.
library ModelAccount {
    /// @notice The account couldn't be made.
    error NotDeployed();

    /// @notice Makes the account of a model, unless this contract has made it before.
    /// @dev The same architecture and commitments give the same address.
    function deploy(address architecture, bytes calldata commitments) internal returns (address account) {
        bytes memory code = creationCode(architecture, commitments);
        bytes32 hash = keccak256(code);
        account = address(uint160(uint256(keccak256(abi.encodePacked(hex"ff", address(this), bytes32(0), hash)))));
        if (account.code.length != 0) return account;
        address made;
        assembly ("memory-safe") {
            made := create2(0, add(code, 0x20), mload(code), 0)
        }
        if (made != account) revert NotDeployed();
    }

    /// @notice Code that returns all of itself but its first ten bytes: the account's.
    function creationCode(address architecture, bytes calldata commitments) internal pure returns (bytes memory) {
        return abi.encodePacked(
            hex"61", uint16(45 + commitments.length), hex"80600a3d393df3", _code(architecture), commitments
        );
    }

    /// @dev Copies the calldata, delegates, copies the answer, and reverts or returns with it.
    function _code(address architecture) private pure returns (bytes memory) {
        return abi.encodePacked(hex"363d3d373d3d3d363d73", architecture, hex"5af43d82803e903d91602b57fd5bf3");
    }
}
