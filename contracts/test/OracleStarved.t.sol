// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {InferenceOracle} from "../src/oracle/InferenceOracle.sol";
import {IInferenceInput} from "../src/oracle/IInferenceInput.sol";
import {Tensor} from "../src/oracle/Schema.sol";
import {Base} from "./Base.sol";
import {MockVerifier} from "./MockVerifier.sol";

/// @dev Refuses early instead of running out of gas.
contract EarlyFeed {
    function price() external view returns (uint256) {
        require(gasleft() > 2_000_000, "not enough gas");
        return 7;
    }
}

/// @dev The same for every block, for whoever gives it enough gas; falls back when its feed fails.
contract FallibleSource is IInferenceInput {
    EarlyFeed private immutable feed = new EarlyFeed();

    function inferenceInput(bytes calldata, uint256) external view returns (uint256[] memory limbs) {
        limbs = new uint256[](1);
        try feed.price() returns (uint256 p) {
            limbs[0] = p;
        } catch {
            limbs[0] = 0;
        }
    }
}

/// @title A source that answers otherwise when it is starved
contract OracleStarved is Base {
    function test_proverCannotStarveTheSource() external {
        bytes32 modelId = keccak256("m");
        MockVerifier verifier = new MockVerifier(modelId);
        InferenceOracle oracle = new InferenceOracle();
        Tensor[] memory t = new Tensor[](1);
        t[0] = Tensor(1, 8);
        uint256 model = oracle.register(address(verifier), modelId, t, t, "");
        FallibleSource source = new FallibleSource();
        uint256 id = oracle.requestView(
            model,
            address(source),
            "",
            block.number,
            InferenceOracle.Callback(address(0), 0),
            uint64(block.timestamp) + 9
        );
        vm.roll(block.number + 1);
        uint256[] memory honest = oracle.instances(id, new uint256[](0), address(this));
        eq(honest[2], 7, "input");
        vm.expectPartialRevert(InferenceOracle.NotEnoughGas.selector);
        oracle.instances{gas: 1_500_000}(id, new uint256[](0), address(this));
    }
}
