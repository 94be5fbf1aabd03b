// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Request} from "../Request.sol";
import {VerifierCall} from "../VerifierCall.sol";
import {Features} from "./Features.sol";
import {Record} from "./Record.sol";

/// @title A guard that delays large withdrawals, and pauses on a model's proven word
/// @notice Keeps a record of what each account brings in and takes out. A withdrawal that is large for the vault is
/// delayed in escrow. A proof of the committed fraud model on the account's own record then releases it, or pauses
/// the vault; without a proof it is released when its time has come.
/// @dev The spirit of ERC-7265: nothing is taken from anybody, it only takes longer. The model's input is packed from
/// storage when the withdrawal is flagged, and stored: neither account, prover nor daemon chooses a digit of it.
///
/// An incident: Delayed -> Released (score below `releaseBelow`) or Held (score from `pauseAt`), and Claimed. A score
/// in between changes nothing and reverts: such a withdrawal waits for its time. A delayed one may be claimed from
/// `releaseAt`, a held one `pause` + `delay` after the judgement, so that all others can leave before it does.
/// A held account may ask again on its later record (`appeal`); a low score then releases it, and ends the pause if
/// that incident began it.
///
/// Governance can end a pause early, and nothing else: it can't pause, prolong, release, seize, or change a term. A
/// wrong end of a pause costs what a pause that ran out costs, so it needs no trust beyond that; a governance that
/// is lost or captured locks nobody's money. The zero address means none.
///
/// Dangers. A model errs: honest accounts will be held, for `pause` + `delay` at most. An account that got its
/// shares by transfer has no record, and is judged on the withdrawal alone. Whoever has the capital for a flagged
/// withdrawal can behave like a fraud to pause the vault: a pause lasts `pause`, and no other begins within `grace`
/// after it, which bounds the share of time. Who can compute a public model can look for behaviour that slips under
/// it; a private model's weights are hidden. The limiter lets `windowBps` of the assets go in small withdrawals, and
/// whoever moves that much makes others' small withdrawals be delayed. You must look at the verifier's code, as with
/// every verifier; call `_in` and `_out` only for what an account did itself; and not use a token whose balances
/// change by themselves.
///
/// Threats
/// | who gains by what | stopped by | test |
/// |---|---|---|
/// | a thief: features of its choice | limbs are packed and stored when flagged | `GuardJudge.test_featuresStayAsTheyWere` |
/// | anyone: dust to or for another account spoils its record | only its own and accepted calls count | `GuardGrief` |
/// | a prover: a stolen proof, or one of another round or incident | the request binds sender, round, incident | `GuardJudge.test_proofsAreForOneSender` |
/// | a thief: `appeal` so that the proof under way is stale | only held incidents appeal, once in `delay` | `GuardPause.test_appealsCantDodge` |
/// | a thief: many incidents, a pause without end | a pause can't be prolonged; `grace` after it | `GuardPause.test_pausesHaveGaps` |
/// | a thief: claims during the pause, or claims twice | status and pause are checked, effects first | `GuardPause.test_nothingLeavesDuringAPause` |
/// | governance: anything but the end of a pause | there is no other function | `GuardPause.test_governanceOnlyEndsPauses` |
/// | a thief: slices below the single limit | the leaking bucket | `GuardFlag.test_slicesFillTheBucket` |
/// | a verifier that is gone or another | code and model id are checked at each judgement | `GuardJudge.test_verifierMustStay` |
abstract contract FraudGuard {
    // ---------------------------------------------------------------- types

    /// @notice What a guard is made with. Nothing of it ever changes.
    /// @param verifier The model's verifier; must have code and return `modelId`.
    /// @param governance Who may end a pause; zero for nobody.
    /// @param delay Seconds that a flagged withdrawal waits at most, if no proof comes.
    /// @param pause Seconds that a pause lasts.
    /// @param grace Seconds after a pause in which no other begins.
    /// @param window Seconds in which the full bucket leaks empty.
    /// @param singleBps A withdrawal of more than this share of all assets is flagged, in 1/10,000.
    /// @param windowBps So is one that doesn't fit into a bucket of this share.
    /// @param numerator, denominator A record's units are assets * numerator / denominator. The model of
    /// `models/fraud` takes a unit as a millionth of an ether: 1 and 10^12 for wrapped ether.
    /// @param releaseBelow Scores below this release.
    /// @param pauseAt Scores from this pause.
    struct Terms {
        address verifier;
        bytes32 modelId;
        address governance;
        uint32 delay;
        uint32 pause;
        uint32 grace;
        uint32 window;
        uint16 singleBps;
        uint16 windowBps;
        uint64 numerator;
        uint64 denominator;
        uint32 releaseBelow;
        uint32 pauseAt;
    }

    /// @notice What became of a flagged withdrawal.
    enum Status {
        None,
        Delayed,
        Released,
        Held,
        Claimed
    }

    /// @notice A flagged withdrawal. Times are seconds since 1970.
    struct Incident {
        address account;
        uint96 assets;
        address receiver;
        uint40 releaseAt;
        uint32 askedAt;
        uint8 round;
        bool large;
        Status status;
        uint256[2] features;
    }

    // ---------------------------------------------------------------- errors

    /// @notice A term is out of its range.
    error BadTerms();

    /// @notice The address has no code of its own, or it doesn't verify this model.
    error NotAVerifier(address verifier);

    /// @notice Nothing leaves before this time, unless the pause is ended early.
    error Paused(uint256 until);

    /// @notice There is no pause to end.
    error NotPaused();

    /// @notice The incident isn't in a state that allows this.
    error WrongStatus(uint256 incident, Status status);

    /// @notice The proof is for another round than the incident's.
    error WrongRound(uint256 round);

    /// @notice The score neither releases nor pauses: the withdrawal goes on waiting.
    error Inconclusive(uint256 score);

    /// @notice The verifier didn't say yes.
    error ProofRejected();

    /// @notice Not before this time.
    error TooEarly(uint256 time);

    /// @notice The caller may not do this.
    error NotAllowed();

    /// @notice An amount is too large for its field.
    error TooLarge(uint256 amount);

    // ---------------------------------------------------------------- events

    /// @notice A withdrawal was delayed, or its account asks again. `features` are the limbs that a proof is about.
    event Flagged(
        uint256 indexed incident, uint64 round, address indexed account, uint256[] features, uint64 releaseAt
    );

    /// @notice A proof decided: released, or held if `paused`.
    /// @dev A held one also pauses the vault if it was large by itself, unless a pause runs or ended less than `grace` ago:
    /// see `PauseBegan`.
    event Judged(uint256 indexed incident, uint64 round, uint256 score, bool paused);

    /// @notice The vault is paused.
    event PauseBegan(uint256 indexed incident, uint64 until);

    /// @notice The pause was ended early, by governance or by a release on appeal.
    event PauseEnded(address indexed by);

    /// @notice Whether `payer`'s deposits for `account` count as `account`'s own.
    event PayerSet(address indexed account, address indexed payer, bool accepted);

    // ---------------------------------------------------------------- storage

    /// @notice See `Terms`.
    address public immutable verifier;
    bytes32 public immutable modelId;
    address public immutable governance;
    uint256 public immutable delay;
    uint256 public immutable pause;
    uint256 public immutable grace;
    uint256 public immutable window;
    uint256 public immutable singleBps;
    uint256 public immutable windowBps;
    uint256 public immutable numerator;
    uint256 public immutable denominator;
    uint256 public immutable releaseBelow;
    uint256 public immutable pauseAt;

    /// @dev One word: the bucket's level in assets, the time of that level, the last pause's end and its incident.
    uint96 private _level;
    uint40 private _levelAt;
    uint40 private _pausedUntil;
    uint80 private _pauser;

    /// @notice How many withdrawals were flagged; the last one's number, as they count from 1.
    uint256 public incidentCount;

    /// @notice Whose deposits for an account count as its own.
    mapping(address account => mapping(address payer => bool)) public payers;

    mapping(address account => uint256[2]) private _records;
    mapping(uint256 incident => Incident) private _incidents;

    // ---------------------------------------------------------------- making

    constructor(Terms memory t) {
        if (
            t.delay == 0 || t.pause == 0 || t.window == 0 || t.singleBps > 10_000 || t.windowBps > 10_000
                || t.numerator == 0 || t.denominator == 0 || t.releaseBelow > t.pauseAt
        ) revert BadTerms();
        if (!VerifierCall.verifies(t.verifier, t.modelId)) revert NotAVerifier(t.verifier);
        verifier = t.verifier;
        modelId = t.modelId;
        governance = t.governance;
        delay = t.delay;
        pause = t.pause;
        grace = t.grace;
        window = t.window;
        singleBps = t.singleBps;
        windowBps = t.windowBps;
        numerator = t.numerator;
        denominator = t.denominator;
        releaseBelow = t.releaseBelow;
        pauseAt = t.pauseAt;
    }

    // ---------------------------------------------------------------- accounts

    /// @notice Says whether `payer`'s deposits for the caller count in the caller's record.
    /// @dev Without this nobody's deposit for somebody else counts: dust would spoil a record.
    function setPayer(address payer, bool accepted) external {
        payers[msg.sender][payer] = accepted;
        emit PayerSet(msg.sender, payer, accepted);
    }

    /// @notice Asks for another judgement of a held withdrawal, on the account's record as it is now.
    /// @dev Only its account, once in `delay`, and only when a proof has held it: a withdrawal that still waits for
    /// its first proof can't make that proof stale.
    function appeal(uint256 incident) external {
        Incident storage i = _incidents[incident];
        if (i.account != msg.sender) revert NotAllowed();
        if (i.status != Status.Held) revert WrongStatus(incident, i.status);
        uint256 next = uint256(i.askedAt) + delay;
        if (block.timestamp < next) revert TooEarly(next);
        i.askedAt = uint32(block.timestamp);
        i.round += 1;
        _snapshot(incident, i);
    }

    // ---------------------------------------------------------------- judgement

    /// @notice Takes the model's proven score of an incident. Anyone may call, with a proof made for this caller.
    /// @param round The round that `Flagged` told; each appeal is another one.
    /// @param score The model's output.
    /// @param proof The proof for the instances that `instances(incident, msg.sender)` shows, and the score.
    function judge(uint256 incident, uint64 round, uint256 score, bytes calldata proof) external {
        Incident storage i = _incidents[incident];
        Status status = i.status;
        if (status != Status.Delayed && status != Status.Held) revert WrongStatus(incident, status);
        if (round != i.round) revert WrongRound(i.round);
        bool low = score < releaseBelow;
        if (!low && (score < pauseAt || status == Status.Held || score > type(uint32).max)) revert Inconclusive(score);
        if (!VerifierCall.verifies(verifier, modelId)) revert NotAVerifier(verifier);
        if (!VerifierCall.accepts(verifier, proof, _instances(incident, i, msg.sender, score, Features.LIMBS + 3))) {
            revert ProofRejected();
        }
        emit Judged(incident, round, score, !low);
        if (low) {
            i.status = Status.Released;
            if (_pauser == incident && block.timestamp < _pausedUntil) _endPause();
        } else {
            i.status = Status.Held;
            i.releaseAt = uint40(block.timestamp + pause + delay);
            // Dust that only found the bucket full must not pause: filling it takes no capital that is kept for a block.
            if (i.large && (block.timestamp >= uint256(_pausedUntil) + grace || _pausedUntil == 0)) {
                _pausedUntil = uint40(block.timestamp + pause);
                _pauser = uint80(incident);
                emit PauseBegan(incident, _pausedUntil);
            }
        }
    }

    /// @notice Ends the pause early. Only governance.
    function endPause() external {
        if (msg.sender != governance) revert NotAllowed();
        if (block.timestamp >= _pausedUntil) revert NotPaused();
        _endPause();
    }

    // ---------------------------------------------------------------- views

    /// @notice The instances that `judge`, called by `submitter` now, gives the verifier, without the score.
    function instances(uint256 incident, address submitter) external view returns (uint256[] memory) {
        Incident storage i = _incidents[incident];
        if (i.status == Status.None) revert WrongStatus(incident, Status.None);
        return _instances(incident, i, submitter, 0, Features.LIMBS + 2);
    }

    /// @notice A flagged withdrawal.
    function incidents(uint256 incident) external view returns (Incident memory) {
        return _incidents[incident];
    }

    /// @notice The limbs of an account's record as it is now.
    function featuresOf(address account) external view returns (uint256[] memory limbs) {
        limbs = new uint256[](Features.LIMBS);
        (limbs[0], limbs[1]) = Features.pack(_records[account][0], _records[account][1]);
    }

    /// @notice An account's two words, see `Record`.
    function recordOf(address account) external view returns (uint256 received, uint256 sent) {
        return (_records[account][0], _records[account][1]);
    }

    /// @notice When the last pause ends or ended, and which incident began it; 0 if there was none.
    function paused() external view returns (bool now_, uint256 until, uint256 incident) {
        return (block.timestamp < _pausedUntil, _pausedUntil, _pauser);
    }

    /// @notice Whether a withdrawal of so many of `all` assets would be flagged now.
    function wouldFlag(uint256 assets, uint256 all) public view returns (bool flagged) {
        (flagged,,) = _limit(assets, all);
    }

    // ---------------------------------------------------------------- for the vault

    /// @dev Counts `assets` that `payer` brought for `account`, if the account did so itself or accepts the payer.
    function _in(address account, address payer, uint256 assets) internal virtual {
        if (assets == 0 || (payer != account && !payers[account][payer])) return;
        uint256[2] storage r = _records[account];
        r[0] = Record.added(r[0], _units(assets), payer, block.timestamp);
    }

    /// @dev Counts `assets` that leave `account`, and takes them from the bucket. If it returns an incident, the
    /// assets must stay until `_claimed` gives them out.
    /// @param all The vault's assets before the withdrawal.
    function _out(address account, address receiver, uint256 assets, uint256 all)
        internal
        virtual
        returns (uint256 incident)
    {
        _requireRunning();
        uint256[2] storage r = _records[account];
        r[1] = Record.added(r[1], _units(assets), receiver, block.timestamp);
        (bool flagged, bool large, uint256 level) = _limit(assets, all);
        if (!flagged) {
            (_level, _levelAt) = (uint96(level), uint40(block.timestamp));
            return 0;
        }
        if (assets > type(uint96).max) revert TooLarge(assets);
        incident = ++incidentCount;
        Incident storage i = _incidents[incident];
        (i.account, i.assets) = (account, uint96(assets));
        (i.receiver, i.releaseAt, i.askedAt, i.large, i.status) =
        (receiver, uint40(block.timestamp + delay), uint32(block.timestamp), large, Status.Delayed);
        _snapshot(incident, i);
    }

    /// @dev Marks an incident as claimed, and says to whom its assets must go now.
    function _claimed(uint256 incident) internal returns (address receiver, uint256 assets) {
        _requireRunning();
        Incident storage i = _incidents[incident];
        Status status = i.status;
        if (status == Status.Delayed || status == Status.Held) {
            if (block.timestamp < i.releaseAt) revert TooEarly(i.releaseAt);
        } else if (status != Status.Released) {
            revert WrongStatus(incident, status);
        }
        i.status = Status.Claimed;
        return (i.receiver, i.assets);
    }

    function _running() internal view returns (bool) {
        return block.timestamp >= _pausedUntil;
    }

    function _requireRunning() internal view {
        if (block.timestamp < _pausedUntil) revert Paused(_pausedUntil);
    }

    // ---------------------------------------------------------------- inner functions

    function _endPause() private {
        _pausedUntil = uint40(block.timestamp);
        emit PauseEnded(msg.sender);
    }

    /// @dev Whether a withdrawal is flagged, whether for its own size, and the bucket's level after it if it isn't.
    function _limit(uint256 assets, uint256 all) private view returns (bool flagged, bool large, uint256 level) {
        uint256 size = all * windowBps / 10_000;
        uint256 leaked = size * (block.timestamp - _levelAt) / window;
        level = _level;
        level = (level > leaked ? level - leaked : 0) + assets;
        large = assets * 10_000 > all * singleBps;
        flagged = large || level > size || level > type(uint96).max;
    }

    function _units(uint256 assets) private view returns (uint256) {
        if (assets > type(uint128).max) revert TooLarge(assets);
        return assets * numerator / denominator;
    }

    /// @dev Stores the features of the incident's account, and tells them.
    function _snapshot(uint256 incident, Incident storage i) private {
        uint256[] memory limbs = new uint256[](Features.LIMBS);
        uint256[2] storage r = _records[i.account];
        (limbs[0], limbs[1]) = Features.pack(r[0], r[1]);
        (i.features[0], i.features[1]) = (limbs[0], limbs[1]);
        emit Flagged(incident, i.round, i.account, limbs, i.releaseAt);
    }

    /// @dev Request, features, and the score if there is a fifth.
    function _instances(uint256 incident, Incident storage i, address submitter, uint256 score, uint256 count)
        private
        view
        returns (uint256[] memory list)
    {
        list = new uint256[](count);
        Request.put(list, Request.hash(address(this), incident, i.round, submitter));
        (list[2], list[3]) = (i.features[0], i.features[1]);
        if (count == Features.LIMBS + 3) list[4] = score;
    }
}
