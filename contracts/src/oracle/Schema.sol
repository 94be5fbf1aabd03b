// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice The schema of one input or output.
/// @param count How many numbers.
/// @param bits How many bits each of them takes: 1 to 253, or 254 for field elements, one a limb.
struct Tensor {
    uint32 count;
    uint8 bits;
}

/// @title How tensors become limbs
/// @notice Counts and checks the limbs of packed tensors. A tensor begins a limb of its own and fills it from the
/// lowest bit with ⌊253 / bits⌋ numbers, so that each limb is below the BN254 scalar modulus.
/// @dev A proof can only be made for limbs that have no bits but those of their numbers: what fits here, the circuit
/// can unpack, and what doesn't, it never can. A tensor of bits 254 holds field elements, such as commitments.
library Schema {
    /// @notice The most tensors on one side of a model, and the most limbs of them together.
    uint256 internal constant MAX_TENSORS = 16;
    uint256 internal constant MAX_LIMBS = 1024;

    /// @dev The order of BN254's scalar field.
    uint256 private constant MODULUS = 21888242871839275222246405745257275088548364400416034343698204186575808495617;

    /// @notice A tensor is empty or of too many bits, or there are no tensors, too many of them, or too many limbs.
    error BadSchema();

    /// @notice The number of limbs isn't the schema's.
    error WrongLength(uint256 limbs, uint256 expected);

    /// @notice The limb at this place, counted from 0, has bits that no number of the schema fills.
    error LimbTooLarge(uint256 index);

    /// @notice Stores a schema. Reverts unless it is one that packed tensors can have.
    function store(Tensor[] storage to, Tensor[] calldata from) internal {
        uint256 count = from.length;
        if (count == 0 || count > MAX_TENSORS) revert BadSchema();
        uint256 limbs;
        for (uint256 i; i < count; ++i) {
            Tensor calldata t = from[i];
            if (t.count == 0 || t.bits == 0 || t.bits > 254) revert BadSchema();
            limbs += _limbs(t.count, _perLimb(t.bits));
            to.push(t);
        }
        if (limbs > MAX_LIMBS) revert BadSchema();
    }

    /// @notice How many limbs tensors of this schema take.
    function limbsOf(Tensor[] memory tensors) internal pure returns (uint256 limbs) {
        for (uint256 i; i < tensors.length; ++i) {
            limbs += _limbs(tensors[i].count, _perLimb(tensors[i].bits));
        }
    }

    /// @notice Reverts unless `words[from]` and what follows up to the end of `words` are tensors of this schema.
    function check(Tensor[] memory tensors, uint256[] memory words, uint256 from) internal pure {
        uint256 at = from;
        uint256 expected = limbsOf(tensors);
        if (words.length - from != expected) revert WrongLength(words.length - from, expected);
        for (uint256 i; i < tensors.length; ++i) {
            uint256 bits = tensors[i].bits;
            uint256 count = tensors[i].count;
            uint256 perLimb = _perLimb(bits);
            uint256 limit = bits == 254 ? MODULUS : 1 << (bits * perLimb);
            while (count != 0) {
                if (count < perLimb) {
                    perLimb = count;
                    limit = 1 << (bits * count);
                }
                if (words[at] >= limit) revert LimbTooLarge(at - from);
                unchecked {
                    ++at;
                    count -= perLimb;
                }
            }
        }
    }

    function _perLimb(uint256 bits) private pure returns (uint256) {
        return bits == 254 ? 1 : 253 / bits;
    }

    function _limbs(uint256 count, uint256 perLimb) private pure returns (uint256) {
        return (count + perLimb - 1) / perLimb;
    }
}
