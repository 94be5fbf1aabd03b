// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @title What binds a proof to one question and to who answers it
/// @notice The first two instances of every proof are a hash of chain, contract, subject, round and submitter.
/// @dev The verifier absorbs them before it draws a challenge, so a proof for one request fails for every other: it
/// can be neither replayed nor taken out of the mempool. You must pass `msg.sender` as the submitter, and a round
/// that is never the same for two questions about one subject. The daemon makes the same hash.
library Request {
    /// @notice `keccak256(abi.encode(chainId, asker, subject, round, submitter))`.
    /// @param asker The contract that asks, which is the one that calls this.
    /// @param subject What is asked about: a game, a market, a request.
    /// @param round Which question about it.
    function hash(address asker, uint256 subject, uint256 round, address submitter) internal view returns (uint256 h) {
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore(p, chainid())
            mstore(add(p, 0x20), asker)
            mstore(add(p, 0x40), subject)
            mstore(add(p, 0x60), round)
            mstore(add(p, 0x80), submitter)
            h := keccak256(p, 0xa0)
        }
    }

    /// @notice Writes a request's two limbs of 128 bits to the first two instances.
    function put(uint256[] memory instances, uint256 h) internal pure {
        instances[0] = h >> 128;
        instances[1] = h & type(uint128).max;
    }
}
