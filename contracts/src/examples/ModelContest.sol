// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Balances} from "../Balances.sol";
import {IInferenceConsumer} from "../oracle/IInferenceConsumer.sol";
import {InferenceOracle} from "../oracle/InferenceOracle.sol";
import {Schema, Tensor} from "../oracle/Schema.sol";
import {IArchitecture, ModelAccount} from "./ModelAccount.sol";

/// @title Contests between private models on a test set that nobody has seen
/// @notice An organiser commits to a test set and puts up a prize. Contestants register commitments to their models'
/// weights. Then the organiser reveals the test set, each contestant proves what its model answers to it, and the
/// contract counts the right answers. Weights stay secret. The best model takes the prize; of equals the first entered.
/// @dev An example of a user of `InferenceOracle`. There is no owner and no switch.
///
/// How the parts hold together. All models of a contest have one architecture, whose verifier takes commitments to
/// weights from the end of the code of the account that runs it. The contest itself makes that account, so that a
/// contestant chooses the commitments alone, and registers it with the oracle. A proof shows what the function behind
/// the commitments answers; that function was fixed before the test set was known, and the labels are no input of it.
/// Answers are counted here and not in the circuit: there a private model's weights would be free to count as well.
///
/// Phases. Entries until `entriesUntil`; the reveal after that, until `revealUntil`; proofs for `provingTime` seconds
/// from the reveal. A contestant asks the oracle by `ask`, makes the proof for this contract as the submitter, and hands
/// it in by `prove`: nobody else's proof or answer counts.
///
/// Dangers. Before you enter you must look at the architecture's code: it decides which proofs are good. An organiser
/// knows the test set: it can enter a model of its own that has learnt it, give it to a friend, or choose rows that say
/// little; it only ever gives its own prize away. Nor can the contest know which schemas an architecture takes: compare
/// them before you enter; where they can't match nobody can prove anything, and the prize goes back to the organiser.
/// On few rows the best of many bad models looks good: who enters a hundred has a hundred tries. Answers to the test set are public, and say a little about the weights. A test set must
/// be salted with 32 random bytes, or it can be guessed from its hash.
///
/// Threats: who could gain by what, and the test in test/Contest*.t.sol that tries it.
///   a contestant enters a verifier that says yes to everything             test_theContestMakesTheVerifier
///   a contestant enters after it has seen the test set                     test_noEntryAfterTheDeadline
///   an organiser reveals before the entries are in, for a friend           test_noRevealBeforeTheDeadline
///   an organiser reveals another test set than it committed to             test_onlyTheCommittedTestSet
///   an organiser reveals nothing, when it doesn't like the entries         test_whoDoesNotRevealLosesThePrize
///   an organiser takes the prize back                                      test_prizeStaysUntilTheEnd
///   a copier enters another's commitments, before or after it              test_copiedCommitmentsAreWorthless
///   a copier hands in another's proof out of the mempool                   test_copiedProofIsRefused
///   a prover that serves everybody answers a copier's request              test_answersFromElsewhereDoNotCount
///   somebody answers an owner's request, or has it delivered again,        test_answersFromElsewhereDoNotCount
///     to spoil or to repeat it
///   a contestant hands in answers without a proof, or to other rows        test_answersMustBeProven
///   a contestant proves twice, or after the end                            test_oneScoreInTime
///   a contestant with the winner's score enters later                      test_tiesGoToTheFirst
///   an organiser names schemas that no proof can match                     test_schemasThatTheArchitectureDoesNotTakeScoreNobody
///   an organiser names schemas or rows that are none                       test_schemasThatAreNoneCannotBeEntered,
///                                                                          test_rowsThatAreNoneCannotBeRevealed
///   an oracle takes an answer and tells nobody                             test_anAnswerWithoutACallIsNoScore
///   a winner that refuses payment, or calls back while it is paid          test_winnerThatReenters
contract ModelContest is Balances, IInferenceConsumer {
    // ---------------------------------------------------------------- constants

    /// @notice The longest time until the reveal, and for proofs after it: no prize is locked for longer.
    uint256 public constant MAX_TIME = 365 days;

    /// @notice The most rows of a test set, and the most bits of an answer.
    uint256 public constant MAX_ROWS = 1024;
    uint256 public constant MAX_BITS = 8;

    /// @notice Gas for `onInference`.
    uint32 public constant CALLBACK_GAS = 600_000;

    // ---------------------------------------------------------------- types

    /// @notice What a contest is about.
    /// @param architecture The verifier of the architecture, an `IArchitecture`.
    /// @param codeHash The hash of its code, for contestants to compare with what they have made themselves.
    /// @param input The schema of the rows; `output` that of the answers, one for each row.
    /// @param testSet `keccak256(abi.encode(bytes32 salt, uint256[] input, uint256[] labels))`.
    /// @param entriesUntil The last second for entries.
    /// @param revealUntil The last second for the reveal.
    /// @param provingTime Seconds from the reveal in which proofs are taken.
    /// @param uri Where the rules and the training data are.
    struct Terms {
        address architecture;
        bytes32 codeHash;
        Tensor input;
        Tensor output;
        bytes32 testSet;
        uint64 entriesUntil;
        uint64 revealUntil;
        uint64 provingTime;
        string uri;
    }

    /// @notice A contest as stored.
    /// @param provingUntil The last second for proofs; 0 before the reveal.
    /// @param leader One more than the place of the best entry so far; 0 while there is none.
    struct Contest {
        Terms terms;
        address organiser;
        uint96 prize;
        uint64 provingUntil;
        uint32 leader;
        bool settled;
        bytes32 inputHash;
        uint256[] labels;
    }

    /// @notice An entry as stored.
    /// @param score One more than the number of right answers; 0 without a proof.
    struct Entry {
        address contestant;
        uint64 model;
        uint32 score;
        uint256 request;
    }

    // ---------------------------------------------------------------- errors

    /// @notice There is no such contest or entry.
    error NoSuchContest(uint256 contest);
    error NoSuchEntry(uint256 entry);

    /// @notice The terms contradict themselves, or the prize is too large.
    error BadTerms();

    /// @notice The architecture has other code than the terms say.
    error WrongArchitecture(bytes32 codeHash);

    /// @notice Commitments must have this many bytes.
    error WrongCommitments(uint256 bytes_);

    /// @notice This is for another phase.
    error WrongPhase();

    /// @notice It isn't the test set that was committed to.
    error WrongTestSet();

    /// @notice The entry is somebody else's.
    error NotYourEntry();

    /// @notice The entry has its score.
    error HasScore(uint256 score);

    /// @notice The entry must `ask` first.
    error NotAsked();

    /// @notice The caller isn't the oracle, or the answer wasn't handed in here.
    error NotExpected(uint256 id);

    /// @notice The oracle didn't call back.
    error NotCounted();

    // ---------------------------------------------------------------- events

    event Opened(
        uint256 indexed contest,
        address indexed organiser,
        address architecture,
        bytes32 architectureId,
        uint256 prize,
        Terms terms
    );
    event Entered(
        uint256 indexed contest,
        uint256 indexed entry,
        address indexed contestant,
        uint256 model,
        address verifier,
        bytes32 modelId
    );
    event Revealed(uint256 indexed contest, bytes32 salt, uint256[] input, uint256[] labels, uint256 provingUntil);
    event Asked(uint256 indexed contest, uint256 indexed entry, uint256 id);
    event Scored(uint256 indexed contest, uint256 indexed entry, uint256 right, uint256[] answers);

    /// @notice A contest ended. `winner` is zero if nobody took the prize alone.
    event Settled(uint256 indexed contest, address indexed winner, uint256 prize);

    // ---------------------------------------------------------------- storage

    InferenceOracle public immutable oracle;

    /// @notice How many contests there have been; the last one's number, as they count from 1.
    uint256 public contestCount;

    mapping(uint256 contest => Contest) private _contests;
    mapping(uint256 contest => Entry[]) private _entries;

    /// @dev The request whose answer is being handed in, its contest and its entry.
    uint256 private transient _answering;
    uint256 private transient _contest;
    uint256 private transient _entry;

    constructor(InferenceOracle oracle_) {
        oracle = oracle_;
    }

    // ---------------------------------------------------------------- contests

    /// @notice Opens a contest. The value sent is its prize.
    function open(Terms calldata terms) external payable returns (uint256 contest) {
        if (
            terms.entriesUntil <= block.timestamp || terms.revealUntil <= terms.entriesUntil || terms.provingTime == 0
                || terms.output.count == 0 || terms.output.count > MAX_ROWS || terms.output.bits == 0
                || terms.output.bits > MAX_BITS || msg.value > type(uint96).max || terms.provingTime > MAX_TIME
                || terms.revealUntil > block.timestamp + MAX_TIME
        ) revert BadTerms();
        _checkArchitecture(terms.architecture, terms.codeHash);
        contest = ++contestCount;
        Contest storage c = _contests[contest];
        c.terms = terms;
        c.organiser = msg.sender;
        c.prize = uint96(msg.value);
        bytes32 id = IArchitecture(terms.architecture).architectureId();
        emit Opened(contest, msg.sender, terms.architecture, id, msg.value, terms);
    }

    /// @notice Enters a model. The same one may be entered by others, who can't prove anything about it.
    /// @param commitments The commitments to its weights, as the model's owner publishes them.
    /// @return entry The entry's place in the contest, counted from 0.
    function enter(uint256 contest, bytes calldata commitments) external returns (uint256 entry) {
        Contest storage c = _existing(contest);
        Terms storage terms = c.terms;
        if (block.timestamp > terms.entriesUntil) revert WrongPhase();
        address architecture = terms.architecture;
        _checkArchitecture(architecture, terms.codeHash);
        uint256 expected = IArchitecture(architecture).commitmentBytes();
        if (commitments.length != expected) revert WrongCommitments(expected);
        address verifier = ModelAccount.deploy(architecture, commitments);
        bytes32 modelId = IArchitecture(verifier).modelId();
        uint256 model = oracle.register(verifier, modelId, _list(terms.input), _list(terms.output), terms.uri);
        entry = _entries[contest].length;
        _entries[contest].push(Entry(msg.sender, uint64(model), 0, 0));
        emit Entered(contest, entry, msg.sender, model, verifier, modelId);
    }

    /// @notice Reveals the test set. Anyone who knows it may call, so that the organiser can have it done.
    /// @param input The rows, packed; `labels` the right answers, packed alike.
    function reveal(uint256 contest, bytes32 salt, uint256[] calldata input, uint256[] calldata labels) external {
        Contest storage c = _existing(contest);
        Terms storage terms = c.terms;
        if (c.provingUntil != 0 || block.timestamp <= terms.entriesUntil || block.timestamp > terms.revealUntil) {
            revert WrongPhase();
        }
        if (keccak256(abi.encode(salt, input, labels)) != terms.testSet) revert WrongTestSet();
        // What doesn't fit the schemas can't be proven: such a test set is as good as none.
        Schema.check(_list(terms.input), input, 0);
        Schema.check(_list(terms.output), labels, 0);
        uint256 until = block.timestamp + terms.provingTime;
        c.provingUntil = uint64(until);
        c.inputHash = keccak256(abi.encodePacked(input));
        c.labels = labels;
        emit Revealed(contest, salt, input, labels, until);
    }

    // ---------------------------------------------------------------- proofs

    /// @notice Asks the oracle what the caller's model answers to the test set. It may be asked again, if an answer was
    /// given to the oracle directly.
    /// @return id The request that the proof must be for; its submitter is this contract.
    function ask(uint256 contest, uint256 entry, uint256[] calldata input) external returns (uint256 id) {
        (Contest storage c, Entry storage e) = _proving(contest, entry);
        if (keccak256(abi.encodePacked(input)) != c.inputHash) revert WrongTestSet();
        InferenceOracle.Callback memory callback = InferenceOracle.Callback(address(this), CALLBACK_GAS);
        id = oracle.request(e.model, input, callback, c.provingUntil);
        e.request = id;
        emit Asked(contest, entry, id);
    }

    /// @notice Hands in the caller's answers.
    /// @param answers The model's answers, packed.
    /// @param proof The proof for `oracle.instances(id, input, address(this))`, and then the answers.
    function prove(
        uint256 contest,
        uint256 entry,
        uint256[] calldata input,
        uint256[] calldata answers,
        bytes calldata proof
    ) external {
        (, Entry storage e) = _proving(contest, entry);
        uint256 id = e.request;
        if (id == 0) revert NotAsked();
        (_answering, _contest, _entry) = (id, contest, entry);
        oracle.answer(id, input, answers, proof);
        _answering = 0;
        if (e.score == 0) revert NotCounted();
    }

    /// @inheritdoc IInferenceConsumer
    /// @dev Only while `prove` hands in the answer to this very request.
    function onInference(uint256 id, uint256, uint256[] calldata output) external {
        if (msg.sender != address(oracle) || id == 0 || id != _answering) revert NotExpected(id);
        (uint256 contest, uint256 entry) = (_contest, _entry);
        Contest storage c = _contests[contest];
        uint256 right = _right(c, output);
        _entries[contest][entry].score = uint32(right + 1);
        uint256 leader = c.leader;
        uint256 best = leader == 0 ? 0 : _entries[contest][leader - 1].score;
        if (right + 1 > best || (right + 1 == best && entry < leader - 1)) c.leader = uint32(entry + 1);
        emit Scored(contest, entry, right, output);
    }

    // ---------------------------------------------------------------- the end

    /// @notice Ends a contest: credits the prize to the best entry's contestant; to the organiser if nobody proved
    /// anything or nobody entered; in equal parts to all entries if the test set wasn't revealed. Anyone may call.
    function settle(uint256 contest) external {
        Contest storage c = _existing(contest);
        Entry[] storage entries = _entries[contest];
        if (c.settled || block.timestamp <= (c.provingUntil == 0 ? c.terms.revealUntil : c.provingUntil)) {
            revert WrongPhase();
        }
        c.settled = true;
        (uint256 prize, uint256 count) = (c.prize, entries.length);
        address winner;
        if (c.leader != 0) {
            winner = entries[c.leader - 1].contestant;
        } else if (c.provingUntil != 0 || count == 0) {
            winner = c.organiser;
        }
        if (winner != address(0)) _credit(winner, prize);
        emit Settled(contest, c.leader == 0 ? address(0) : winner, prize);
    }

    /// @notice Credits an entry's part of a prize whose organiser didn't reveal. Anyone may call.
    function share(uint256 contest, uint256 entry) external {
        Contest storage c = _existing(contest);
        Entry storage e = _entryOf(contest, entry);
        // A score marks an entry that has been paid: without a reveal there are no others.
        if (!c.settled || c.provingUntil != 0 || e.score != 0) revert WrongPhase();
        e.score = 1;
        _credit(e.contestant, c.prize / _entries[contest].length);
    }

    // ---------------------------------------------------------------- views

    /// @notice A contest.
    function contestOf(uint256 contest) external view returns (Contest memory) {
        return _existing(contest);
    }

    /// @notice All entries of a contest, in the order in which they were made.
    function entriesOf(uint256 contest) external view returns (Entry[] memory) {
        return _entries[contest];
    }

    /// @notice The places of the entries with a score, the best first.
    function ranking(uint256 contest) external view returns (uint256[] memory places) {
        Entry[] memory entries = _entries[contest];
        places = new uint256[](entries.length);
        uint256 count;
        for (uint256 i; i < entries.length; ++i) {
            if (entries[i].score == 0) continue;
            uint256 at = count++;
            for (; at > 0 && entries[places[at - 1]].score < entries[i].score; --at) {
                places[at] = places[at - 1];
            }
            places[at] = i;
        }
        assembly ("memory-safe") {
            mstore(places, count)
        }
    }

    // ---------------------------------------------------------------- inner functions

    /// @dev The contest, if there is such a contest.
    function _existing(uint256 contest) private view returns (Contest storage c) {
        c = _contests[contest];
        if (c.organiser == address(0)) revert NoSuchContest(contest);
    }

    function _entryOf(uint256 contest, uint256 entry) private view returns (Entry storage) {
        if (entry >= _entries[contest].length) revert NoSuchEntry(entry);
        return _entries[contest][entry];
    }

    /// @dev The contest and the caller's entry, if proofs are taken now and it has no score.
    function _proving(uint256 contest, uint256 entry) private view returns (Contest storage c, Entry storage e) {
        c = _existing(contest);
        e = _entryOf(contest, entry);
        if (block.timestamp > c.provingUntil) revert WrongPhase();
        if (e.contestant != msg.sender) revert NotYourEntry();
        if (e.score != 0) revert HasScore(e.score - 1);
    }

    /// @dev Reverts unless this code is there and is no delegation of a key, whose holder could change it.
    function _checkArchitecture(address architecture, bytes32 codeHash) private view {
        bytes32 found = architecture.codehash;
        uint256 first;
        assembly ("memory-safe") {
            mstore(0, 0)
            extcodecopy(architecture, 0, 0, 1)
            first := byte(0, mload(0))
        }
        if (architecture.code.length == 0 || found != codeHash || first == 0xef) revert WrongArchitecture(found);
    }

    /// @dev How many answers are the labels'. The oracle has checked that the limbs fit the schema.
    function _right(Contest storage c, uint256[] calldata answers) private view returns (uint256 right) {
        uint256 bits = c.terms.output.bits;
        uint256 left = c.terms.output.count;
        uint256 mask = (1 << bits) - 1;
        for (uint256 i; i < answers.length; ++i) {
            uint256 differences = answers[i] ^ c.labels[i];
            uint256 here = 253 / bits < left ? 253 / bits : left;
            left -= here;
            for (uint256 k; k < here; ++k) {
                if (differences & mask == 0) ++right;
                differences >>= bits;
            }
        }
    }

    function _list(Tensor memory tensor) private pure returns (Tensor[] memory list) {
        list = new Tensor[](1);
        list[0] = tensor;
    }
}
