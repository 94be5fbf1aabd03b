// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {WorldArena} from "../src/WorldArena.sol";
import {GameWord, Outcome, Reason} from "../src/chess/GameWord.sol";
import {MoveCode} from "../src/chess/MoveCode.sol";
import {Base} from "./Base.sol";
import {Fen} from "./Fen.sol";
import {MockVerifier} from "./MockVerifier.sol";

/// @title A World arena in which a test can put any position on the board
contract TestWorldArena is WorldArena {
    using GameWord for uint256;

    /// @notice The side to move has as much time as it had.
    function put(uint256 gameId, uint256 board, uint256 state) external {
        Position storage p = _position(gameId);
        p.board = board;
        p.word = p.word.afterMove(state).withDeadline(p.word.deadline());
    }
}

/// @title Voters and moves for the World arena's tests
abstract contract WorldBase is Base {
    bytes32 internal constant MODEL = keccak256("a model");
    uint256 internal constant WINDOW = 80;
    uint256 internal constant MOVE_TIME = 60;
    uint256 internal constant LEAST = 1000;
    uint256 internal constant POT = 1 ether;

    address internal constant HOST = address(0x405);
    address internal constant ANYONE = address(0xa11);
    address internal constant ANN = address(0xa1);
    address internal constant BOB = address(0xb0b);
    address internal constant CAT = address(0xca7);

    TestWorldArena internal arena;
    MockVerifier internal verifier;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        arena = new TestWorldArena();
        verifier = new MockVerifier(MODEL);
        vm.deal(HOST, 10 ether);
        vm.deal(ANN, 10 ether);
        vm.deal(BOB, 10 ether);
        vm.deal(CAT, 10 ether);
    }

    function terms(bool worldIsWhite) internal view returns (WorldArena.Terms memory) {
        return WorldArena.Terms({
            verifier: address(verifier),
            modelId: MODEL,
            worldIsWhite: worldIsWhite,
            window: WINDOW,
            moveTime: MOVE_TIME,
            leastStake: LEAST
        });
    }

    /// @dev A new game with the usual pot.
    function begin(bool worldIsWhite) internal returns (uint256) {
        WorldArena.Terms memory t = terms(worldIsWhite);
        vm.prank(HOST);
        return arena.openGame{value: POT}(t);
    }

    /// @dev A new game in which the given position stands on the board.
    function beginAt(string memory fen, bool worldToMove) internal returns (uint256 gameId) {
        (uint256 board, uint256 state) = Fen.parse(fen);
        gameId = begin((state >> 16) & 1 == 0 ? worldToMove : !worldToMove);
        arena.put(gameId, board, state);
    }

    function plyOf(uint256 gameId) internal view returns (uint256) {
        return arena.game(gameId).ply;
    }

    function vote(address who, uint256 gameId, string memory uci, uint256 amount) internal {
        uint256 ply = plyOf(gameId);
        vm.prank(who);
        arena.vote{value: amount}(gameId, ply, Fen.move(uci));
    }

    function refusedVote(address who, uint256 gameId, uint256 ply, uint256 move, uint256 amount, bytes4 selector)
        internal
    {
        vm.prank(who);
        vm.expectPartialRevert(selector);
        arena.vote{value: amount}(gameId, ply, move);
    }

    /// @dev Lets the window end and closes the round.
    function close(uint256 gameId) internal {
        uint256 ply = plyOf(gameId);
        vm.warp(arena.game(gameId).deadline + 1);
        vm.prank(ANYONE);
        arena.closeRound(gameId, ply);
    }

    /// @dev One vote, and the round's end.
    function world(address who, uint256 gameId, string memory uci, uint256 amount) internal {
        vote(who, gameId, uci, amount);
        close(gameId);
    }

    function npc(uint256 gameId, string memory uci) internal {
        uint256 ply = plyOf(gameId);
        uint256 ranking = rankingOf(gameId, uci);
        vm.prank(ANYONE);
        arena.playNpc(gameId, ply, ranking, "proof");
    }

    /// @dev A ranking with this move first and nonsense after it.
    function rankingOf(uint256 gameId, string memory uci) internal view returns (uint256 index) {
        (uint256 board, uint256 state) = arena.boardOf(gameId);
        uint256 move = MoveCode.flipped(Fen.move(uci), state >> 16);
        while (MoveCode.fromIndex(board, index) != move) ++index;
    }

    /// @dev Claims one vote, and gives what it brought.
    function claim(address who, uint256 gameId, uint256 ply, string memory uci) internal returns (uint256) {
        vm.prank(who);
        return arena.claim(gameId, one(ply, uci));
    }

    function refusedClaim(address who, uint256 gameId, uint256 ply, string memory uci) internal {
        vm.prank(who);
        refused(WorldArena.NothingToClaim.selector);
        arena.claim(gameId, one(ply, uci));
    }

    function one(uint256 ply, string memory uci) internal pure returns (WorldArena.Vote[] memory votes) {
        votes = new WorldArena.Vote[](1);
        votes[0] = WorldArena.Vote(ply, Fen.move(uci));
    }

    function over(uint256 gameId, Outcome outcome, Reason reason) internal view {
        WorldArena.GameView memory g = arena.game(gameId);
        eq(uint256(g.outcome), uint256(outcome), "outcome");
        eq(uint256(g.reason), uint256(reason), "reason");
    }

    function refused(bytes4 selector) internal {
        vm.expectPartialRevert(selector);
    }
}
