// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @title What the adapter calls of Gnosis' Conditional Tokens
/// @dev A condition is `keccak256(abi.encodePacked(oracle, questionId, outcomeSlotCount))`. Anyone may prepare any
/// condition, once; only its oracle can report its payouts, once, and they are final.
interface IConditionalTokens {
    /// @notice Makes a condition known. Reverts if it is already.
    function prepareCondition(address oracle, bytes32 questionId, uint256 outcomeSlotCount) external;

    /// @notice Says how much of a unit of collateral each outcome gets, in proportion; the caller is the oracle.
    function reportPayouts(bytes32 questionId, uint256[] calldata payouts) external;

    /// @notice The number of a condition's outcomes, zero if it hasn't been prepared.
    function getOutcomeSlotCount(bytes32 conditionId) external view returns (uint256);
}
