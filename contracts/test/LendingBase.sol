// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {LendingPool} from "../src/examples/LendingPool.sol";
import {Token} from "../src/examples/Token.sol";
import {InferenceOracle} from "../src/oracle/InferenceOracle.sol";
import {Tensor} from "../src/oracle/Schema.sol";
import {Base} from "./Base.sol";
import {MockVerifier} from "./MockVerifier.sol";
import {TestToken} from "./TestToken.sol";

/// @title A pool with 100 coins lent to it, 80 of them borrowed against tokens at two coins each
/// @dev An answer `u` of the model stands for the rate (u − 100)/2.
abstract contract LendingBase is Base {
    bytes32 internal constant MODEL = keccak256("a model");
    uint256 internal constant PERIOD = 1 days;
    uint256 internal constant RATE = 40;
    uint256 internal constant BOUNTY = 0.01 ether;

    address internal constant SUPPLIER = address(0x5a);
    address internal constant BORROWER = address(0xb0);
    address internal constant PROVER = address(0x9407e4);

    InferenceOracle internal oracle;
    MockVerifier internal verifier;
    TestToken internal token;
    LendingPool internal pool;
    uint256 internal model;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        vm.roll(1000);
        oracle = new InferenceOracle();
        verifier = new MockVerifier(MODEL);
        model = oracle.register(address(verifier), MODEL, tensor(64, 8), tensor(1, 10), "");
        token = makeToken();
        pool = new LendingPool(terms());
        vm.deal(SUPPLIER, 1000 ether);
        vm.deal(BORROWER, 1000 ether);
        vm.prank(SUPPLIER);
        pool.supply{value: 100 ether}();
        pledge(BORROWER, 100 ether);
        vm.prank(BORROWER);
        pool.borrow(80 ether);
    }

    function makeToken() internal virtual returns (TestToken) {
        return new TestToken();
    }

    function terms() internal view returns (LendingPool.Terms memory) {
        return LendingPool.Terms({
            token: Token(address(token)),
            price: 2 ether,
            oracle: oracle,
            model: model,
            zero: 100,
            scale: 0.5e18,
            period: PERIOD,
            bounty: BOUNTY,
            rate: RATE
        });
    }

    function tensor(uint32 count, uint8 bits) internal pure returns (Tensor[] memory list) {
        list = new Tensor[](1);
        list[0] = Tensor(count, bits);
    }

    function pledge(address who, uint256 amount) internal {
        token.mint(who, amount);
        vm.startPrank(who);
        token.approve(address(pool), amount);
        pool.depositCollateral(amount);
        vm.stopPrank();
    }

    /// @dev Ends a period in a block of its own; the request.
    function period() internal returns (uint256 id) {
        vm.warp(block.timestamp + PERIOD);
        vm.roll(block.number + 10);
        id = pool.checkpoint();
        vm.roll(block.number + 1);
    }

    /// @dev As many periods as a history has: the first request.
    function fill() internal returns (uint256 id) {
        for (uint256 i; i < pool.PERIODS(); ++i) {
            id = period();
        }
    }

    /// @dev The model says this rate.
    function answer(uint256 id, uint256 rate) internal {
        uint256[] memory output = new uint256[](1);
        output[0] = 100 + 2 * rate;
        vm.prank(PROVER);
        oracle.answer(id, new uint256[](0), output, "proof");
    }

    /// @dev Number `i` of the model's input at a checkpoint.
    function input(uint256 number, uint256 i) internal view returns (uint256) {
        uint256[] memory limbs = pool.inferenceInput(abi.encode(number), block.number);
        return limbs[i / 31] >> (8 * (i % 31)) & 255;
    }

    function refused(bytes4 selector) internal {
        vm.expectPartialRevert(selector);
    }
}
