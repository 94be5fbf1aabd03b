// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @title What a proof of a chess move is about
/// @notice The seven public instances of a chess proof, and the hash that tells positions apart.
/// @dev The circuit and the daemon lay out the same words; you must change all of them together.
library Inputs {
    /// @notice How many instances a chess proof has, and which of them is the ranking.
    uint256 internal constant COUNT = 7;
    uint256 internal constant RANKING = 2;

    /// @dev A plane of the network's input that is on everywhere, one bit per square.
    uint256 private constant PLANE = 0xffffffffffffffff;

    /// @notice All seven instances for a board and state seen from the side to move.
    function instances(uint256 request, uint256 ranking, uint256 board, uint256 state)
        internal
        pure
        returns (uint256[COUNT] memory words)
    {
        unchecked {
            words[0] = request >> 128;
            words[1] = request & type(uint128).max;
            words[RANKING] = ranking;
            words[3] = board & type(uint128).max;
            words[4] = board >> 128;
            words[5] = PLANE * ((state & 1) | ((state & 2) << 63) | ((state & 4) << 126));
            words[6] = PLANE * ((state >> 3) & 1);
            uint256 file = (state >> 4) & 15;
            if (file != 0) words[6] |= 1 << (60 + 4 * file);
        }
    }

    /// @notice A hash that two positions share just if they are the same for the threefold repetition rule: same
    /// board, side to move, castling rights and legal en-passant capture.
    function positionHash(uint256 board, uint256 state) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0, board)
            mstore(0x20, or(and(state, 0xff), and(shr(8, state), 0x100)))
            hash := keccak256(0, 0x40)
        }
    }

    /// @notice Appends two positions to a history.
    function remembered(bytes32 history, bytes32 first, bytes32 second) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore(p, history)
            mstore(add(p, 0x20), first)
            mstore(add(p, 0x40), second)
            hash := keccak256(p, 0x60)
        }
    }
}
