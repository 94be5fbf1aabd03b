// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Features} from "../../src/guard/Features.sol";
import {Record} from "../../src/guard/Record.sol";
import {Base} from "../Base.sol";
import {GuardBase} from "./GuardBase.sol";

/// @title Records and the limbs made of them
contract FeaturesTest is Base {
    struct Call {
        uint64 value;
        uint16 counterparty;
        uint32 gap;
    }

    function test_nothingIsZero() external pure {
        (uint256 low, uint256 high) = Features.pack(0, 0);
        eq(low, 0, "low");
        eq(high, 0, "high");
    }

    /// @dev Against plain variables.
    function testFuzz_recordKeepsItsNumbers(Call[] memory calls) external pure {
        uint256 record;
        uint256 time = 1_800_000_000;
        uint256 began = time + (calls.length == 0 ? 0 : calls[0].gap % 1e6);
        uint256 total;
        uint256 low = type(uint256).max;
        uint256 high;
        for (uint256 i; i < calls.length; ++i) {
            time += calls[i].gap % 1e6;
            record = Record.added(record, calls[i].value, address(uint160(calls[i].counterparty)), time);
            total += calls[i].value;
            if (calls[i].value < low) low = calls[i].value;
            if (calls[i].value > high) high = calls[i].value;
        }
        eq(Record.count(record), calls.length, "count");
        eq(Record.total(record), total > Record.MAX_TOTAL ? Record.MAX_TOTAL : total, "total");
        if (calls.length == 0) return;
        eq(Record.smallest(record), low > Record.MAX_VALUE ? Record.MAX_VALUE : low, "smallest");
        eq(Record.largest(record), high > Record.MAX_VALUE ? Record.MAX_VALUE : high, "largest");
        eq(Record.first(record), began, "first");
        eq(Record.last(record), time, "last");
    }

    function test_fieldsFillUp() external pure {
        uint256 record = type(uint256).max;
        uint256 next = Record.added(record, type(uint256).max >> 1, address(1), type(uint32).max);
        eq(next, record, "full");
        (uint256 low, uint256 high) = Features.pack(next, next);
        require(low >> 252 == 0 && high >> 252 == 0, "63 digits");
        eq(low >> 240, 0, "the last three digits");
        eq(low & 0xffffffff, Features.MAX_TIME, "time");
    }

    function test_distinctIsClose() external pure {
        uint256[4] memory truth = [uint256(1), 5, 20, 60];
        for (uint256 i; i < 4; ++i) {
            uint256 record;
            for (uint256 n; n < 3 * truth[i]; ++n) {
                record = Record.added(record, 1, address(uint160(0xabc + n % truth[i])), 1);
            }
            uint256 said = Record.distinct(record);
            uint256 off = said > truth[i] ? said - truth[i] : truth[i] - said;
            require(off * 4 <= truth[i], string.concat("distinct: ", text(said), " for ", text(truth[i])));
        }
        // Each bit set, and enough calls: the most that can be said.
        eq(Record.distinct(type(uint256).max), 171, "full");
        // Never more than calls.
        eq(Record.distinct(uint256(type(uint40).max) << 216 | uint256(3) << 192), 3, "count");
    }

    /// @dev The digits of the table in `Features`, one by one; `tests/tests/it/fraud.rs` has the same vector.
    function test_limbs() external pure {
        uint256 received;
        received = Record.added(received, 5_000_000, address(0x11), 1_700_000_000);
        received = Record.added(received, 250_000, address(0x12), 1_700_000_600);
        received = Record.added(received, 7_000_001, address(0x11), 1_700_003_600);
        uint256 sent;
        sent = Record.added(sent, 12_250_003, address(0x21), 1_700_003_700);
        sent = Record.added(sent, 1, address(0x21), 1_700_090_100);
        (uint256 low, uint256 high) = Features.pack(received, sent);
        eq(low, join([Features.MAX_TIME, 3, 2, 250_000, 7_000_001, 12_250_001]) | uint256(5) << 216, "low");
        eq(high, join([uint256(86_400), 2, 1, 1, 12_250_003, 12_250_004]) | uint256(3) << 200 | 1 << 248, "high");
        eq(low, 0x00000000050000000000baeb9100006acfc1000003d09000020000033fffffff, "low, as the model's test has it");
        eq(high, 0x01000000000003000000baeb940000baeb930000000001000100000200015180, "high, the same");
    }

    function join(uint256[6] memory n) private pure returns (uint256) {
        return n[0] | n[1] << 32 | n[2] << 56 | n[3] << 72 | n[4] << 112 | n[5] << 152;
    }
}

/// @title What the guard counts for an account
contract GuardRecord is GuardBase {
    function test_recordsFollowTheCalls() external {
        vm.warp(START + 100);
        put(THIEF, 3.5 ether);
        vm.warp(START + 300);
        take(THIEF, 2 ether);
        vm.warp(START + 1000);
        vm.prank(THIEF);
        vault.withdraw(1 ether, ANYONE, THIEF);
        (uint256 received, uint256 sent) = vault.recordOf(THIEF);
        eq(Record.count(received), 2, "in");
        eq(Record.total(received), 103.5e6, "in, total");
        eq(Record.smallest(received), 3.5e6, "in, smallest");
        eq(Record.largest(received), 100e6, "in, largest");
        eq(Record.last(received), START + 100, "in, last");
        eq(Record.distinct(received), 1, "in, from itself");
        eq(Record.count(sent), 2, "out");
        eq(Record.total(sent), 3e6, "out, total");
        eq(Record.smallest(sent), 1e6, "out, smallest");
        eq(Record.largest(sent), 2e6, "out, largest");
        eq(Record.last(sent) - Record.first(sent), 700, "out, time");
        eq(Record.distinct(sent), 2, "out, to two");
        uint256[] memory limbs = vault.featuresOf(THIEF);
        eq(limbs[1] >> 200, 100.5e6, "balance");
        eq(limbs[0] >> 216, 4, "calls");
    }

    function test_flaggedWithdrawalIsInItsOwnFeatures() external {
        uint256 incident = flagged(THIEF, 90 ether);
        uint256[] memory list = vault.instances(incident, PROVER);
        eq((list[3] >> 152) & Record.MAX_TOTAL, 90e6, "out");
        eq(list[3] >> 200, 10e6, "balance");
    }
}
