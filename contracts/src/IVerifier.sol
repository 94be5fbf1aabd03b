// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @title A verifier of one committed model
/// @notice Checks a zero-knowledge proof that one fixed circuit, with one fixed set of weights, holds for
/// the given public instances.
/// @dev Dangers. A verifier that is a proxy, or that reads storage somebody can write, can be changed after a
/// game has started: whoever agrees to play against a verifier must look at its code. A caller must not trust
/// a call that merely succeeds, because a call to an address without code succeeds too: you must check that the
/// address has code and that exactly one word equal to 1 came back.
interface IVerifier {
    /// @notice Whether `proof` shows that the circuit holds for `instances`.
    /// @dev Must return false or revert on anything malformed: a wrong length, a point off the curve, a field
    /// element that is not reduced, a wrong number of instances.
    /// @param proof The proof's bytes.
    /// @param instances The public instances, each less than the BN254 scalar modulus.
    function verifyProof(bytes calldata proof, uint256[] calldata instances) external view returns (bool);

    /// @notice The commitment to the model: the verifying key, the schemas and the quantisation in one hash.
    function modelId() external view returns (bytes32);
}
