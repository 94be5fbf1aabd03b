// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {InferenceOracle} from "../src/oracle/InferenceOracle.sol";
import {Schema, Tensor} from "../src/oracle/Schema.sol";
import {Vm} from "./Base.sol";
import {MockVerifier} from "./MockVerifier.sol";
import {OracleBase} from "./OracleBase.sol";

/// @title Models, schemas, and what may be asked
contract OracleModelsTest is OracleBase {
    uint256 private constant MODULUS = 21888242871839275222246405745257275088548364400416034343698204186575808495617;

    function one(uint32 count, uint8 bits) private pure returns (Tensor[] memory t) {
        t = new Tensor[](1);
        t[0] = Tensor(count, bits);
    }

    function register(Tensor[] memory in_, Tensor[] memory out) private returns (uint256) {
        return oracle.register(address(verifier), MODEL, in_, out, "");
    }

    function request(uint256 id, uint256[] memory limbs) private returns (uint256) {
        return oracle.request(id, limbs, nobody(), deadline);
    }

    /// @dev Checks that a request of these limbs is refused for the one at `index`.
    function tooLarge(uint256 id, uint256[] memory limbs, uint256 index) private {
        vm.expectRevert(abi.encodeWithSelector(Schema.LimbTooLarge.selector, index));
        request(id, limbs);
    }

    function test_modelsAreKept() external {
        vm.recordLogs();
        vm.prank(OTHER);
        uint256 id = oracle.register(address(verifier), MODEL, inputs(), outputs(), "ipfs://x");
        eq(id, 2, "counted from 1");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        require(logs[0].topics[0] == InferenceOracle.ModelRegistered.selector, "event");
        eq(uint256(logs[0].topics[1]), id, "model");
        eq(uint256(logs[0].topics[2]), uint160(OTHER), "publisher");
        eq(uint256(logs[0].topics[3]), uint160(address(verifier)), "verifier");
        bytes memory expected = abi.encode(MODEL, address(verifier).codehash, inputs(), outputs(), "ipfs://x");
        require(keccak256(logs[0].data) == keccak256(expected), "ModelRegistered");
        InferenceOracle.Model memory m = oracle.modelOf(id);
        require(m.publisher == OTHER && m.verifier == address(verifier) && m.modelId == MODEL, "model");
        require(m.codeHash == address(verifier).codehash, "code");
        require(keccak256(abi.encode(m.inputs, m.outputs)) == keccak256(abi.encode(inputs(), outputs())), "schemas");
        require(keccak256(bytes(m.uri)) == keccak256("ipfs://x"), "uri");
        // The first one is what it was.
        require(oracle.modelOf(model).publisher == address(this), "first");
        refused(InferenceOracle.NoSuchModel.selector);
        oracle.modelOf(3);
        refused(InferenceOracle.NoSuchModel.selector);
        oracle.modelOf(0);
    }

    function test_verifierMustHaveCodeAndTheModel() external {
        bytes4 bad = InferenceOracle.NotAVerifier.selector;
        refused(bad);
        oracle.register(address(verifier), keccak256("another model"), inputs(), outputs(), "");
        refused(bad);
        oracle.register(OTHER, MODEL, inputs(), outputs(), "");
        refused(bad);
        oracle.register(address(0), 0, inputs(), outputs(), "");
        refused(bad);
        oracle.register(address(oracle), 0, inputs(), outputs(), "");
        refused(bad);
        oracle.register(address(4), MODEL, inputs(), outputs(), "");
        vm.etch(OTHER, abi.encodePacked(hex"ef0100", address(verifier)));
        refused(bad);
        oracle.register(OTHER, MODEL, inputs(), outputs(), "");
        bytes memory long = new bytes(oracle.MAX_BYTES() + 1);
        refused(InferenceOracle.TooLong.selector);
        oracle.register(address(verifier), MODEL, inputs(), outputs(), string(long));
        eq(oracle.modelCount(), 1, "none was registered");
    }

    function test_badSchemas() external {
        Tensor[] memory good = one(1, 1);
        Tensor[][6] memory bad =
            [one(0, 8), one(1, 0), one(1, 255), new Tensor[](0), new Tensor[](17), one(1024 * 31 + 1, 8)];
        for (uint256 i; i < 17; ++i) {
            bad[4][i] = Tensor(1, 1);
        }
        for (uint256 i; i < bad.length; ++i) {
            refused(Schema.BadSchema.selector);
            register(bad[i], good);
            refused(Schema.BadSchema.selector);
            register(good, bad[i]);
        }
        refused(Schema.BadSchema.selector);
        register(one(type(uint32).max, 1), good);
        register(one(1024 * 31, 8), one(1024, 254));
    }

    function test_inputMustFitTheSchema() external {
        for (uint256 i; i < 3; ++i) {
            uint256[] memory limbs = input();
            ++limbs[i];
            tooLarge(model, limbs, i);
            limbs[i] = type(uint256).max;
            tooLarge(model, limbs, i);
        }
        vm.expectRevert(abi.encodeWithSelector(Schema.WrongLength.selector, 0, 3));
        request(model, nothing());
        vm.expectRevert(abi.encodeWithSelector(Schema.WrongLength.selector, 5, 3));
        request(model, joined(input(), output()));
        request(model, input());
        request(model, new uint256[](3));
    }

    function test_widestAndNarrowest() external {
        uint256[] memory limbs = new uint256[](2);
        // 253 bits: one number a limb.
        uint256 id = register(one(2, 253), one(1, 1));
        (limbs[0], limbs[1]) = (1 << 253, 0);
        tooLarge(id, limbs, 0);
        limbs[0] = (1 << 253) - 1;
        request(id, limbs);
        // Field elements.
        id = register(one(2, 254), one(1, 1));
        (limbs[0], limbs[1]) = (MODULUS - 1, MODULUS);
        tooLarge(id, limbs, 1);
        limbs[1] = MODULUS - 1;
        request(id, limbs);
        // 127 bits: one number a limb too, but a shorter one.
        id = register(one(2, 127), one(1, 1));
        (limbs[0], limbs[1]) = ((1 << 127) - 1, 1 << 127);
        tooLarge(id, limbs, 1);
        limbs[1] = (1 << 127) - 1;
        request(id, limbs);
        // Single bits: 253 a limb.
        id = register(one(254, 1), one(1, 1));
        (limbs[0], limbs[1]) = ((1 << 253) - 1, 2);
        tooLarge(id, limbs, 1);
        limbs[1] = 1;
        request(id, limbs);
    }

    /// @notice Numbers packed in the plain way fit, and one more bit anywhere doesn't.
    function testFuzz_packedNumbersFit(uint32 count, uint8 bits, uint256 seed, uint256 where) external {
        count = 1 + count % 100;
        bits = 1 + bits % 253;
        uint256 perLimb = 253 / bits;
        uint256[] memory limbs = new uint256[]((count + perLimb - 1) / perLimb);
        for (uint256 i; i < count; ++i) {
            uint256 number = uint256(keccak256(abi.encode(seed, i))) >> (256 - bits);
            limbs[i / perLimb] |= number << (bits * (i % perLimb));
        }
        uint256 id = register(one(count, bits), one(1, 1));
        request(id, limbs);
        uint256 at = where % limbs.length;
        uint256 numbers = at + 1 < limbs.length ? perLimb : count - at * perLimb;
        limbs[at] |= 1 << (bits * numbers + (where >> 128) % (256 - bits * numbers));
        tooLarge(id, limbs, at);
    }

    function test_badRequests() external {
        refused(InferenceOracle.NoSuchModel.selector);
        request(0, input());
        refused(InferenceOracle.NoSuchModel.selector);
        request(2, input());
        uint64 now_ = uint64(block.timestamp);
        refused(InferenceOracle.DeadlinePassed.selector);
        oracle.request(model, input(), nobody(), now_);
        oracle.request(model, input(), nobody(), now_ + 1);
        vm.deal(address(this), 1 << 96);
        refused(InferenceOracle.BountyTooLarge.selector);
        oracle.request{value: 1 << 96}(model, input(), nobody(), deadline);
        refused(InferenceOracle.NoSuchRequest.selector);
        oracle.requestOf(2);
        refused(InferenceOracle.NoSuchRequest.selector);
        oracle.instances(2, input(), PROVER);
        refused(InferenceOracle.NoSuchRequest.selector);
        oracle.refund(2);
    }

    function test_noCoinWithoutARequest() external {
        vm.deal(address(this), 1 ether);
        (bool ok,) = address(oracle).call{value: 1}("");
        require(!ok, "plain payment");
    }
}
