// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @title A contract that is told the answers to its requests
/// @dev You must check that `msg.sender` is the oracle, and that the request is one of yours: anybody can name your
/// contract as the target of a request of their own, about any model and any input. You must be ready for the call
/// in the middle of any other contract's call, and for never being called, if nobody answers.
interface IInferenceConsumer {
    /// @notice An answer to a request that named this contract as its target. Called with exactly the gas limit that
    /// the request named; if this reverts or runs out of it, the answer stands, and anybody may have it delivered
    /// again by `deliver`.
    /// @param id The request.
    /// @param model The model that was asked.
    /// @param output The output's limbs, packed as the model's schema says.
    function onInference(uint256 id, uint256 model, uint256[] calldata output) external;
}
