// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Attacks} from "../src/chess/Attacks.sol";
import {Board} from "../src/chess/Board.sol";
import {Endings} from "../src/chess/Endings.sol";
import {Moves} from "../src/chess/Moves.sol";
import {ArenaBase} from "./ArenaBase.sol";
import {Fen} from "./Fen.sol";
import {FreeVerifier} from "./FreeVerifier.sol";

/// @title What things cost
/// @notice Whole transactions, with cold storage: each call runs on its own. Writes snapshots/GasTest.json, which
/// is committed, so that a change shows.
/// forge-config: default.isolate = true
contract GasTest is ArenaBase {
    function setUp() public override {
        super.setUp();
        vm.etch(address(verifier), address(new FreeVerifier(MODEL)).code);
    }

    function test_transactions() external {
        uint256 id = begin(true);
        vm.snapshotGasLastCall("createGame, no stake, human is White");
        id = beginStaked(false);
        vm.snapshotGasLastCall("createGame, stake, human is Black");
        id = begin(true);
        human(id, "e2e4");
        vm.snapshotGasLastCall("playHuman, first move");
        npcWithProof(id, "d7d5", 1024);
        vm.snapshotGasLastCall("playNpc, 1024 proof bytes 0xff, verifier free");
        human(id, "e4d5");
        vm.snapshotGasLastCall("playHuman, capture");
        npcWithProof(id, "d8d5", 0);
        vm.snapshotGasLastCall("playNpc, no proof, verifier free");
        human(id, "b1c3");
        vm.snapshotGasLastCall("playHuman, quiet move");
        vm.prank(HUMAN);
        arena.resign(id);
        vm.snapshotGasLastCall("resign");
        id = beginAt("6rk/5Npp/8/8/8/8/8/K6R b - - 0 1", false);
        arena.claimMate(id);
        vm.snapshotGasLastCall("claimMate, smothered");
        id = beginAt("r1bqkb1r/pppp1Qpp/2n2n2/4p3/2B1P3/8/PPPP1PPP/RNB1K1NR b KQkq - 0 4", false);
        arena.claimMate(id);
        vm.snapshotGasLastCall("claimMate, scholar's");
        id = beginAt("7k/5Q2/8/8/8/8/8/K7 b - - 0 1", false);
        arena.claimStalemate(id);
        vm.snapshotGasLastCall("claimStalemate");
    }

    /// @notice Sixteen choices of which only the last is legal.
    function test_worstRanking() external {
        uint256 id = begin(false);
        uint256 ranking;
        for (uint256 k; k < 15; ++k) {
            // Rook a1 to a3 and the like: the piece moves so, the way is blocked.
            ranking |= uint256(64) << (13 * k);
        }
        ranking |= indexOf(id, Fen.move("e2e4")) << 195;
        arena.playNpc(id, 0, ranking, "");
        vm.snapshotGasLastCall("playNpc, last choice, no proof, verifier free");
    }

    function test_rules() external {
        rules("initial", "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1", "g1f3");
        rules("middle game", "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1", "f3f6");
        rules("castling", "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1", "e1g1");
        rules(
            "double step, en passant legal",
            "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1",
            "a2a4"
        );
    }

    function rules(string memory name, string memory fen, string memory uci) private {
        (uint256 board, uint256 state) = Fen.parse(fen);
        uint256 move = Fen.move(uci);
        uint256 before = gasleft();
        (bool ok,,) = Moves.play(board, state, move);
        uint256 spent = before - gasleft();
        require(ok, uci);
        vm.snapshotValue(string.concat("rules: move checked and played, ", name), spent);
        before = gasleft();
        Attacks.attacked(board, Board.kingSquare(board));
        spent = before - gasleft();
        vm.snapshotValue(string.concat("rules: king check, ", name), spent);
        before = gasleft();
        Endings.verdict(board, state);
        spent = before - gasleft();
        vm.snapshotValue(string.concat("rules: end-of-game scan, ", name), spent);
    }

    function npcWithProof(uint256 id, string memory uci, uint256 length) private {
        uint256 ply = plyOf(id);
        uint256 ranking = rankingOf(id, uci);
        bytes memory proof = new bytes(length);
        for (uint256 i; i < length; ++i) {
            proof[i] = 0xff;
        }
        vm.prank(ANYONE);
        arena.playNpc(id, ply, ranking, proof);
    }
}
