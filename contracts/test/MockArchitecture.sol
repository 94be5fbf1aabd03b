// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @title A verifier for models whose weights are a secret word, and whose commitment is its hash
/// @dev Stands in for an architecture's real verifier: a proof is the secret and the hash of the instances. For tests
/// only: a proof shows the secret.
contract MockArchitecture {
    function architectureId() external pure returns (bytes32) {
        return keccak256("an architecture");
    }

    function commitmentBytes() external pure returns (uint256) {
        return 64;
    }

    function modelId() external view returns (bytes32) {
        return keccak256(abi.encode(this.architectureId(), commitment()));
    }

    function verifyProof(bytes calldata proof, uint256[] calldata instances) public view virtual returns (bool) {
        (bytes32 secret, bytes32 hash) = abi.decode(proof, (bytes32, bytes32));
        return keccak256(abi.encode(secret)) == commitment() && hash == keccak256(abi.encodePacked(instances));
    }

    /// @dev The first word behind the running account's code.
    function commitment() public view returns (bytes32) {
        bytes memory code = address(this).code;
        bytes32 word;
        assembly ("memory-safe") {
            word := mload(add(code, mload(code)))
        }
        return word;
    }
}

/// @title A verifier that says yes to everything
contract YesArchitecture {
    bytes32 public constant modelId = keccak256("yes");
    bytes32 public constant architectureId = keccak256("yes");
    uint256 public constant commitmentBytes = 64;

    function verifyProof(bytes calldata, uint256[] calldata) external pure returns (bool) {
        return true;
    }
}
