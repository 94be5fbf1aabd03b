// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {FraudGuard} from "../../src/guard/FraudGuard.sol";
import {GuardedVault} from "../../src/guard/GuardedVault.sol";
import {Base} from "../Base.sol";
import {MockVerifier} from "../MockVerifier.sol";
import {Token} from "./Tokens.sol";

/// @title A vault with honest money in it, and a thief
abstract contract GuardBase is Base {
    bytes32 internal constant MODEL = keccak256("a fraud model");
    uint256 internal constant START = 1_800_000_000;
    uint256 internal constant DELAY = 1 hours;
    uint256 internal constant PAUSE = 6 hours;
    uint256 internal constant GRACE = 12 hours;
    uint256 internal constant WINDOW = 1 days;
    uint256 internal constant LOW = 100;
    uint256 internal constant MIDDLE = 400;
    uint256 internal constant HIGH = 600;

    address internal constant GOVERNANCE = address(0x60);
    address internal constant HONEST = address(0x40e57);
    address internal constant THIEF = address(0x7e1f);
    address internal constant PROVER = address(0x9407e4);
    address internal constant ANYONE = address(0xa11);

    Token internal token;
    MockVerifier internal verifier;
    GuardedVault internal vault;

    function setUp() public virtual {
        vm.warp(START);
        token = new Token();
        verifier = new MockVerifier(MODEL);
        vault = new GuardedVault(address(token), "Guarded", "gTKN", terms());
        fund(HONEST, 1000 ether);
        fund(THIEF, 1000 ether);
        put(HONEST, 100 ether);
        put(THIEF, 100 ether);
    }

    /// @dev A tenth of the assets at once, a fifth a day, are not flagged.
    function terms() internal view returns (FraudGuard.Terms memory) {
        return FraudGuard.Terms({
            verifier: address(verifier),
            modelId: MODEL,
            governance: GOVERNANCE,
            delay: uint32(DELAY),
            pause: uint32(PAUSE),
            grace: uint32(GRACE),
            window: uint32(WINDOW),
            singleBps: 1000,
            windowBps: 2000,
            numerator: 1,
            denominator: 1e12,
            releaseBelow: 300,
            pauseAt: 500
        });
    }

    function fund(address who, uint256 amount) internal {
        token.mint(who, amount);
        vm.prank(who);
        token.approve(address(vault), type(uint256).max);
    }

    function put(address who, uint256 assets) internal {
        vm.prank(who);
        vault.deposit(assets, who);
    }

    function take(address who, uint256 assets) internal {
        vm.prank(who);
        vault.withdraw(assets, who, who);
    }

    /// @dev A flagged withdrawal; its incident's number.
    function flagged(address who, uint256 assets) internal returns (uint256 incident) {
        incident = vault.incidentCount() + 1;
        take(who, assets);
        eq(vault.incidentCount(), incident, "flagged");
    }

    function judge(uint256 incident, uint64 round, uint256 score) internal {
        vm.prank(PROVER);
        vault.judge(incident, round, score, "proof");
    }

    function status(uint256 incident, FraudGuard.Status s) internal view {
        eq(uint256(vault.incidents(incident).status), uint256(s), "status");
    }

    function refused(bytes4 selector) internal {
        vm.expectPartialRevert(selector);
    }

    function isPaused() internal view returns (bool p) {
        (p,,) = vault.paused();
    }
}
