// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @title A verifier that answers what a test tells it to
/// @dev Accepts everything. For tests only: a game against it is worth nothing.
contract MockVerifier {
    enum Answer {
        True,
        OnlyExpected,
        False,
        Two,
        Empty,
        Short,
        Long,
        Garbage,
        Revert,
        Burn
    }

    bytes32 public modelId;
    bytes32 public expected;
    Answer public answer;

    constructor(bytes32 modelId_) {
        modelId = modelId_;
    }

    function set(Answer answer_) external {
        answer = answer_;
    }

    /// @notice From now on answers true to just this question.
    function expect(bytes calldata proof, uint256[] calldata instances) external {
        answer = Answer.OnlyExpected;
        expected = keccak256(abi.encode(proof, instances));
    }

    function setModel(bytes32 modelId_) external {
        modelId = modelId_;
    }

    function verifyProof(bytes calldata proof, uint256[] calldata instances) external view returns (bool) {
        Answer a = answer;
        if (a == Answer.OnlyExpected) return keccak256(abi.encode(proof, instances)) == expected;
        if (a == Answer.Revert) revert("no");
        if (a == Answer.Burn) while (true) {}
        assembly ("memory-safe") {
            mstore(0, 1)
            mstore(0x20, 1)
            switch a
            case 0 { return(0, 0x20) }
            case 2 {
                mstore(0, 0)
                return(0, 0x20)
            }
            case 3 {
                mstore(0, 2)
                return(0, 0x20)
            }
            case 4 { return(0, 0) }
            case 5 { return(1, 0x1f) }
            case 6 { return(0, 0x40) }
            default {
                mstore(0, not(0))
                return(0, 0x20)
            }
        }
    }
}
