// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {IInferenceConsumer} from "../src/oracle/IInferenceConsumer.sol";
import {InferenceOracle} from "../src/oracle/InferenceOracle.sol";

/// @title A consumer that does what a test tells it to
contract Consumer is IInferenceConsumer {
    enum Mood {
        Takes,
        Reverts,
        RevertsWithMegabytes,
        ReturnsMegabytes,
        BurnsAll,
        Invalid,
        UsesNearlyAll
    }

    Mood public mood;
    uint256 public calls;
    uint256 public gasGiven;
    bytes32 public told;
    address public caller;

    function set(Mood mood_) external {
        mood = mood_;
    }

    function onInference(uint256 id, uint256 model, uint256[] calldata output) external {
        uint256 given = gasleft();
        Mood m = mood;
        if (m == Mood.Reverts) revert("no");
        if (m == Mood.BurnsAll) while (true) {}
        if (m == Mood.Invalid) {
            assembly ("memory-safe") {
                invalid()
            }
        }
        if (m == Mood.RevertsWithMegabytes) {
            assembly ("memory-safe") {
                revert(0, 1000000)
            }
        }
        ++calls;
        gasGiven = given;
        caller = msg.sender;
        told = keccak256(abi.encode(id, model, output));
        if (m == Mood.UsesNearlyAll) while (gasleft() > 1000) {}
        if (m == Mood.ReturnsMegabytes) {
            assembly ("memory-safe") {
                return(0, 1000000)
            }
        }
    }
}

/// @title A consumer that is also the prover, and tries to be paid and told more than once
contract Reenterer is IInferenceConsumer {
    InferenceOracle private immutable oracle;
    uint256[] private _input;
    uint256 private other;
    bool private fails;
    uint256 public told;
    uint256 public succeeded;

    constructor(InferenceOracle oracle_, uint256[] memory input_) {
        oracle = oracle_;
        _input = input_;
    }

    /// @notice Answers a request, of which this contract is the target.
    function attack(uint256 id, uint256 other_, bool fails_, uint256[] calldata output) external {
        other = other_;
        fails = fails_;
        oracle.answer(id, _input, output, "proof");
    }

    function onInference(uint256 id, uint256, uint256[] calldata output) external {
        ++told;
        tried(abi.encodeCall(oracle.answer, (id, _input, output, "proof")));
        tried(abi.encodeCall(oracle.deliver, (id, output)));
        tried(abi.encodeCall(oracle.refund, (id)));
        // What was credited can be taken out once, also from in here.
        tried(abi.encodeCall(oracle.withdraw, (payable(address(this)), oracle.balanceOf(address(this)) + 1)));
        // Another request may be answered from in here, and may be of this contract too.
        if (other != 0) {
            uint256 next = other;
            other = 0;
            oracle.answer(next, _input, output, "proof");
        }
        if (fails) revert("after all");
    }

    function tried(bytes memory message) private {
        (bool ok,) = address(oracle).call(message);
        if (ok) ++succeeded;
    }

    receive() external payable {
        oracle.withdraw(payable(address(this)), msg.value);
    }

    function steal(uint256 amount) external {
        oracle.withdraw(payable(address(this)), amount);
    }
}

/// @title A view source that does what a test tells it to
/// @dev Its function isn't declared a view, so that it can try what it likes.
contract Source {
    enum Mood {
        Right,
        Reverts,
        Burns,
        TooShort,
        TooLong,
        Megabytes,
        WrongOffset,
        WrongLength,
        Empty,
        LimbTooLarge,
        CallsBack
    }

    Mood public mood;
    InferenceOracle public oracle;

    function set(Mood mood_, InferenceOracle oracle_) external {
        mood = mood_;
        oracle = oracle_;
    }

    /// @notice The limbs that the data says, if the block is said right: all in the first two words.
    function inferenceInput(bytes calldata data, uint256 blockNumber) external returns (uint256[] memory limbs) {
        Mood m = mood;
        uint256 expected;
        (expected, limbs) = abi.decode(data, (uint256, uint256[]));
        require(expected == blockNumber, "block");
        if (m == Mood.Reverts) revert("no");
        if (m == Mood.Burns) while (true) {}
        if (m == Mood.LimbTooLarge) limbs[2] = 8;
        if (m == Mood.CallsBack) {
            // All that is called from here is in a static call too, so that nothing can change.
            tried(abi.encodeCall(oracle.refund, (1)));
            tried(abi.encodeCall(oracle.answer, (1, new uint256[](0), new uint256[](2), "proof")));
            tried(abi.encodeCall(oracle.withdraw, (payable(address(this)), 0)));
        }
        assembly ("memory-safe") {
            switch m
            case 3 {
                mstore(sub(limbs, 0x20), 0x20)
                return(sub(limbs, 0x20), 0x80)
            }
            case 4 {
                mstore(sub(limbs, 0x20), 0x20)
                return(sub(limbs, 0x20), 0xc0)
            }
            case 5 {
                mstore(sub(limbs, 0x20), 0x20)
                return(sub(limbs, 0x20), 1000000)
            }
            case 6 {
                mstore(sub(limbs, 0x20), 0x40)
                return(sub(limbs, 0x20), 0xa0)
            }
            case 7 {
                mstore(limbs, 2)
                mstore(sub(limbs, 0x20), 0x20)
                return(sub(limbs, 0x20), 0xa0)
            }
            case 8 { return(0, 0) }
        }
    }

    function tried(bytes memory message) private {
        (bool ok,) = address(oracle).call{gas: 200_000}(message);
        require(!ok, "something changed");
    }
}

/// @title A requester and prover that takes no payments
contract Refuser {
    function ask(InferenceOracle oracle, uint256 model, uint256[] calldata input, uint64 deadline)
        external
        payable
        returns (uint256)
    {
        InferenceOracle.Callback memory nobody;
        return oracle.request{value: msg.value}(model, input, nobody, deadline);
    }

    function withdraw(InferenceOracle oracle, address payable to, uint256 amount) external {
        oracle.withdraw(to, amount);
    }
}
