// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ChessArena} from "../src/ChessArena.sol";
import {GameWord} from "../src/chess/GameWord.sol";

/// @title An arena in which a test can put any position on the board
contract TestArena is ChessArena {
    using GameWord for uint256;

    function put(uint256 gameId, uint256 board, uint256 state) external {
        Position storage p = _position(gameId);
        p.board = board;
        p.word = p.word.afterMove(state);
    }
}
