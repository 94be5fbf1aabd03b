// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Request} from "../Request.sol";
import {VerifierCall} from "../VerifierCall.sol";
import {Board} from "./Board.sol";
import {Endings} from "./Endings.sol";
import {GameWord, Outcome, Reason} from "./GameWord.sol";
import {Inputs} from "./Inputs.sol";
import {MoveCode} from "./MoveCode.sol";
import {Moves} from "./Moves.sol";

/// @title Games of chess whose one side is a committed model
/// @notice What every arena does alike: the model's moves by proof, the rules, and the ways in which a game ends.
/// @dev An arena that inherits from this says where it keeps a position, who may make a move for the human side,
/// who may claim a draw, and who gets what. In `GameWord`, `Outcome` and events the side that isn't the model is the
/// *human*, even if many people play it together.
///
/// You must begin a game with `_created`, make the human side's moves by `_playHuman` only, and in `_settled` do
/// nothing but change balances: it is called once for each game.
abstract contract ChessGames {
    using GameWord for uint256;

    // ---------------------------------------------------------------- constants

    /// @notice A player may claim a draw from this many half-moves without capture or pawn move.
    uint256 public constant FIFTY_MOVES = 100;

    /// @notice The game is a draw by itself at this many of them, unless the last move mates.
    uint256 public constant SEVENTY_FIVE_MOVES = 150;

    /// @dev The history of a game before its first position, so that its slot is never empty.
    bytes32 private constant NO_HISTORY = bytes32(uint256(1));

    // ---------------------------------------------------------------- types

    /// @notice A game's chess. `history` chains the hashes of all positions up to the human side's last move.
    struct Position {
        uint256 board;
        uint256 word;
        bytes32 history;
    }

    // ---------------------------------------------------------------- errors

    /// @notice There is no game with this number.
    error NoSuchGame(uint256 gameId);

    /// @notice The game has ended.
    error GameIsOver(uint256 gameId);

    /// @notice The move is for another ply than the game's. A late copy of a move that was played fails like this.
    error WrongPly(uint256 ply);

    /// @notice It is the human's turn.
    error NotNpcTurn();

    /// @notice The side to move has exceeded its time; only a claim can follow.
    error TimeIsUp(uint256 deadline);

    /// @notice The side to move still has time.
    error TimeIsNotUp(uint256 deadline);

    /// @notice The rules of chess forbid this move.
    error IllegalMove(uint256 move);

    /// @notice The ranking isn't 16 move indices.
    error MalformedRanking();

    /// @notice The verifier didn't say yes.
    error ProofRejected();

    /// @notice The claimed end of the game isn't one.
    error ClaimRefused();

    /// @notice The address has no code of its own, or it doesn't verify this model.
    error NotAVerifier(address verifier);

    // ---------------------------------------------------------------- events

    /// @notice The NPC made the half-move number `ply`: its choice number `rank` (0 is the best), named `index` by
    /// the network. `board` and `state` are the position after it, seen from the human.
    event NpcMoved(
        uint256 indexed gameId, uint256 ply, uint256 move, uint256 rank, uint256 index, uint256 board, uint256 state
    );

    /// @notice A game ended.
    event GameOver(uint256 indexed gameId, Outcome outcome, Reason reason);

    // ---------------------------------------------------------------- the NPC's moves

    /// @notice Plays the NPC's move. Anyone may call, with a proof made for this caller.
    /// @dev The arena itself makes the instances from its storage; of the caller it takes only the ranking. A
    /// ranking without a legal move loses the game, unless there is no legal move at all.
    /// @param ply The half-move's number, counted from 0.
    /// @param ranking The network's 16 first choices, 13 bits each, the best in the lowest bits.
    /// @param proof The proof for the instances that `instances(gameId, msg.sender)` shows, with this ranking.
    function playNpc(uint256 gameId, uint256 ply, uint256 ranking, bytes calldata proof) external {
        Position storage p = _position(gameId);
        uint256 word = p.word;
        _checkTurn(gameId, word, ply);
        if (word.humanToMove()) revert NotNpcTurn();
        if (!MoveCode.wellFormed(ranking)) revert MalformedRanking();

        uint256 board = p.board;
        if (!_proved(gameId, word, board, ranking, proof)) revert ProofRejected();
        _playRanked(gameId, p, word, board, ranking);
    }

    // ---------------------------------------------------------------- ends of the game

    /// @notice Ends the game if the side to move is checkmated. Anyone may claim.
    function claimMate(uint256 gameId) external {
        (Position storage p, uint256 word) = _running(gameId);
        (bool check, bool stuck) = Endings.verdict(p.board, word.state());
        if (!check || !stuck) revert ClaimRefused();
        _end(gameId, p, word, _lossOfMover(word), Reason.Checkmate);
    }

    /// @notice Ends the game if the side to move is stalemated. Anyone may claim.
    function claimStalemate(uint256 gameId) external {
        (Position storage p, uint256 word) = _running(gameId);
        (bool check, bool stuck) = Endings.verdict(p.board, word.state());
        if (check || !stuck) revert ClaimRefused();
        _end(gameId, p, word, Outcome.Draw, Reason.Stalemate);
    }

    /// @notice Ends the game as a draw if neither side's material can mate (anyone may claim), or by the fifty-move
    /// rule (whoever the arena lets claim it, while the side to move has time).
    function claimDraw(uint256 gameId) external {
        (Position storage p, uint256 word) = _running(gameId);
        if (Endings.insufficientMaterial(p.board)) {
            _end(gameId, p, word, Outcome.Draw, Reason.InsufficientMaterial);
            return;
        }
        _checkClaim(gameId, word);
        if (word.clock() < FIFTY_MOVES || _mated(p.board, word.state())) revert ClaimRefused();
        _end(gameId, p, word, Outcome.Draw, Reason.FiftyMoves);
    }

    /// @notice Ends the game as a draw if the position has been there three times. Whoever the arena lets may claim,
    /// while the side to move has time.
    /// @dev The arena keeps only a hash chain of the positions, and only the human's moves pay for it. The claimant
    /// hands in a tail of the chain; one that leads to the stored value is the game's own.
    /// @param start The chain's value before the first pair.
    /// @param pairs For each human move since then, the `positionHash` before and after it.
    function claimThreefold(uint256 gameId, bytes32 start, bytes32[2][] calldata pairs) external {
        (Position storage p, uint256 word) = _running(gameId);
        _checkClaim(gameId, word);
        bytes32 current = Inputs.positionHash(p.board, word);
        // With the human to move, the position that the NPC reached is not in the chain yet.
        uint256 times = word.humanToMove() ? 1 : 0;
        for (uint256 i; i < pairs.length; ++i) {
            bytes32 first = pairs[i][0];
            bytes32 second = pairs[i][1];
            if (first == current) ++times;
            if (second == current) ++times;
            start = Inputs.remembered(start, first, second);
        }
        if (start != p.history || times < 3) revert ClaimRefused();
        _end(gameId, p, word, Outcome.Draw, Reason.Threefold);
    }

    /// @notice Ends the game if the side to move has exceeded its time. Anyone may claim.
    /// @dev If it is mated or stalemated, the game ended like that. If its opponent's material can't mate, it is
    /// a draw. Otherwise it loses.
    function claimTimeout(uint256 gameId) external {
        (Position storage p, uint256 word) = _running(gameId);
        if (block.timestamp <= word.deadline()) revert TimeIsNotUp(word.deadline());
        _checkTimeout(gameId, word);
        uint256 board = p.board;
        (bool check, bool stuck) = Endings.verdict(board, word.state());
        if (stuck) {
            if (check) _end(gameId, p, word, _lossOfMover(word), Reason.Checkmate);
            else _end(gameId, p, word, Outcome.Draw, Reason.Stalemate);
        } else if (Endings.cannotMate(Board.turned(board))) {
            _end(gameId, p, word, Outcome.Draw, Reason.InsufficientMaterial);
        } else {
            _end(gameId, p, word, _lossOfMover(word), Reason.Timeout);
        }
    }

    // ---------------------------------------------------------------- views

    /// @notice The instances that `playNpc`, called by `submitter` now, gives the verifier; the ranking, instance
    /// 2, is left zero.
    function instances(uint256 gameId, address submitter) external view returns (uint256[7] memory) {
        (uint256 board, uint256 word) = _existing(gameId);
        return Inputs.instances(Request.hash(address(this), gameId, word.ply(), submitter), 0, board, word);
    }

    /// @notice The position of a game, seen from the side to move.
    function boardOf(uint256 gameId) external view returns (uint256 board, uint256 state) {
        (board, state) = _existing(gameId);
        state = state.state();
    }

    /// @notice What the rules say about a game's position: which claims would succeed now.
    function verdict(uint256 gameId) external view returns (bool check, bool stuck, bool insufficient) {
        (uint256 board, uint256 word) = _existing(gameId);
        (check, stuck) = Endings.verdict(board, word.state());
        insufficient = Endings.insufficientMaterial(board);
    }

    /// @notice Whether a move, by absolute squares, is legal for the side to move.
    function isLegal(uint256 gameId, uint256 move) external view returns (bool) {
        (uint256 board, uint256 word) = _existing(gameId);
        return Moves.legal(board, word.state(), MoveCode.flipped(move, word.ply()));
    }

    /// @notice The hash of a position, as `claimThreefold` wants it.
    function positionHash(uint256 board, uint256 state) external pure returns (bytes32) {
        return Inputs.positionHash(board, state);
    }

    // ---------------------------------------------------------------- what an arena decides

    /// @dev Where a game's chess is kept; its word is zero if there is no such game.
    function _position(uint256 gameId) internal view virtual returns (Position storage);

    /// @dev The word after a move of the NPC, with the human side's clock running from now.
    function _humanToMove(uint256 gameId, uint256 word, uint256 nextState) internal view virtual returns (uint256);

    /// @dev Reverts if the caller may not claim a draw, or not now.
    function _checkClaim(uint256 gameId, uint256 word) internal view virtual;

    /// @dev Reverts if the side to move hasn't lost, though its time is up.
    function _checkTimeout(uint256 gameId, uint256 word) internal view virtual;

    /// @dev Credits what an end makes due.
    function _settled(uint256 gameId, Outcome outcome) internal virtual;

    // ---------------------------------------------------------------- inner functions

    /// @dev A new game's position, given its word before the first move.
    function _created(uint256 word) internal pure returns (Position memory) {
        bytes32 history = NO_HISTORY;
        // The human's moves remember the positions before and after them; this one comes before none.
        if (!word.humanIsWhite()) {
            history = Inputs.remembered(history, 0, Inputs.positionHash(Board.START, word.state()));
        }
        return Position(Board.START, word, history);
    }

    /// @dev Plays the human side's move, by absolute squares. You must have checked the turn, and afterwards you must
    /// call `_checkSeventyFive`.
    function _playHuman(Position storage p, uint256 word, uint256 move)
        internal
        returns (uint256 nextBoard, uint256 nextWord)
    {
        uint256 board = p.board;
        bool ok;
        (ok, nextBoard, nextWord) = Moves.play(board, word.state(), MoveCode.flipped(move, word.ply()));
        if (!ok) revert IllegalMove(move);
        p.history =
            Inputs.remembered(p.history, Inputs.positionHash(board, word), Inputs.positionHash(nextBoard, nextWord));
        nextWord = word.afterMove(nextWord);
        p.board = nextBoard;
        p.word = nextWord;
    }

    /// @dev Ends the game if the move that led to this position made the count of quiet moves full: a draw, unless
    /// that move also mates.
    function _checkSeventyFive(uint256 gameId, Position storage p, uint256 word, uint256 board) internal {
        if (word.clock() < SEVENTY_FIVE_MOVES) return;
        if (_mated(board, word.state())) _end(gameId, p, word, _lossOfMover(word), Reason.Checkmate);
        else _end(gameId, p, word, Outcome.Draw, Reason.SeventyFiveMoves);
    }

    /// @dev The game's position and word, if the game is running.
    function _running(uint256 gameId) internal view returns (Position storage p, uint256 word) {
        p = _position(gameId);
        word = p.word;
        if (word == 0) revert NoSuchGame(gameId);
        if (word.outcome() != Outcome.Running) revert GameIsOver(gameId);
    }

    /// @dev The game's board and word, if there is such a game.
    function _existing(uint256 gameId) internal view returns (uint256 board, uint256 word) {
        Position storage p = _position(gameId);
        (board, word) = (p.board, p.word);
        if (word == 0) revert NoSuchGame(gameId);
    }

    /// @dev Whether half-move number `ply` can be made now.
    function _checkTurn(uint256 gameId, uint256 word, uint256 ply) internal view {
        _checkPly(gameId, word, ply);
        if (block.timestamp > word.deadline()) revert TimeIsUp(word.deadline());
    }

    /// @dev Whether half-move number `ply` is the next.
    function _checkPly(uint256 gameId, uint256 word, uint256 ply) internal pure {
        if (word == 0) revert NoSuchGame(gameId);
        if (word.outcome() != Outcome.Running) revert GameIsOver(gameId);
        if (word.ply() != ply) revert WrongPly(word.ply());
    }

    /// @dev Ends a running game.
    function _end(uint256 gameId, Position storage p, uint256 word, Outcome outcome, Reason reason) internal {
        p.word = word.ended(outcome, reason);
        _settled(gameId, outcome);
        emit GameOver(gameId, outcome, reason);
    }

    /// @dev Whether the game's verifier accepts the proof for this caller.
    function _proved(uint256 gameId, uint256 word, uint256 board, uint256 ranking, bytes calldata proof)
        private
        view
        returns (bool)
    {
        uint256 request = Request.hash(address(this), gameId, word.ply(), msg.sender);
        return VerifierCall.accepts(word.verifier(), proof, Inputs.instances(request, ranking, board, word));
    }

    /// @dev Plays the first legal move of a proven ranking.
    function _playRanked(uint256 gameId, Position storage p, uint256 word, uint256 board, uint256 ranking) private {
        for (uint256 rank; rank < MoveCode.RANKED;) {
            uint256 index = (ranking >> (rank * MoveCode.BITS)) & 0x1fff;
            uint256 move = MoveCode.fromIndex(board, index);
            (bool ok, uint256 nextBoard, uint256 nextState) = Moves.play(board, word, move);
            if (ok) {
                emit NpcMoved(gameId, word.ply(), MoveCode.flipped(move, word.ply()), rank, index, nextBoard, nextState);
                word = _humanToMove(gameId, word, nextState);
                p.board = nextBoard;
                p.word = word;
                _checkSeventyFive(gameId, p, word, nextBoard);
                return;
            }
            unchecked {
                ++rank;
            }
        }
        (bool check, bool stuck) = Endings.verdict(board, word.state());
        if (!stuck) _end(gameId, p, word, Outcome.HumanWon, Reason.NoLegalChoice);
        else if (check) _end(gameId, p, word, Outcome.HumanWon, Reason.Checkmate);
        else _end(gameId, p, word, Outcome.Draw, Reason.Stalemate);
    }

    function _mated(uint256 board, uint256 state) private pure returns (bool) {
        (bool check, bool stuck) = Endings.verdict(board, state);
        return check && stuck;
    }

    function _lossOfMover(uint256 word) private pure returns (Outcome) {
        return word.humanToMove() ? Outcome.NpcWon : Outcome.HumanWon;
    }
}
