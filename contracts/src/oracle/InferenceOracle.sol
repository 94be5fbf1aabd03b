// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Balances} from "../Balances.sol";
import {Request} from "../Request.sol";
import {VerifierCall} from "../VerifierCall.sol";
import {IInferenceConsumer} from "./IInferenceConsumer.sol";
import {IInferenceInput} from "./IInferenceInput.sol";
import {Schema, Tensor} from "./Schema.sol";

/// @title Any contract asks any registered model
/// @notice A publisher registers a model, once and for good. A requester asks it about an input and puts up a bounty;
/// whoever first sends a proof of the model's output takes it, and the requester's contract is called with the output.
/// @dev There is no owner and no switch. The proof's instances are the request (this contract, the request's number,
/// round 0, the submitter), the input's limbs and the output's limbs.
///
/// Dangers. The oracle believes the verifier: before you ask a model you must look at its verifier's code, as one that
/// is a proxy can change, and one that lies takes every bounty. A bounty can't be taken back before the deadline, even
/// if nobody can make the proof. Before you answer a request that reads a view you must look at the source: one that
/// changes its answer about a past block makes your proof worthless, after it has been seen.
///
/// Threats: who could gain by what, and the test in test/Oracle*.t.sol that tries it.
///   a copier takes a proof out of the mempool to get the bounty           test_proofIsBoundToItsSubmitter
///   a prover answers with a proof for another request, input or output     test_instancesAreWhatTheVerifierGets
///   a prover passes another input than the one that was asked about        test_otherInputThanTheRequests
///   a prover answers with limbs that are no numbers of the schema          test_outputMustFitTheSchema
///   a prover answers twice, or after the refund, to be paid again          test_onlyTheFirstAnswerIsPaid
///   a publisher swaps the verifier's code under the model                  test_verifierThatChanges
///   a verifier says anything but a clear yes                               test_verifierThatMisbehaves
///   a requester takes the bounty back while the prover works               test_noRefundBeforeTheDeadline
///   a requester asks what no proof can answer, to waste a prover's work    test_inputMustFitTheSchema
///   a requester's callback reverts, burns its gas, or answers with         test_callbackThatFails,
///     megabytes, so that the prover isn't paid                             test_callbackThatAnswersTooMuch
///   a submitter leaves the callback too little gas, so that it fails        test_submitterCannotStarveTheCallback
///   a consumer calls back in to be paid or told twice                      test_consumerThatReenters
///   a source calls back in, burns gas, or answers with megabytes           test_sourceThatMisbehaves
///   an account that refuses payment holds others' money up                 test_thoseWhoRefusePaymentHurtOnlyThemselves
contract InferenceOracle is Balances {
    // ---------------------------------------------------------------- constants

    /// @notice The most gas that a callback may ask for.
    uint256 public constant MAX_CALLBACK_GAS = 5_000_000;

    /// @notice How much gas a view source may use.
    uint256 public constant SOURCE_GAS = 3_000_000;

    /// @notice The longest data for a source, and the longest URI, in bytes.
    uint256 public constant MAX_BYTES = 1024;

    /// @dev What must be left for the oracle itself around a callback.
    uint256 private constant RESERVE = 20_000;

    // ---------------------------------------------------------------- types

    /// @notice Who is called with the answer, with how much gas. A target of zero: nobody.
    struct Callback {
        address target;
        uint32 gasLimit;
    }

    /// @notice Where a request stands.
    enum Status {
        None,
        Open,
        Answered,
        Refunded
    }

    /// @notice A model as registered. Nothing of it ever changes.
    struct Model {
        address publisher;
        address verifier;
        bytes32 modelId;
        bytes32 codeHash;
        Tensor[] inputs;
        Tensor[] outputs;
        string uri;
    }

    /// @notice A request with everything spelled out.
    /// @param digest Of an open request the keccak of its input's limbs, zero if it reads a view; of an answered one
    /// that of the output's limbs.
    /// @param delivered Whether the target has taken the answer.
    /// @param source The view's contract, or zero; `data` and `blockNumber` are what it is asked.
    struct RequestView {
        uint256 model;
        address requester;
        uint256 deadline;
        uint256 bounty;
        Status status;
        bytes32 digest;
        Callback callback;
        bool delivered;
        address source;
        bytes data;
        uint256 blockNumber;
    }

    /// @dev A request as stored.
    struct Query {
        address requester;
        uint64 deadline;
        Status status;
        bool delivered;
        address target;
        uint32 gasLimit;
        uint64 model;
        address source;
        uint96 bounty;
        bytes32 digest;
    }

    /// @dev What a source is asked.
    struct Reading {
        uint256 blockNumber;
        bytes data;
    }

    // ---------------------------------------------------------------- errors

    /// @notice There is no model with this number.
    error NoSuchModel(uint256 model);

    /// @notice There is no request with this number.
    error NoSuchRequest(uint256 id);

    /// @notice The address has no code of its own, it doesn't verify this model, or its code isn't what it was.
    error NotAVerifier(address verifier);

    /// @notice The URI or the data is longer than `MAX_BYTES`.
    error TooLong(uint256 length);

    /// @notice The callback asks for more than `MAX_CALLBACK_GAS`, or for gas without a target.
    error BadCallback(uint256 gasLimit);

    /// @notice The deadline has passed.
    error DeadlinePassed(uint256 deadline);

    /// @notice The deadline hasn't passed yet.
    error DeadlineNotPassed(uint256 deadline);

    /// @notice The bounty is more than 2^96 - 1.
    error BountyTooLarge(uint256 bounty);

    /// @notice The source has no code.
    error NotASource(address source);

    /// @notice The request has been answered or refunded.
    error NotOpen(uint256 id, Status status);

    /// @notice The input isn't the request's. A request that reads a view must be answered with an empty one.
    error WrongInput(uint256 id);

    /// @notice The request reads a block that isn't over.
    error BlockNotOver(uint256 blockNumber);

    /// @notice The source reverted, ran out of gas, or didn't answer with one list of the schema's length.
    error SourceFailed(address source);

    /// @notice The verifier didn't say yes.
    error ProofRejected();

    /// @notice The callback or the source couldn't be given the gas that it was promised; send this much more.
    error NotEnoughGas(uint256 missing);

    /// @notice The request isn't answered, its answer is another, nobody is to be called, or the target has taken it.
    error NothingToDeliver(uint256 id);

    /// @notice The target reverted again, ran out of gas, or has no code.
    error DeliveryFailed(address target);

    // ---------------------------------------------------------------- events

    /// @notice A model was registered. `codeHash` is its verifier's, which must stay the same.
    event ModelRegistered(
        uint256 indexed model,
        address indexed publisher,
        address indexed verifier,
        bytes32 modelId,
        bytes32 codeHash,
        Tensor[] inputs,
        Tensor[] outputs,
        string uri
    );

    /// @notice Somebody asked. Either `source` is zero, or `input` is empty and the source is to be read.
    event Requested(
        uint256 indexed id,
        uint256 indexed model,
        address indexed requester,
        uint256[] input,
        address source,
        bytes data,
        uint256 blockNumber,
        Callback callback,
        uint256 bounty,
        uint64 deadline
    );

    /// @notice A proof of the output came in. `delivered` is whether the target has taken it.
    event Answered(uint256 indexed id, address indexed prover, uint256[] output, bool delivered);

    /// @notice The target has taken an answer that it had failed to take before.
    event Delivered(uint256 indexed id);

    /// @notice The requester got the bounty back.
    event Refunded(uint256 indexed id);

    // ---------------------------------------------------------------- storage

    /// @notice How many models and requests there have been; the last ones' numbers, as both count from 1.
    uint256 public modelCount;
    uint256 public requestCount;

    mapping(uint256 model => Model) private _models;
    mapping(uint256 id => Query) private _queries;
    mapping(uint256 id => Reading) private _readings;

    // ---------------------------------------------------------------- models

    /// @notice Registers a model, with the caller as its publisher. Anyone may register any model, also again.
    /// @param verifier Must have code of its own and return `modelId`.
    /// @param inputs The schemas of the inputs, in the model's order; `outputs` likewise.
    /// @param uri Where the model is described.
    function register(
        address verifier,
        bytes32 modelId,
        Tensor[] calldata inputs,
        Tensor[] calldata outputs,
        string calldata uri
    ) external returns (uint256 model) {
        if (bytes(uri).length > MAX_BYTES) revert TooLong(bytes(uri).length);
        if (!VerifierCall.verifies(verifier, modelId)) revert NotAVerifier(verifier);
        model = ++modelCount;
        Model storage m = _models[model];
        m.publisher = msg.sender;
        m.verifier = verifier;
        m.modelId = modelId;
        m.codeHash = verifier.codehash;
        m.uri = uri;
        Schema.store(m.inputs, inputs);
        Schema.store(m.outputs, outputs);
        emit ModelRegistered(model, msg.sender, verifier, modelId, verifier.codehash, inputs, outputs, uri);
    }

    // ---------------------------------------------------------------- requests

    /// @notice Asks a model about an input. The value sent is the bounty.
    /// @param input The input's limbs, packed as the model's schema says.
    /// @param callback Who is to be called with the answer.
    /// @param deadline The last second in which an answer is taken.
    function request(uint256 model, uint256[] calldata input, Callback calldata callback, uint64 deadline)
        external
        payable
        returns (uint256 id)
    {
        Schema.check(_existing(model).inputs, input, 0);
        id = _ask(model, address(0), callback, deadline);
        _queries[id].digest = keccak256(abi.encodePacked(input));
        emit Requested(id, model, msg.sender, input, address(0), "", 0, callback, msg.value, deadline);
    }

    /// @notice Asks a model about what a contract's view function returns for a block. The value sent is the bounty.
    /// @param source An `IInferenceInput`.
    /// @param data What the source is to be asked.
    /// @param blockNumber The block. Answers are taken from the next one on.
    function requestView(
        uint256 model,
        address source,
        bytes calldata data,
        uint256 blockNumber,
        Callback calldata callback,
        uint64 deadline
    ) external payable returns (uint256 id) {
        _existing(model);
        if (data.length > MAX_BYTES) revert TooLong(data.length);
        if (source.code.length == 0) revert NotASource(source);
        id = _ask(model, source, callback, deadline);
        _readings[id] = Reading(blockNumber, data);
        emit Requested(
            id, model, msg.sender, new uint256[](0), source, data, blockNumber, callback, msg.value, deadline
        );
    }

    /// @notice Credits the bounty of a request that nobody answered in time to the requester. Anyone may call.
    function refund(uint256 id) external {
        Query storage q = _open(id);
        if (block.timestamp <= q.deadline) revert DeadlineNotPassed(q.deadline);
        q.status = Status.Refunded;
        _credit(q.requester, q.bounty);
        emit Refunded(id);
    }

    // ---------------------------------------------------------------- answers

    /// @notice Answers a request: credits the bounty to the caller, and calls the target. Anyone may, with a proof made
    /// for this caller. The target's failure doesn't undo the answer.
    /// @param input The request's input, or nothing if it reads a view.
    /// @param output The output's limbs.
    /// @param proof The proof for the instances that `instances(id, input, msg.sender)` shows, and then the output.
    function answer(uint256 id, uint256[] calldata input, uint256[] calldata output, bytes calldata proof) external {
        Query storage q = _open(id);
        if (block.timestamp > q.deadline) revert DeadlinePassed(q.deadline);
        Model storage m = _models[q.model];
        _checkProof(m, _allInstances(id, q, m, input, output), proof);

        q.status = Status.Answered;
        q.digest = keccak256(abi.encodePacked(output));
        _credit(msg.sender, q.bounty);
        emit Answered(id, msg.sender, output, _call(id, q, output));
    }

    /// @notice Calls a request's target again, after it has failed to take the answer. Anyone may call, at any time.
    /// @param output The answer, as the event said it.
    function deliver(uint256 id, uint256[] calldata output) external {
        Query storage q = _queries[id];
        if (
            q.status != Status.Answered || q.delivered || q.target == address(0)
                || q.digest != keccak256(abi.encodePacked(output))
        ) revert NothingToDeliver(id);
        if (!_call(id, q, output)) revert DeliveryFailed(q.target);
        emit Delivered(id);
    }

    // ---------------------------------------------------------------- views

    /// @notice The instances that `answer`, called by `submitter`, gives the verifier before the output: the request's
    /// two limbs and the input's. Of a request that reads a view, the input must be empty and its block over.
    function instances(uint256 id, uint256[] calldata input, address submitter)
        external
        view
        returns (uint256[] memory words)
    {
        Query storage q = _queries[id];
        if (q.status == Status.None) revert NoSuchRequest(id);
        return _instances(id, q, _models[q.model].inputs, input, submitter, 0);
    }

    /// @notice A model.
    function modelOf(uint256 model) external view returns (Model memory) {
        return _existing(model);
    }

    /// @notice A request.
    function requestOf(uint256 id) external view returns (RequestView memory v) {
        Query storage q = _queries[id];
        if (q.status == Status.None) revert NoSuchRequest(id);
        Reading storage reading = _readings[id];
        v.model = q.model;
        v.requester = q.requester;
        v.deadline = q.deadline;
        v.bounty = q.bounty;
        v.status = q.status;
        v.digest = q.digest;
        v.callback = Callback(q.target, q.gasLimit);
        v.delivered = q.delivered;
        v.source = q.source;
        v.data = reading.data;
        v.blockNumber = reading.blockNumber;
    }

    /// @notice The keccak of an answered request's output limbs, 32 bytes each; zero while there is no answer.
    function outputHashOf(uint256 id) external view returns (bytes32) {
        Query storage q = _queries[id];
        return q.status == Status.Answered ? q.digest : bytes32(0);
    }

    // ---------------------------------------------------------------- inner functions

    /// @dev The model, if there is such a model.
    function _existing(uint256 model) private view returns (Model storage m) {
        m = _models[model];
        if (m.verifier == address(0)) revert NoSuchModel(model);
    }

    /// @dev The request, if it is open.
    function _open(uint256 id) private view returns (Query storage q) {
        q = _queries[id];
        Status status = q.status;
        if (status == Status.None) revert NoSuchRequest(id);
        if (status != Status.Open) revert NotOpen(id, status);
    }

    /// @dev Stores what the two kinds of requests have in common, and takes the bounty.
    function _ask(uint256 model, address source, Callback calldata callback, uint64 deadline)
        private
        returns (uint256 id)
    {
        if (deadline <= block.timestamp) revert DeadlinePassed(deadline);
        if (msg.value > type(uint96).max) revert BountyTooLarge(msg.value);
        uint256 gasLimit = callback.gasLimit;
        if (gasLimit > MAX_CALLBACK_GAS || (callback.target == address(0) && gasLimit != 0)) {
            revert BadCallback(gasLimit);
        }
        _checkVerifier(_models[model]);
        id = ++requestCount;
        Query storage q = _queries[id];
        q.requester = msg.sender;
        q.deadline = deadline;
        q.status = Status.Open;
        q.target = callback.target;
        q.gasLimit = uint32(gasLimit);
        q.model = uint64(model);
        q.source = source;
        q.bounty = uint96(msg.value);
    }

    /// @dev Reverts unless the model's verifier is still the one that was registered.
    function _checkVerifier(Model storage m) private view {
        address verifier = m.verifier;
        if (verifier.codehash != m.codeHash || !VerifierCall.verifies(verifier, m.modelId)) {
            revert NotAVerifier(verifier);
        }
    }

    /// @dev Reverts unless the model's verifier accepts the proof.
    function _checkProof(Model storage m, uint256[] memory words, bytes calldata proof) private view {
        _checkVerifier(m);
        if (!VerifierCall.accepts(m.verifier, proof, words)) revert ProofRejected();
    }

    /// @dev All instances of the caller's answer.
    function _allInstances(
        uint256 id,
        Query storage q,
        Model storage m,
        uint256[] calldata input,
        uint256[] calldata output
    ) private view returns (uint256[] memory words) {
        words = _instances(id, q, m.inputs, input, msg.sender, output.length);
        uint256 from = words.length - output.length;
        assembly ("memory-safe") {
            calldatacopy(add(add(words, 0x20), shl(5, from)), output.offset, shl(5, output.length))
        }
        Schema.check(m.outputs, words, from);
    }

    /// @dev The request and the input, and room for `extra` more words.
    function _instances(
        uint256 id,
        Query storage q,
        Tensor[] memory inputs,
        uint256[] calldata input,
        address submitter,
        uint256 extra
    ) private view returns (uint256[] memory words) {
        address source = q.source;
        uint256 limbs = Schema.limbsOf(inputs);
        words = new uint256[](2 + limbs + extra);
        if (source != address(0)) {
            if (input.length != 0) revert WrongInput(id);
            _read(source, _readings[id], words, limbs);
            assembly ("memory-safe") {
                mstore(words, add(limbs, 2))
            }
            Schema.check(inputs, words, 2);
            assembly ("memory-safe") {
                mstore(words, add(add(limbs, 2), extra))
            }
        } else {
            // Once it is answered, the request has forgotten its input.
            if (input.length != limbs || (q.status == Status.Open && q.digest != keccak256(abi.encodePacked(input)))) {
                revert WrongInput(id);
            }
            assembly ("memory-safe") {
                calldatacopy(add(words, 0x60), input.offset, shl(5, limbs))
            }
        }
        Request.put(words, Request.hash(address(this), id, 0, submitter));
    }

    /// @dev Reads a source's limbs to `words[2]` and on. Only an answer of exactly the right length counts, and no more
    /// of it than that is copied.
    function _read(address source, Reading storage reading, uint256[] memory words, uint256 limbs) private view {
        if (reading.blockNumber >= block.number) revert BlockNotOver(reading.blockNumber);
        bytes memory message = abi.encodeCall(IInferenceInput.inferenceInput, (reading.data, reading.blockNumber));
        bool ok;
        uint256 gasLimit = SOURCE_GAS;
        // As for callbacks: with less than it was promised, a source could be made to answer otherwise.
        uint256 needed = gasLimit * 64 / 63 + RESERVE;
        uint256 left = gasleft();
        if (left < needed) revert NotEnoughGas(needed - left);
        assembly ("memory-safe") {
            let size := add(0x40, shl(5, limbs))
            ok := staticcall(gasLimit, source, add(message, 0x20), mload(message), 0, 0)
            ok := and(ok, eq(returndatasize(), size))
            if ok {
                // The list's two leading words, offset and length, to scratch space.
                returndatacopy(0, 0, 0x40)
                ok := and(eq(mload(0), 0x20), eq(mload(0x20), limbs))
                returndatacopy(add(words, 0x60), 0x40, shl(5, limbs))
            }
        }
        if (!ok) revert SourceFailed(source);
    }

    /// @dev Calls the target of an answered request. It counts as told while it is being called, so that it can't have
    /// itself called again; whether it has taken the answer is stored.
    function _call(uint256 id, Query storage q, uint256[] calldata output) private returns (bool ok) {
        address target = q.target;
        if (target == address(0)) return false;
        uint256 gasLimit = q.gasLimit;
        bytes memory message = abi.encodeCall(IInferenceConsumer.onInference, (id, q.model, output));
        q.delivered = true;
        bool hasCode = target.code.length != 0;
        // A call passes on at most 63/64 of the gas that is left: with less, whoever pays for the transaction could
        // make the target fail.
        uint256 needed = gasLimit * 64 / 63 + RESERVE;
        uint256 left = gasleft();
        if (left < needed) revert NotEnoughGas(needed - left);
        assembly ("memory-safe") {
            // None of what it answers is copied.
            ok := and(call(gasLimit, target, 0, add(message, 0x20), mload(message), 0, 0), hasCode)
        }
        if (!ok) q.delivered = false;
    }
}
