// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {ChessArena} from "../src/ChessArena.sol";
import {Outcome, Reason} from "../src/chess/GameWord.sol";
import {MoveCode} from "../src/chess/MoveCode.sol";
import {Base} from "./Base.sol";
import {Fen} from "./Fen.sol";
import {MockVerifier} from "./MockVerifier.sol";
import {TestArena} from "./TestArena.sol";

/// @title Moves and players for the arena's tests
abstract contract ArenaBase is Base {
    bytes32 internal constant MODEL = keccak256("a model");
    uint256 internal constant MOVE_TIME = 60;
    uint256 internal constant STAKE = 1 ether;

    address internal constant HOST = address(0x405);
    address internal constant HUMAN = address(0x4a);
    address internal constant ANYONE = address(0xa11);

    TestArena internal arena;
    MockVerifier internal verifier;
    uint256 internal freeOffer;
    uint256 internal stakedOffer;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        arena = new TestArena();
        verifier = new MockVerifier(MODEL);
        vm.deal(HOST, 10 ether);
        vm.deal(HUMAN, 10 ether);
        vm.startPrank(HOST);
        arena.deposit{value: 3 ether}();
        freeOffer = arena.openOffer(address(verifier), MODEL, 0, MOVE_TIME, 100);
        stakedOffer = arena.openOffer(address(verifier), MODEL, STAKE, MOVE_TIME, 2);
        vm.stopPrank();
    }

    /// @dev A new game without stakes.
    function begin(bool humanIsWhite) internal returns (uint256) {
        vm.prank(HUMAN);
        return arena.createGame(freeOffer, humanIsWhite);
    }

    /// @dev A new game with stakes.
    function beginStaked(bool humanIsWhite) internal returns (uint256) {
        vm.prank(HUMAN);
        return arena.createGame{value: STAKE}(stakedOffer, humanIsWhite);
    }

    /// @dev A new game in which the given position stands on the board.
    function beginAt(string memory fen, bool humanToMove) internal returns (uint256 gameId) {
        (uint256 board, uint256 state) = Fen.parse(fen);
        gameId = begin((state >> 16) & 1 == 0 ? humanToMove : !humanToMove);
        arena.put(gameId, board, state);
    }

    function plyOf(uint256 gameId) internal view returns (uint256) {
        return arena.game(gameId).ply;
    }

    function human(uint256 gameId, string memory uci) internal {
        uint256 ply = plyOf(gameId);
        vm.prank(HUMAN);
        arena.playHuman(gameId, ply, Fen.move(uci));
    }

    function npc(uint256 gameId, string memory uci) internal {
        uint256 ply = plyOf(gameId);
        uint256 ranking = rankingOf(gameId, uci);
        vm.prank(ANYONE);
        arena.playNpc(gameId, ply, ranking, "proof");
    }

    /// @dev Plays alternate moves, whoever begins.
    function line(uint256 gameId, string[4] memory moves) internal {
        for (uint256 i; i < 4; ++i) {
            if (arena.game(gameId).humanToMove) human(gameId, moves[i]);
            else npc(gameId, moves[i]);
        }
    }

    /// @dev A ranking with this move first and nonsense after it.
    function rankingOf(uint256 gameId, string memory uci) internal view returns (uint256) {
        return indexOf(gameId, Fen.move(uci));
    }

    /// @dev The index of an absolute move on a game's board.
    function indexOf(uint256 gameId, uint256 move) internal view returns (uint256 index) {
        (uint256 board, uint256 state) = arena.boardOf(gameId);
        move = MoveCode.flipped(move, state >> 16);
        while (MoveCode.fromIndex(board, index) != move) ++index;
    }

    function over(uint256 gameId, Outcome outcome, Reason reason) internal view {
        ChessArena.GameView memory g = arena.game(gameId);
        eq(uint256(g.outcome), uint256(outcome), "outcome");
        eq(uint256(g.reason), uint256(reason), "reason");
    }

    function refused(bytes4 selector) internal {
        vm.expectPartialRevert(selector);
    }
}
