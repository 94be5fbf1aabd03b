// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Board} from "../src/chess/Board.sol";

/// @title Positions and moves from text
/// @dev Reads trusted literals only. The en-passant square is taken at its word: leave it `-` unless a capture
/// there is legal.
library Fen {
    /// @notice The words of a FEN, seen from the side to move.
    function parse(string memory fen) internal pure returns (uint256 board, uint256 state) {
        bytes memory f = bytes(fen);
        uint256 i;
        uint256 rank = 7;
        uint256 file;
        for (; f[i] != " "; ++i) {
            uint8 c = uint8(f[i]);
            if (c == 47) (rank, file) = (rank - 1, 0);
            else if (c < 58) file += c - 48;
            else board |= code(c) << (4 * (8 * rank + file++));
        }
        bool black = f[i + 1] == "b";
        for (i += 3; f[i] != " "; ++i) {
            if (f[i] == "K") state |= black ? 4 : 1;
            if (f[i] == "Q") state |= black ? 8 : 2;
            if (f[i] == "k") state |= black ? 1 : 4;
            if (f[i] == "q") state |= black ? 2 : 8;
        }
        if (f[++i] != "-") state |= (uint256(uint8(f[i])) - 96) << 4;
        while (f[i] != " ") ++i;
        uint256 clock;
        for (++i; f[i] != " "; ++i) {
            clock = clock * 10 + uint8(f[i]) - 48;
        }
        uint256 number;
        for (++i; i < f.length; ++i) {
            number = number * 10 + uint8(f[i]) - 48;
        }
        state |= clock << 8 | (2 * (number - 1) + (black ? 1 : 0)) << 16;
        if (black) board = Board.turned(board);
    }

    /// @notice An absolute move word from its UCI name.
    function move(string memory uci) internal pure returns (uint256 word) {
        bytes memory u = bytes(uci);
        word = square(u[0], u[1]) | square(u[2], u[3]) << 6;
        if (u.length == 5) word |= code(uint8(u[4]) - 32) << 12;
    }

    function square(bytes1 file, bytes1 rank) internal pure returns (uint256) {
        return uint256(uint8(file)) - 97 + 8 * (uint256(uint8(rank)) - 49);
    }

    function code(uint8 letter) private pure returns (uint256 piece) {
        uint8 upper = letter > 96 ? letter - 32 : letter;
        if (upper == 80) piece = 1;
        else if (upper == 78) piece = 2;
        else if (upper == 66) piece = 3;
        else if (upper == 82) piece = 4;
        else if (upper == 81) piece = 5;
        else if (upper == 75) piece = 6;
        if (letter > 96) piece += 6;
    }
}
