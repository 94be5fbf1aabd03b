// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Request} from "../Request.sol";
import {VerifierCall} from "../VerifierCall.sol";
import {Bulletins} from "./Bulletins.sol";
import {Bulletin, Market, Status, Terms} from "./Terms.sol";

/// @title Questions that a signed bulletin and a proof decide
/// @notice What `PredictionMarket` and `ConditionalTokensAdapter` have in common: a market has terms, and is decided
/// once by the class that the terms' model proves for the bulletin's very bytes, or undecided after its deadline.
/// @dev There is no owner and no switch. The proof's instances are the request (this contract, the market's number,
/// round 0, the submitter), eight limbs of text, the class and the margin. From signature to decision nobody is trusted
/// but the publisher and the verifier's code.
///
/// Dangers. A publisher that signs two bulletins with one number, or signs a false one, decides as it likes. A model
/// can misread a text: set `minMargin` and `noResult`. The close must come before anybody can know the outcome. Before
/// you bet you must look at the verifier's code, as one that is a proxy can change.
abstract contract BulletinMarket {
    // ---------------------------------------------------------------- constants

    /// @notice The most classes.
    uint256 public constant MAX_CLASSES = 16;

    /// @notice `noResult` of a market in which each class is an outcome.
    uint256 public constant NO_CLASS = 255;

    /// @notice How many seconds a publisher's clock may be ahead of the chain's.
    uint256 public constant CLOCK_SKEW = 60;

    /// @notice The most bytes in a question.
    uint256 public constant MAX_QUESTION = 1024;

    /// @dev Two limbs of request, eight of text, class and margin.
    uint256 private constant INSTANCES = 12;

    // ---------------------------------------------------------------- errors

    /// @notice The terms make no market: no publisher, a close that isn't in the future, a deadline that isn't after
    /// it, fewer than two outcomes, too many classes, no such class as `noResult`, or too long a question.
    error BadTerms();

    /// @notice The address has no code of its own, it doesn't verify this model, or its code isn't what it was.
    error NotAVerifier(address verifier);

    /// @notice There is no market with this number.
    error NoSuchMarket(uint256 market);

    /// @notice The market is decided, or undecided for good.
    error NotOpen(uint256 market, Status status);

    /// @notice The market hasn't closed yet.
    error NotClosed(uint256 close);

    /// @notice The deadline has passed.
    error DeadlinePassed(uint256 deadline);

    /// @notice The deadline hasn't passed yet.
    error DeadlineNotPassed(uint256 deadline);

    /// @notice The bulletin is from before the close.
    error BulletinTooEarly(uint256 timestamp, uint256 close);

    /// @notice The bulletin is from more than `CLOCK_SKEW` seconds ahead of now.
    error BulletinFromTheFuture(uint256 timestamp, uint256 now_);

    /// @notice Somebody else signed this, or the publisher signed another text, time, number or feed.
    error WrongPublisher(address signer, address publisher);

    /// @notice The model has no such class, by the terms.
    error NoSuchClass(uint256 class, uint256 classes);

    /// @notice The margin is less than the terms ask for. The market stays open.
    error MarginTooLow(uint256 margin, uint256 minMargin);

    /// @notice The margin has more than 64 bits.
    error MarginTooLarge(uint256 margin);

    /// @notice The verifier didn't say yes.
    error ProofRejected();

    // ---------------------------------------------------------------- events

    /// @notice A market opened.
    event MarketOpened(
        uint256 indexed market,
        bytes32 indexed feedId,
        address indexed publisher,
        uint64 sequence,
        uint64 close,
        uint64 deadline,
        address verifier,
        bytes32 modelId,
        uint32 minMargin,
        uint8 classes,
        uint8 noResult,
        string question
    );

    /// @notice A bulletin decided the market. `class` may be the one that decides nothing.
    event Resolved(uint256 indexed market, uint8 class, uint256 margin, bytes32 textHash);

    /// @notice Nothing decided the market before its deadline.
    event Undecided(uint256 indexed market);

    // ---------------------------------------------------------------- storage

    /// @notice How many markets there have been; the last one's number, as they count from 1.
    uint256 public marketCount;

    mapping(uint256 market => Market) internal _markets;

    // ---------------------------------------------------------------- functions

    /// @notice Decides a market by a bulletin. Anyone may call, with a proof made for this caller.
    /// @param bulletin The bulletin, of the market's feed and number, not older than the close.
    /// @param class The class that the model gives to its text, and by what `margin`.
    /// @param proof The proof for the instances that `instances(market, bulletin.text, msg.sender)` shows, then class
    /// and margin.
    function resolve(uint256 market, Bulletin calldata bulletin, uint256 class, uint256 margin, bytes calldata proof)
        external
    {
        Market storage m = _open(market);
        bytes32 textHash = _checkBulletin(m, bulletin);
        if (class >= m.classes) revert NoSuchClass(class, m.classes);
        if (margin > type(uint64).max) revert MarginTooLarge(margin);
        if (margin < m.minMargin) revert MarginTooLow(margin, m.minMargin);

        uint256[] memory words = _instances(market, bulletin.text, msg.sender, INSTANCES);
        words[10] = class;
        words[11] = margin;
        address verifier = m.verifier;
        if (verifier.codehash != m.codeHash || !VerifierCall.verifies(verifier, m.modelId)) {
            revert NotAVerifier(verifier);
        }
        if (!VerifierCall.accepts(verifier, proof, words)) revert ProofRejected();

        m.status = Status.Decided;
        m.class = uint8(class);
        emit Resolved(market, uint8(class), margin, textHash);
        _decided(market, m, class);
    }

    /// @notice Ends a market that nothing decided before its deadline. Anyone may call.
    function expire(uint256 market) external {
        Market storage m = _open(market);
        if (block.timestamp <= m.deadline) revert DeadlineNotPassed(m.deadline);
        m.status = Status.Undecided;
        emit Undecided(market);
        _undecided(market, m);
    }

    // ---------------------------------------------------------------- views

    /// @notice The instances that `resolve`, called by `submitter`, gives the verifier before class and margin: the
    /// request's two limbs and the text's eight.
    function instances(uint256 market, bytes calldata text, address submitter)
        external
        view
        returns (uint256[] memory)
    {
        if (_markets[market].status == Status.None) revert NoSuchMarket(market);
        Bulletins.checkedHash(text);
        return _instances(market, text, submitter, INSTANCES - 2);
    }

    /// @notice A market.
    function marketOf(uint256 market) external view returns (Market memory m) {
        m = _markets[market];
        if (m.status == Status.None) revert NoSuchMarket(market);
    }

    // ---------------------------------------------------------------- for the contracts that inherit from this

    /// @dev Called when a market has been decided.
    function _decided(uint256 market, Market storage m, uint256 class) internal virtual;

    /// @dev Called when a market is undecided for good.
    function _undecided(uint256 market, Market storage m) internal virtual;

    /// @dev Checks and stores terms.
    function _open(Terms calldata terms) internal returns (uint256 market) {
        bool noResult = terms.noResult != NO_CLASS;
        if (
            terms.publisher == address(0) || terms.close <= block.timestamp || terms.deadline <= terms.close
                || terms.classes > MAX_CLASSES || terms.classes < (noResult ? 3 : 2)
                || (noResult && terms.noResult >= terms.classes) || bytes(terms.question).length > MAX_QUESTION
        ) revert BadTerms();
        if (!VerifierCall.verifies(terms.verifier, terms.modelId)) revert NotAVerifier(terms.verifier);
        market = ++marketCount;
        Market storage m = _markets[market];
        m.publisher = terms.publisher;
        m.sequence = terms.sequence;
        m.classes = terms.classes;
        m.noResult = terms.noResult;
        m.status = Status.Open;
        m.verifier = terms.verifier;
        m.close = terms.close;
        m.minMargin = terms.minMargin;
        m.feedId = terms.feedId;
        m.modelId = terms.modelId;
        m.codeHash = terms.verifier.codehash;
        m.deadline = terms.deadline;
        _emitOpened(market, terms);
    }

    /// @dev The market, if it is open.
    function _open(uint256 market) internal view returns (Market storage m) {
        m = _markets[market];
        Status status = m.status;
        if (status == Status.None) revert NoSuchMarket(market);
        if (status != Status.Open) revert NotOpen(market, status);
    }

    // ---------------------------------------------------------------- inner functions

    function _emitOpened(uint256 market, Terms calldata terms) private {
        emit MarketOpened(
            market,
            terms.feedId,
            terms.publisher,
            terms.sequence,
            terms.close,
            terms.deadline,
            terms.verifier,
            terms.modelId,
            terms.minMargin,
            terms.classes,
            terms.noResult,
            terms.question
        );
    }

    /// @dev Reverts unless the publisher signed this text for the market's feed and number, in time.
    function _checkBulletin(Market storage m, Bulletin calldata bulletin) private view returns (bytes32 textHash) {
        uint256 close = m.close;
        if (block.timestamp < close) revert NotClosed(close);
        if (block.timestamp > m.deadline) revert DeadlinePassed(m.deadline);
        uint64 timestamp = bulletin.timestamp;
        if (timestamp < close) revert BulletinTooEarly(timestamp, close);
        if (timestamp > block.timestamp + CLOCK_SKEW) revert BulletinFromTheFuture(timestamp, block.timestamp);
        textHash = Bulletins.checkedHash(bulletin.text);
        bytes32 digest = Bulletins.digest(m.feedId, m.sequence, timestamp, textHash);
        address signer = Bulletins.signer(digest, bulletin.signature);
        if (signer != m.publisher) revert WrongPublisher(signer, m.publisher);
    }

    /// @dev The request and the text, and room for what follows up to `count` words.
    function _instances(uint256 market, bytes calldata text, address submitter, uint256 count)
        private
        view
        returns (uint256[] memory words)
    {
        words = new uint256[](count);
        uint256 to;
        assembly ("memory-safe") {
            to := add(words, 0x60)
        }
        Bulletins.packTo(to, text);
        Request.put(words, Request.hash(address(this), market, 0, submitter));
    }
}
