// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Balances} from "./Balances.sol";
import {VerifierCall} from "./VerifierCall.sol";
import {ChessGames} from "./chess/ChessGames.sol";
import {GameWord, Outcome, Reason} from "./chess/GameWord.sol";
import {MoveCode} from "./chess/MoveCode.sol";
import {Moves} from "./chess/Moves.sol";

/// @title The World against a committed model
/// @notice A host opens a game and puts up a pot; whoever likes plays against it. In each voting window anybody stakes
/// on a legal move, and the move with the most behind it is played. The model (the NPC) answers with a proof, as in
/// `ChessArena`: models and verifiers are the same. In outcomes and events the World is the *human*.
/// @dev There is no owner and no switch, and nothing of a game's terms ever changes.
///
/// A round. The window opens with the NPC's move, or with the game. Until its last second a vote adds its stake to a
/// legal move; a stake can be added to, but neither moved nor taken back before the round is over. So weights only
/// grow, and the leader is known at each vote: it is the move that was the first to have more than all others. A move
/// that only draws level doesn't take the lead. After the last second anybody closes the round, and the leader is
/// played. There is no loop over votes, voters or moves.
///
/// Late swings. A vote that makes another move the leader (the first vote does) leaves at least an eighth of the
/// window for an answer, by putting the end off if needed; but a window never lasts more than twice its length.
///
/// Ends. A window without a vote loses the game for the World, as time that runs out does: `claimTimeout`. An NPC
/// without an answer in its time loses. Both are judged by the position, as in `ChessArena`; so are mate, stalemate
/// and draws. A draw by repetition or by the fifty-move rule may be claimed by anyone while the side to move has
/// time: it always suits one side, the host or the World, and of the World nobody speaks for all.
///
/// Who gets what. A stake on a move that isn't played goes back to its voter, whatever becomes of the game: it can be
/// claimed as soon as the round is over. Stakes on moves that were played are in play until the end:
///   the World wins   they go back, and the pot goes with them: each round that the World played has an equal part of
///                    the pot, which those who voted for the move share by their stakes
///   the NPC wins     they go to the host, with the pot
///   a draw           they go back, and the pot goes back to the host
/// If the World wins without having played a move, the pot goes back to the host. Rounds have equal parts so that a
/// large stake on the last move of a won game takes that round's part, and not the pot. Shares are rounded down; what
/// is lost so, less than a wei for each claim, stays here for good. Claims never lapse.
///
/// Dangers. The arena believes the verifier: look at its code before you stake, as one that is a proxy can be swapped.
/// Whoever has the most money moves: the host, or anybody, can buy a bad move in a round, and those who voted in earlier
/// rounds can only outbid it. A World that wins can be held up, by outbidding, for rounds that others then share in.
///
/// Threats: who could gain by what, and the test in test/World*.t.sol that tries it.
///   a host plays moves that the model didn't choose                    test_worldProofIsForThisRoundAndSubmitter
///   a host sends an answer of another round, or the same one again      test_oneAnswerForEachRound
///   a host names what is no verifier                                   test_worldVerifierMustHaveTheModel
///   a host opens a game that it can't pay                              test_potIsTakenAtTheOpening
///   a host sets terms that can't be played or would overflow           test_badWorldTerms
///   a host lets the time run out                                       test_silentNpcLoses
///   a voter stakes on an illegal move                                  test_votesForIllegalMoves
///   a voter votes late, early, or for another ply                      test_votesOutsideTheWindow
///   a voter spams moves with dust                                      test_dustIsRefused, test_spamCostsOthersNothing
///   a voter swings the round in its last second                        test_lateSwingsPutTheEndOff
///   voters put the end off for ever                                    test_aWindowHasALatestEnd
///   a voter draws level to take a lead over                            test_tiesGoToTheFirst
///   a voter takes a stake back in time to change the round             test_stakesStayUntilTheRoundIsOver
///   a voter stakes so much that the sums overflow                      test_stakesAreCapped
///   somebody closes a round early, twice, or without votes             test_roundsCloseOnceAndInTime
///   a loser claims the time-out of a round that has votes              test_roundsWithVotesAreNoTimeout
///   a silent World keeps the pot locked up                             test_windowWithoutVotesForfeits
///   a mated World waits, or somebody claims an end that isn't one      test_matedAndStalematedWorld
///   whales take the pot by the last move of a won game                 test_lateWhaleTakesOneRoundsPart
///   a voter claims before the end, twice, or another's share           test_claimsOnceAndInTime
///   a voter of a move that wasn't played shares the pot, or loses      test_unplayedVotesGoBack
///   a winner is paid twice by calling back                             test_worldVotersAreNotPaidTwice
///   a voter who refuses payment holds the others up                    test_voterWhoRefusesHurtsOnlyItself
///   rounding pays out more than came in                                testFuzz_sharesAreNeverMoreThanThePot
contract WorldArena is ChessGames, Balances {
    using GameWord for uint256;

    // ---------------------------------------------------------------- constants

    /// @notice A change of the leader leaves at least this part of the window: an eighth, rounded up.
    uint256 public constant LAST_CALL = 8;

    // ---------------------------------------------------------------- types

    /// @notice What a host chooses.
    /// @param verifier The model's verifier; must have code and return `modelId`.
    /// @param modelId The model.
    /// @param worldIsWhite The World's colour. White moves first, and its clock runs from the opening.
    /// @param window Seconds in which votes are taken for each move of the World.
    /// @param moveTime Seconds for each move of the NPC.
    /// @param leastStake The least that a vote must bring, in wei, at least one.
    struct Terms {
        address verifier;
        bytes32 modelId;
        bool worldIsWhite;
        uint256 window;
        uint256 moveTime;
        uint256 leastStake;
    }

    /// @notice The leader of the last round that was voted in. `limit` is the time past which that round's end can't be
    /// put off.
    struct Lead {
        uint16 ply;
        uint16 move;
        uint96 weight;
        uint40 limit;
    }

    /// @notice A game as stored. `rounds` counts the moves that the World played, `inPlay` sums the stakes on them.
    struct Game {
        Position position;
        Lead lead;
        uint96 leastStake;
        uint24 window;
        uint16 rounds;
        uint112 inPlay;
        address host;
        uint96 pot;
        bytes32 modelId;
    }

    /// @notice What is behind a move in a round.
    struct Choice {
        uint96 weight;
        uint32 voters;
        bool played;
        mapping(address account => uint256) stakeOf;
    }

    /// @notice A move that somebody voted for: the half-move's number and the move, by absolute squares.
    struct Vote {
        uint256 ply;
        uint256 move;
    }

    /// @notice A game with everything spelled out.
    /// @param pot What the host put up, in wei, also when it has been paid.
    /// @param deadline The last second of the side to move; of the World, of its window. Nothing once the game is over.
    /// @param limit The time past which this window's end can't be put off; 0 when no window is open.
    /// @param leader The move that leads in this window; 0, which is no move, without votes.
    /// @param leaderWeight What was staked on it, in wei.
    /// @param rounds How many moves the World has played.
    /// @param inPlay What was staked on them, in wei, also when it has been paid.
    struct GameView {
        address host;
        address verifier;
        bytes32 modelId;
        uint256 pot;
        uint256 leastStake;
        uint256 window;
        uint256 moveTime;
        uint256 deadline;
        uint256 limit;
        uint256 ply;
        bool worldIsWhite;
        bool worldToMove;
        Outcome outcome;
        Reason reason;
        uint256 leader;
        uint256 leaderWeight;
        uint256 rounds;
        uint256 inPlay;
        uint256 board;
        uint256 state;
        bytes32 history;
    }

    // ---------------------------------------------------------------- errors

    /// @notice A time is zero or too long, the least stake zero or too large, or the pot too large.
    error BadTerms();

    /// @notice It is the NPC's turn.
    error NotWorldTurn();

    /// @notice The vote brings less than the game's least stake.
    error StakeTooSmall(uint256 leastStake);

    /// @notice More would be behind this move than can be counted, 2^96 wei.
    error StakeTooLarge();

    /// @notice Nobody has voted in this round; its end is a time-out.
    error NoVotes(uint256 ply);

    /// @notice There are votes in this round, so that it must be closed.
    error RoundHasVotes(uint256 ply);

    /// @notice There is nothing to claim for these votes, not yet or not any more.
    error NothingToClaim(uint256 gameId);

    // ---------------------------------------------------------------- events

    /// @notice A game began. `codeHash` is the verifier's at this moment. If the World plays Black, it is the NPC's turn.
    event GameOpened(
        uint256 indexed gameId,
        address indexed host,
        address indexed verifier,
        bytes32 modelId,
        bytes32 codeHash,
        bool worldIsWhite,
        uint256 pot,
        uint256 window,
        uint256 moveTime,
        uint256 leastStake,
        uint256 deadline
    );

    /// @notice Somebody staked `amount` on a move for the half-move number `ply`. `weight` is now behind that move, and
    /// the window is open until `closes`.
    event Voted(
        uint256 indexed gameId,
        uint256 indexed ply,
        address indexed account,
        uint256 move,
        uint256 amount,
        uint256 weight,
        uint256 closes
    );

    /// @notice The World made the half-move number `ply`, with `weight` behind it. `board` and `state` are the position
    /// after it, seen from the NPC, whose answer at ply + 1 is due by `deadline`.
    event WorldMoved(
        uint256 indexed gameId,
        uint256 ply,
        uint256 move,
        uint256 weight,
        uint256 board,
        uint256 state,
        uint256 deadline
    );

    /// @notice An account's stakes and shares have been credited to it.
    event Claimed(uint256 indexed gameId, address indexed account, uint256 amount);

    // ---------------------------------------------------------------- storage

    /// @notice How many games there have been; the last one's number, as they count from 1.
    uint256 public gameCount;

    mapping(uint256 gameId => Game) private _games;
    mapping(uint256 gameId => mapping(uint256 ply => mapping(uint256 move => Choice))) private _choices;

    // ---------------------------------------------------------------- playing

    /// @notice Opens a game. The value sent is the pot, possibly nothing.
    function openGame(Terms calldata terms) external payable returns (uint256 gameId) {
        if (
            terms.window == 0 || terms.window > GameWord.MAX_MOVE_TIME || terms.moveTime == 0
                || terms.moveTime > GameWord.MAX_MOVE_TIME || terms.leastStake == 0
                || terms.leastStake > type(uint96).max || msg.value > type(uint96).max
        ) revert BadTerms();
        if (!VerifierCall.verifies(terms.verifier, terms.modelId)) revert NotAVerifier(terms.verifier);
        gameId = ++gameCount;
        uint256 word = GameWord.create(terms.verifier, terms.moveTime, !terms.worldIsWhite);
        if (terms.worldIsWhite) word = word.withDeadline(block.timestamp + terms.window);
        Game storage g = _games[gameId];
        g.position = _created(word);
        g.leastStake = uint96(terms.leastStake);
        g.window = uint24(terms.window);
        g.host = msg.sender;
        g.pot = uint96(msg.value);
        g.modelId = terms.modelId;
        _emitOpened(gameId, terms, word.deadline());
    }

    /// @notice Stakes the value sent on a move. Anyone may, as often as they like, until the window's last second.
    /// @param ply The half-move's number, counted from 0, so that a late vote can't become one for another move.
    /// @param move The move, by absolute squares; must be legal.
    function vote(uint256 gameId, uint256 ply, uint256 move) external payable {
        Game storage g = _games[gameId];
        uint256 word = g.position.word;
        _checkTurn(gameId, word, ply);
        if (!word.humanToMove()) revert NotWorldTurn();
        if (msg.value < g.leastStake) revert StakeTooSmall(g.leastStake);

        Choice storage c = _choices[gameId][ply][move];
        uint256 weight = c.weight;
        // What has a vote has been found legal.
        if (weight == 0 && !Moves.legal(g.position.board, word.state(), MoveCode.flipped(move, ply))) {
            revert IllegalMove(move);
        }
        weight += msg.value;
        if (weight > type(uint96).max) revert StakeTooLarge();
        uint256 before = c.stakeOf[msg.sender];
        c.stakeOf[msg.sender] = before + msg.value;
        c.weight = uint96(weight);
        // Each voter has brought a wei or more, so that there are fewer than 2^96; the count is for people.
        if (before == 0 && c.voters != type(uint32).max) ++c.voters;

        uint256 closes = _lead(g, word, ply, move, weight);
        emit Voted(gameId, ply, msg.sender, move, msg.value, weight, closes);
    }

    /// @notice Ends a round whose window is over: plays the move with the most behind it. Anyone may call.
    /// @param ply The half-move's number.
    function closeRound(uint256 gameId, uint256 ply) external {
        Game storage g = _games[gameId];
        Position storage p = g.position;
        uint256 word = p.word;
        _checkPly(gameId, word, ply);
        if (!word.humanToMove()) revert NotWorldTurn();
        if (block.timestamp <= word.deadline()) revert TimeIsNotUp(word.deadline());
        if (!_hasVotes(g, ply)) revert NoVotes(ply);

        uint256 move = g.lead.move;
        uint256 weight = g.lead.weight;
        _choices[gameId][ply][move].played = true;
        // No game has 2^16 plies, as 75 moves without capture or pawn move end it.
        unchecked {
            ++g.rounds;
            g.inPlay += uint112(weight);
        }
        uint256 board;
        (board, word) = _playHuman(p, word, move);
        emit WorldMoved(gameId, ply, move, weight, board, word.state(), word.deadline());
        _checkSeventyFive(gameId, p, word, board);
    }

    // ---------------------------------------------------------------- money

    /// @notice Credits to the caller what its votes bring: stakes on moves that weren't played once their round is over,
    /// all else once the game is.
    /// @param votes The moves that the caller voted for. Those that bring nothing now do no harm.
    function claim(uint256 gameId, Vote[] calldata votes) external returns (uint256 amount) {
        Game storage g = _games[gameId];
        for (uint256 i; i < votes.length; ++i) {
            Choice storage c = _choices[gameId][votes[i].ply][votes[i].move];
            uint256 due = _due(g, c, votes[i].ply, msg.sender);
            if (due == 0) continue;
            c.stakeOf[msg.sender] = 0;
            amount += due;
        }
        if (amount == 0) revert NothingToClaim(gameId);
        _credit(msg.sender, amount);
        emit Claimed(gameId, msg.sender, amount);
    }

    // ---------------------------------------------------------------- views

    /// @notice A game.
    function game(uint256 gameId) external view returns (GameView memory v) {
        (v.board, v.state) = _existing(gameId);
        uint256 word = v.state;
        Game storage g = _games[gameId];
        v.host = g.host;
        v.verifier = word.verifier();
        v.modelId = g.modelId;
        v.pot = g.pot;
        v.leastStake = g.leastStake;
        v.window = g.window;
        v.moveTime = word.moveTime();
        v.deadline = word.deadline();
        v.ply = word.ply();
        v.worldIsWhite = word.humanIsWhite();
        v.worldToMove = word.humanToMove();
        v.outcome = word.outcome();
        v.reason = word.reason();
        v.rounds = g.rounds;
        v.inPlay = g.inPlay;
        v.state = word.state();
        v.history = g.position.history;
        bool open = v.worldToMove && v.outcome == Outcome.Running;
        if (open) v.limit = v.deadline + v.window;
        if (open && _hasVotes(g, v.ply)) {
            (v.leader, v.leaderWeight, v.limit) = (g.lead.move, g.lead.weight, g.lead.limit);
        }
    }

    /// @notice What is behind moves in a round: the stakes in wei, and how many accounts voted.
    function tally(uint256 gameId, uint256 ply, uint256[] calldata moves)
        external
        view
        returns (uint256[] memory weights, uint256[] memory voters)
    {
        weights = new uint256[](moves.length);
        voters = new uint256[](moves.length);
        for (uint256 i; i < moves.length; ++i) {
            Choice storage c = _choices[gameId][ply][moves[i]];
            (weights[i], voters[i]) = (c.weight, c.voters);
        }
    }

    /// @notice What an account staked on a move and hasn't claimed, in wei, and whether the move was played.
    function stakeOf(uint256 gameId, uint256 ply, uint256 move, address account)
        external
        view
        returns (uint256 stake, bool played)
    {
        Choice storage c = _choices[gameId][ply][move];
        return (c.stakeOf[account], c.played);
    }

    /// @notice What `claim` would bring an account for a vote now, in wei.
    function dueOf(uint256 gameId, uint256 ply, uint256 move, address account) external view returns (uint256) {
        return _due(_games[gameId], _choices[gameId][ply][move], ply, account);
    }

    // ---------------------------------------------------------------- inner functions

    /// @dev Keeps the leader, given what is behind a move now, and puts the window's end off if the leader changes late.
    function _lead(Game storage g, uint256 word, uint256 ply, uint256 move, uint256 weight)
        private
        returns (uint256 closes)
    {
        closes = word.deadline();
        Lead memory lead = g.lead;
        if (lead.ply != ply || lead.weight == 0) {
            lead = Lead(uint16(ply), 0, 0, uint40(closes + g.window));
        } else if (weight <= lead.weight) {
            return closes;
        }
        bool changes = lead.move != move;
        lead.move = uint16(move);
        lead.weight = uint96(weight);
        g.lead = lead;
        if (!changes) return closes;
        uint256 least = block.timestamp + (uint256(g.window) + LAST_CALL - 1) / LAST_CALL;
        if (least > lead.limit) least = lead.limit;
        if (least > closes) {
            closes = least;
            g.position.word = word.withDeadline(closes);
        }
    }

    /// @dev What a vote brings an account now.
    function _due(Game storage g, Choice storage c, uint256 ply, address account) private view returns (uint256) {
        uint256 stake = c.stakeOf[account];
        if (stake == 0) return 0;
        uint256 word = g.position.word;
        Outcome outcome = word.outcome();
        if (!c.played) return outcome != Outcome.Running || word.ply() > ply ? stake : 0;
        if (outcome == Outcome.Draw) return stake;
        if (outcome != Outcome.HumanWon) return 0;
        return stake + uint256(g.pot) * stake / (uint256(g.rounds) * c.weight);
    }

    /// @dev Whether anybody has voted for the half-move number `ply`.
    function _hasVotes(Game storage g, uint256 ply) private view returns (bool) {
        return g.lead.ply == ply && g.lead.weight != 0;
    }

    function _emitOpened(uint256 gameId, Terms calldata terms, uint256 deadline) private {
        emit GameOpened(
            gameId,
            msg.sender,
            terms.verifier,
            terms.modelId,
            terms.verifier.codehash,
            terms.worldIsWhite,
            msg.value,
            terms.window,
            terms.moveTime,
            terms.leastStake,
            deadline
        );
    }

    /// @dev Anyone may claim a draw, while the side to move has time.
    function _checkClaim(uint256, uint256 word) internal view override {
        if (block.timestamp > word.deadline()) revert TimeIsUp(word.deadline());
    }

    /// @dev A World that has voted has not run out of time: its round waits to be closed.
    function _checkTimeout(uint256 gameId, uint256 word) internal view override {
        if (word.humanToMove() && _hasVotes(_games[gameId], word.ply())) revert RoundHasVotes(word.ply());
    }

    /// @dev Opens the next window.
    function _humanToMove(uint256 gameId, uint256 word, uint256 nextState) internal view override returns (uint256) {
        return word.afterMove(nextState, _games[gameId].window);
    }

    function _position(uint256 gameId) internal view override returns (Position storage) {
        return _games[gameId].position;
    }

    /// @dev Credits the host; voters claim. The pot stays for them if the World wins with a move of its own.
    function _settled(uint256 gameId, Outcome outcome) internal override {
        Game storage g = _games[gameId];
        uint256 amount = g.pot;
        if (outcome == Outcome.NpcWon) amount += g.inPlay;
        if (amount != 0 && (outcome != Outcome.HumanWon || g.rounds == 0)) _credit(g.host, amount);
    }
}
