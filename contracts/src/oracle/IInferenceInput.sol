// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @title A contract whose state is a model's input
/// @dev For a block below the current one, and the same data, the answer must never change, or else a proof that has
/// been made for it may fail. The oracle reads it when the proof arrives, with a bounded amount of gas.
interface IInferenceInput {
    /// @notice The input's limbs at the end of a block.
    /// @param data What the request passed on, for this contract to understand.
    /// @param blockNumber The block, below the current one.
    /// @return limbs The input, packed as the model's schema says.
    function inferenceInput(bytes calldata data, uint256 blockNumber) external view returns (uint256[] memory limbs);
}
