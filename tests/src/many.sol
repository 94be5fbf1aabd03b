// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.30;

/// @title Many static calls in one
/// @notice For tests: ten thousand questions to a contract are asked in a hundred requests.
contract Many {
    error Reverted(uint256 index);

    /// @notice What `to` answers to each of the calls. Fails if one reverts.
    function ask(address to, bytes[] calldata calls) external view returns (bytes[] memory answers) {
        answers = new bytes[](calls.length);
        for (uint256 i; i < calls.length; ++i) {
            bool ok;
            (ok, answers[i]) = to.staticcall(calls[i]);
            if (!ok) revert Reverted(i);
        }
    }
}
