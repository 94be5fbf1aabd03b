// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Balances} from "./Balances.sol";
import {VerifierCall} from "./VerifierCall.sol";
import {Board} from "./chess/Board.sol";
import {ChessGames} from "./chess/ChessGames.sol";
import {GameWord, Outcome, Reason} from "./chess/GameWord.sol";

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
contract ChessArena is ChessGames, Balances {
    using GameWord for uint256;

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

    /// @notice A game as stored.
    struct Game {
        Position position;
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

    /// @notice It is the NPC's turn.
    error NotHumanTurn();

    /// @notice The caller has no part in this game that would allow this.
    error NotYourGame();

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
        _games[gameId] = Game(_created(word), msg.sender, uint96(offerId));
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
        Position storage p = g.position;
        uint256 word = p.word;
        _checkTurn(gameId, word, ply);
        if (g.human != msg.sender) revert NotYourGame();
        if (!word.humanToMove()) revert NotHumanTurn();

        uint256 board;
        (board, word) = _playHuman(p, word, move);
        emit HumanMoved(gameId, ply, move, board, word.state(), word.deadline());
        _checkSeventyFive(gameId, p, word, board);
    }

    // ---------------------------------------------------------------- ends of the game

    /// @notice Gives the game up. Only the human can.
    /// @dev The host can't: the NPC plays as its model ranks its moves, and a host that could resign for it could
    /// hand out wins that look like the model's losses. A host that lets a game go loses it on time, and the
    /// record says so.
    function resign(uint256 gameId) external {
        (Position storage p, uint256 word) = _running(gameId);
        if (_games[gameId].human != msg.sender) revert NotYourGame();
        _end(gameId, p, word, Outcome.NpcWon, Reason.Resignation);
    }

    // ---------------------------------------------------------------- views

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
        v.history = g.position.history;
    }

    // ---------------------------------------------------------------- inner functions

    /// @dev The human or the host may claim, while the side to move has time: a spectator may not end a game that both
    /// sides want to go on with.
    function _checkClaim(uint256 gameId, uint256 word) internal view override {
        Game storage g = _games[gameId];
        if (g.human != msg.sender && _offers[g.offerId].host != msg.sender) revert NotYourGame();
        if (block.timestamp > word.deadline()) revert TimeIsUp(word.deadline());
    }

    /// @dev Whoever has no time left has lost.
    function _checkTimeout(uint256, uint256) internal view override {}

    function _humanToMove(uint256, uint256 word, uint256 nextState) internal view override returns (uint256) {
        return word.afterMove(nextState);
    }

    function _position(uint256 gameId) internal view override returns (Position storage) {
        return _games[gameId].position;
    }

    /// @dev Credits both stakes.
    function _settled(uint256 gameId, Outcome outcome) internal override {
        Game storage g = _games[gameId];
        Offer storage o = _offers[g.offerId];
        uint256 stake = o.stake;
        --o.running;
        if (stake == 0) return;
        if (outcome == Outcome.Draw) {
            _credit(g.human, stake);
            _credit(o.host, stake);
        } else {
            _credit(outcome == Outcome.HumanWon ? g.human : o.host, 2 * stake);
        }
    }
}
