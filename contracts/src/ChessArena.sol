// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Balances} from "./Balances.sol";
import {Request} from "./Request.sol";
import {VerifierCall} from "./VerifierCall.sol";
import {Board} from "./chess/Board.sol";
import {Endings} from "./chess/Endings.sol";
import {GameWord, Outcome, Reason} from "./chess/GameWord.sol";
import {Inputs} from "./chess/Inputs.sol";
import {MoveCode} from "./chess/MoveCode.sol";
import {Moves} from "./chess/Moves.sol";

/// @title Chess against a committed model
/// @notice A host offers games against a model; a human takes up an offer and plays; each move of the model (the
/// NPC) comes with a proof that this very network ranked its moves like this on this very board. Anyone may submit
/// it. The arena checks the proof, and plays the first legal move of the 16 ranked ones.
/// @dev There is no owner and no switch: a game's verifier, model, stake and clock can't change once it exists.
///
/// Dangers. The arena believes the verifier: before you take up an offer you must look at the verifier's code, as
/// a verifier that is a proxy can be swapped under a running game, and one that lies plays as it likes. A model
/// whose proofs can't be made in time loses on time. Whoever claims the end of a game pays for the search for
/// legal moves; nothing is searched for before.
///
/// Boards and states in events and views are seen from the side to move (see `Board`, `Moves`); moves are always
/// named by absolute squares: from | to << 6 | promotion << 12, a1 = 0, h8 = 63, promotion 0, 2 N, 3 B, 4 R, 5 Q.
///
/// Threats: who could gain by what, and the test in test/{Play,Ends,Money}.t.sol that tries it.
///   a host plays moves that the model didn't choose                    test_instancesAreWhatTheVerifierGets
///   a host's verifier says anything but a clear yes                    test_verifierThatMisbehaves
///   a host offers what is no verifier, or can become another one       test_verifierMustHaveCodeAndTheModel
///   a host plays a late copy on another ply                            test_staleDuplicateAndOutOfTurn
///   a player makes an illegal move                                     test_illegalHumanMoves
///   a host sends rankings without legal moves, or nonsense              test_noLegalChoiceLoses, test_malformedRankings
///   a loser stops moving                                               test_timeoutOfTheHuman, test_timeoutOfTheNpc
///   a mated player waits for the other's time to run out               test_timeoutIsJudgedByThePosition
///   somebody claims an end that isn't one                              test_falseClaims
///   somebody claims a repetition by another game's positions           test_threefoldWithTheHumanToMove
///   a host hands out wins by resigning                                 test_onlyTheHumanResigns
///   a host runs games that it can't pay                                test_hostMustBeAbleToPay
///   a winner is paid twice by calling back                             test_nobodyIsPaidTwice
///   a receiver refuses payment to hold others up                       test_paymentToOneWhoRefuses
///
/// Money. Stakes are in the chain's coin. Every payment only changes a balance kept here, and `withdraw` takes it
/// out; no function but `withdraw` calls an address that a user chose, other than statically.
contract ChessArena is Balances {
    using GameWord for uint256;

    // ---------------------------------------------------------------- constants

    /// @notice A player may claim a draw from this many half-moves without capture or pawn move.
    uint256 public constant FIFTY_MOVES = 100;

    /// @notice The game is a draw by itself at this many of them, unless the last move mates.
    uint256 public constant SEVENTY_FIVE_MOVES = 150;

    /// @dev The history of a game before its first position, so that its slot is never empty.
    bytes32 private constant NO_HISTORY = bytes32(uint256(1));

    // ---------------------------------------------------------------- types

    /// @notice What a host offers. Only `running` and `open` ever change.
    struct Offer {
        address host;
        uint32 maxGames;
        uint32 running;
        uint24 moveTime;
        bool open;
        address verifier;
        uint96 stake;
        bytes32 modelId;
    }

    /// @notice A game as stored. `history` chains the hashes of all positions up to the human's last move.
    struct Game {
        uint256 board;
        uint256 word;
        bytes32 history;
        address human;
        uint96 offerId;
    }

    /// @notice A game with everything spelled out. `deadline` means nothing once the game is over.
    struct GameView {
        address human;
        address host;
        address verifier;
        bytes32 modelId;
        uint256 offerId;
        uint256 stake;
        uint256 moveTime;
        uint256 deadline;
        uint256 ply;
        bool humanIsWhite;
        bool humanToMove;
        Outcome outcome;
        Reason reason;
        uint256 board;
        uint256 state;
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

    /// @notice It is the NPC's turn.
    error NotHumanTurn();

    /// @notice The caller has no part in this game that would allow this.
    error NotYourGame();

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

    /// @notice The time per move is zero or too long, the stake too large, or no game is allowed.
    error BadTerms();

    /// @notice There is no such offer, it is closed, or all its games are taken.
    error OfferUnavailable(uint256 offerId);

    /// @notice The value sent isn't the offer's stake.
    error WrongStake(uint256 stake);

    // ---------------------------------------------------------------- events

    /// @notice Money came in for `account`.
    event Deposited(address indexed account, uint256 amount);

    /// @notice An offer opened. `codeHash` is the verifier's at this moment.
    event OfferOpened(
        uint256 indexed offerId,
        address indexed host,
        address indexed verifier,
        bytes32 modelId,
        bytes32 codeHash,
        uint256 stake,
        uint256 moveTime,
        uint256 maxGames
    );

    /// @notice An offer closed. Its running games go on.
    event OfferClosed(uint256 indexed offerId);

    /// @notice A game began. If the human plays Black, it is the NPC's turn at once.
    event GameCreated(
        uint256 indexed gameId,
        uint256 indexed offerId,
        address indexed human,
        address verifier,
        bytes32 modelId,
        bool humanIsWhite,
        uint256 board,
        uint256 state,
        uint256 deadline
    );

    /// @notice The human made the half-move number `ply`, counted from 0. `board` and `state` are the position
    /// after it, seen from the NPC: all that a proof of the answer needs besides this log's `gameId`, at ply + 1.
    event HumanMoved(uint256 indexed gameId, uint256 ply, uint256 move, uint256 board, uint256 state, uint256 deadline);

    /// @notice The NPC made the half-move number `ply`: its choice number `rank` (0 is the best), named `index` by
    /// the network. `board` and `state` are the position after it, seen from the human.
    event NpcMoved(
        uint256 indexed gameId, uint256 ply, uint256 move, uint256 rank, uint256 index, uint256 board, uint256 state
    );

    /// @notice A game ended.
    event GameOver(uint256 indexed gameId, Outcome outcome, Reason reason);

    // ---------------------------------------------------------------- storage

    /// @notice How many offers and games there have been; the last ones' numbers, as both count from 1.
    uint256 public offerCount;
    uint256 public gameCount;

    mapping(uint256 offerId => Offer) private _offers;
    mapping(uint256 gameId => Game) internal _games;

    // ---------------------------------------------------------------- money

    /// @notice Adds to the caller's balance. A host deposits what its side of the stakes takes.
    function deposit() external payable {
        _credit(msg.sender, msg.value);
        emit Deposited(msg.sender, msg.value);
    }

    // ---------------------------------------------------------------- offers

    /// @notice Offers games against a model. Each takes `stake` out of the caller's balance while it lasts.
    /// @param verifier The model's verifier; must have code and return `modelId`.
    /// @param modelId The model.
    /// @param stake What each side puts in, possibly nothing.
    /// @param moveTime Seconds for each move of either side.
    /// @param maxGames How many games may run at a time; keeps players who stake nothing from flooding the host.
    function openOffer(address verifier, bytes32 modelId, uint256 stake, uint256 moveTime, uint256 maxGames)
        external
        returns (uint256 offerId)
    {
        if (
            moveTime == 0 || moveTime > GameWord.MAX_MOVE_TIME || stake > type(uint96).max || maxGames == 0
                || maxGames > type(uint32).max
        ) revert BadTerms();
        if (!VerifierCall.verifies(verifier, modelId)) revert NotAVerifier(verifier);
        offerId = ++offerCount;
        _offers[offerId] = Offer({
            host: msg.sender,
            maxGames: uint32(maxGames),
            running: 0,
            moveTime: uint24(moveTime),
            open: true,
            verifier: verifier,
            stake: uint96(stake),
            modelId: modelId
        });
        emit OfferOpened(offerId, msg.sender, verifier, modelId, verifier.codehash, stake, moveTime, maxGames);
    }

    /// @notice Closes an offer for new games.
    function closeOffer(uint256 offerId) external {
        Offer storage o = _offers[offerId];
        if (o.host != msg.sender) revert NotYourGame();
        if (!o.open) revert OfferUnavailable(offerId);
        o.open = false;
        emit OfferClosed(offerId);
    }

    // ---------------------------------------------------------------- playing

    /// @notice Takes up an offer. The value sent must be its stake.
    /// @param humanIsWhite The caller's colour. White moves first, and its clock runs from now.
    function createGame(uint256 offerId, bool humanIsWhite) external payable returns (uint256 gameId) {
        Offer storage o = _offers[offerId];
        Offer memory terms = o;
        if (!terms.open || terms.running >= terms.maxGames) revert OfferUnavailable(offerId);
        if (msg.value != terms.stake) revert WrongStake(terms.stake);
        if (!VerifierCall.verifies(terms.verifier, terms.modelId)) revert NotAVerifier(terms.verifier);
        if (terms.stake != 0) {
            uint256 bankroll = balanceOf[terms.host];
            if (bankroll < terms.stake) revert InsufficientBalance(bankroll);
            unchecked {
                balanceOf[terms.host] = bankroll - terms.stake;
            }
        }
        unchecked {
            o.running = terms.running + 1;
        }
        gameId = ++gameCount;
        uint256 word = GameWord.create(terms.verifier, terms.moveTime, !humanIsWhite);
        bytes32 history = NO_HISTORY;
        // The human's moves remember the positions before and after them; this one comes before none.
        if (!humanIsWhite) history = Inputs.remembered(history, 0, Inputs.positionHash(Board.START, word.state()));
        _games[gameId] = Game(Board.START, word, history, msg.sender, uint96(offerId));
        emit GameCreated(
            gameId,
            offerId,
            msg.sender,
            terms.verifier,
            terms.modelId,
            humanIsWhite,
            Board.START,
            word.state(),
            word.deadline()
        );
    }

    /// @notice Plays the human's move.
    /// @param ply The half-move's number, counted from 0, so that a late copy can't become another move.
    /// @param move The move, by absolute squares.
    function playHuman(uint256 gameId, uint256 ply, uint256 move) external {
        Game storage g = _games[gameId];
        uint256 word = g.word;
        _checkTurn(gameId, word, ply);
        if (g.human != msg.sender) revert NotYourGame();
        if (!word.humanToMove()) revert NotHumanTurn();

        uint256 board = g.board;
        (bool ok, uint256 nextBoard, uint256 nextState) = Moves.play(board, word.state(), MoveCode.flipped(move, ply));
        if (!ok) revert IllegalMove(move);
        g.history =
            Inputs.remembered(g.history, Inputs.positionHash(board, word), Inputs.positionHash(nextBoard, nextState));
        word = word.afterMove(nextState);
        g.board = nextBoard;
        g.word = word;
        emit HumanMoved(gameId, ply, move, nextBoard, nextState, word.deadline());
        if (word.clock() >= SEVENTY_FIVE_MOVES) _endBySeventyFive(gameId, g, word, nextBoard);
    }

    /// @notice Plays the NPC's move. Anyone may call, with a proof made for this caller.
    /// @dev The arena itself makes the instances from its storage; of the caller it takes only the ranking. A
    /// ranking without a legal move loses the game, unless there is no legal move at all.
    /// @param ply The half-move's number, counted from 0.
    /// @param ranking The network's 16 first choices, 13 bits each, the best in the lowest bits.
    /// @param proof The proof for the instances that `instances(gameId, msg.sender)` shows, with this ranking.
    function playNpc(uint256 gameId, uint256 ply, uint256 ranking, bytes calldata proof) external {
        Game storage g = _games[gameId];
        uint256 word = g.word;
        _checkTurn(gameId, word, ply);
        if (word.humanToMove()) revert NotNpcTurn();
        if (!MoveCode.wellFormed(ranking)) revert MalformedRanking();

        uint256 board = g.board;
        if (!_proved(gameId, word, board, ranking, proof)) revert ProofRejected();
        _playRanked(gameId, g, word, board, ranking);
    }

    // ---------------------------------------------------------------- ends of the game

    /// @notice Gives the game up. Only the human can.
    /// @dev The host can't: the NPC plays as its model ranks its moves, and a host that could resign for it could
    /// hand out wins that look like the model's losses. A host that lets a game go loses it on time, and the
    /// record says so.
    function resign(uint256 gameId) external {
        Game storage g = _games[gameId];
        uint256 word = _running(gameId, g);
        if (g.human != msg.sender) revert NotYourGame();
        _end(gameId, g, word, Outcome.NpcWon, Reason.Resignation);
    }

    /// @notice Ends the game if the side to move is checkmated. Anyone may claim.
    function claimMate(uint256 gameId) external {
        Game storage g = _games[gameId];
        uint256 word = _running(gameId, g);
        (bool check, bool stuck) = Endings.verdict(g.board, word.state());
        if (!check || !stuck) revert ClaimRefused();
        _end(gameId, g, word, _lossOfMover(word), Reason.Checkmate);
    }

    /// @notice Ends the game if the side to move is stalemated. Anyone may claim.
    function claimStalemate(uint256 gameId) external {
        Game storage g = _games[gameId];
        uint256 word = _running(gameId, g);
        (bool check, bool stuck) = Endings.verdict(g.board, word.state());
        if (check || !stuck) revert ClaimRefused();
        _end(gameId, g, word, Outcome.Draw, Reason.Stalemate);
    }

    /// @notice Ends the game as a draw if neither side's material can mate (anyone may claim), or by the fifty-move
    /// rule (the human or the host may claim, while the side to move has time).
    /// @dev A spectator may not end a game that both sides want to go on with.
    function claimDraw(uint256 gameId) external {
        Game storage g = _games[gameId];
        uint256 word = _running(gameId, g);
        if (Endings.insufficientMaterial(g.board)) {
            _end(gameId, g, word, Outcome.Draw, Reason.InsufficientMaterial);
            return;
        }
        _checkPlayer(g, word);
        if (word.clock() < FIFTY_MOVES || _mated(g.board, word.state())) revert ClaimRefused();
        _end(gameId, g, word, Outcome.Draw, Reason.FiftyMoves);
    }

    /// @notice Ends the game as a draw if the position has been there three times. The human or the host may
    /// claim, while the side to move has time.
    /// @dev The arena keeps only a hash chain of the positions, and only the human's moves pay for it. The claimant
    /// hands in a tail of the chain; one that leads to the stored value is the game's own.
    /// @param start The chain's value before the first pair.
    /// @param pairs For each human move since then, the `positionHash` before and after it.
    function claimThreefold(uint256 gameId, bytes32 start, bytes32[2][] calldata pairs) external {
        Game storage g = _games[gameId];
        uint256 word = _running(gameId, g);
        _checkPlayer(g, word);
        bytes32 current = Inputs.positionHash(g.board, word);
        // With the human to move, the position that the NPC reached is not in the chain yet.
        uint256 times = word.humanToMove() ? 1 : 0;
        for (uint256 i; i < pairs.length; ++i) {
            bytes32 first = pairs[i][0];
            bytes32 second = pairs[i][1];
            if (first == current) ++times;
            if (second == current) ++times;
            start = Inputs.remembered(start, first, second);
        }
        if (start != g.history || times < 3) revert ClaimRefused();
        _end(gameId, g, word, Outcome.Draw, Reason.Threefold);
    }

    /// @notice Ends the game if the side to move has exceeded its time. Anyone may claim.
    /// @dev If it is mated or stalemated, the game ended like that. If its opponent's material can't mate, it is
    /// a draw. Otherwise it loses.
    function claimTimeout(uint256 gameId) external {
        Game storage g = _games[gameId];
        uint256 word = _running(gameId, g);
        if (block.timestamp <= word.deadline()) revert TimeIsNotUp(word.deadline());
        uint256 board = g.board;
        (bool check, bool stuck) = Endings.verdict(board, word.state());
        if (stuck) {
            if (check) _end(gameId, g, word, _lossOfMover(word), Reason.Checkmate);
            else _end(gameId, g, word, Outcome.Draw, Reason.Stalemate);
        } else if (Endings.cannotMate(Board.turned(board))) {
            _end(gameId, g, word, Outcome.Draw, Reason.InsufficientMaterial);
        } else {
            _end(gameId, g, word, _lossOfMover(word), Reason.Timeout);
        }
    }

    // ---------------------------------------------------------------- views

    /// @notice The instances that `playNpc`, called by `submitter` now, gives the verifier; the ranking, instance
    /// 2, is left zero.
    function instances(uint256 gameId, address submitter) external view returns (uint256[7] memory) {
        (uint256 board, uint256 word) = _existing(gameId);
        return Inputs.instances(Request.hash(address(this), gameId, word.ply(), submitter), 0, board, word);
    }

    /// @notice An offer.
    function offer(uint256 offerId) external view returns (Offer memory) {
        return _offers[offerId];
    }

    /// @notice A game.
    function game(uint256 gameId) external view returns (GameView memory v) {
        (v.board, v.state) = _existing(gameId);
        uint256 word = v.state;
        Game storage g = _games[gameId];
        Offer storage o = _offers[g.offerId];
        v.human = g.human;
        v.host = o.host;
        v.verifier = word.verifier();
        v.modelId = o.modelId;
        v.offerId = g.offerId;
        v.stake = o.stake;
        v.moveTime = word.moveTime();
        v.deadline = word.deadline();
        v.ply = word.ply();
        v.humanIsWhite = word.humanIsWhite();
        v.humanToMove = word.humanToMove();
        v.outcome = word.outcome();
        v.reason = word.reason();
        v.state = word.state();
        v.history = g.history;
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

    // ---------------------------------------------------------------- inner functions

    /// @dev The game's word, if the game is running.
    function _running(uint256 gameId, Game storage g) private view returns (uint256 word) {
        word = g.word;
        if (word == 0) revert NoSuchGame(gameId);
        if (word.outcome() != Outcome.Running) revert GameIsOver(gameId);
    }

    /// @dev The game's board and word, if there is such a game.
    function _existing(uint256 gameId) private view returns (uint256 board, uint256 word) {
        Game storage g = _games[gameId];
        (board, word) = (g.board, g.word);
        if (word == 0) revert NoSuchGame(gameId);
    }

    /// @dev Whether half-move number `ply` can be made now.
    function _checkTurn(uint256 gameId, uint256 word, uint256 ply) private view {
        if (word == 0) revert NoSuchGame(gameId);
        if (word.outcome() != Outcome.Running) revert GameIsOver(gameId);
        if (word.ply() != ply) revert WrongPly(word.ply());
        if (block.timestamp > word.deadline()) revert TimeIsUp(word.deadline());
    }

    /// @dev Whether the caller is the human or the host and the side to move has time.
    function _checkPlayer(Game storage g, uint256 word) private view {
        if (g.human != msg.sender && _offers[g.offerId].host != msg.sender) revert NotYourGame();
        if (block.timestamp > word.deadline()) revert TimeIsUp(word.deadline());
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
    function _playRanked(uint256 gameId, Game storage g, uint256 word, uint256 board, uint256 ranking) private {
        for (uint256 rank; rank < MoveCode.RANKED;) {
            uint256 index = (ranking >> (rank * MoveCode.BITS)) & 0x1fff;
            uint256 move = MoveCode.fromIndex(board, index);
            (bool ok, uint256 nextBoard, uint256 nextState) = Moves.play(board, word, move);
            if (ok) {
                emit NpcMoved(gameId, word.ply(), MoveCode.flipped(move, word.ply()), rank, index, nextBoard, nextState);
                word = word.afterMove(nextState);
                g.board = nextBoard;
                g.word = word;
                if (word.clock() >= SEVENTY_FIVE_MOVES) _endBySeventyFive(gameId, g, word, nextBoard);
                return;
            }
            unchecked {
                ++rank;
            }
        }
        (bool check, bool stuck) = Endings.verdict(board, word.state());
        if (!stuck) _end(gameId, g, word, Outcome.HumanWon, Reason.NoLegalChoice);
        else if (check) _end(gameId, g, word, Outcome.HumanWon, Reason.Checkmate);
        else _end(gameId, g, word, Outcome.Draw, Reason.Stalemate);
    }

    /// @dev A draw, unless the move that made the count full also mates.
    function _endBySeventyFive(uint256 gameId, Game storage g, uint256 word, uint256 board) private {
        if (_mated(board, word.state())) _end(gameId, g, word, _lossOfMover(word), Reason.Checkmate);
        else _end(gameId, g, word, Outcome.Draw, Reason.SeventyFiveMoves);
    }

    function _mated(uint256 board, uint256 state) private pure returns (bool) {
        (bool check, bool stuck) = Endings.verdict(board, state);
        return check && stuck;
    }

    function _lossOfMover(uint256 word) private pure returns (Outcome) {
        return word.humanToMove() ? Outcome.NpcWon : Outcome.HumanWon;
    }

    /// @dev Ends a running game and credits both stakes.
    function _end(uint256 gameId, Game storage g, uint256 word, Outcome outcome, Reason reason) private {
        g.word = word.ended(outcome, reason);
        Offer storage o = _offers[g.offerId];
        uint256 stake = o.stake;
        --o.running;
        if (stake != 0) {
            if (outcome == Outcome.Draw) {
                _credit(g.human, stake);
                _credit(o.host, stake);
            } else {
                _credit(outcome == Outcome.HumanWon ? g.human : o.host, 2 * stake);
            }
        }
        emit GameOver(gameId, outcome, reason);
    }
}
