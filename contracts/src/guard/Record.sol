// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @title What an account did in one direction, in one word
/// @notice Count, first and last time, smallest, largest and summed value, and a sketch of the counterparties.
/// @dev From the lowest bit: total 48, largest 40, smallest 40, first time 32, last time 32, count 24, sketch 40 bits.
/// Times are seconds since 1970, values are units. Whatever outgrows its field stays at the field's largest number: a
/// record never wraps, and never refuses a call. An account without a record has the word 0.
///
/// The sketch has 40 bits, one of which each counterparty sets by its hash. The number of distinct counterparties is
/// estimated from the bits that are set; it never exceeds the count, and ends at 171. An account can choose
/// counterparties that share bits and look as if it had fewer: you must not take the estimate for more than it is.
library Record {
    uint256 internal constant MAX_TOTAL = (1 << 48) - 1;
    uint256 internal constant MAX_VALUE = (1 << 40) - 1;
    uint256 internal constant MAX_COUNT = (1 << 24) - 1;
    uint256 internal constant SKETCH_BITS = 40;

    uint256 private constant LARGEST = 48;
    uint256 private constant SMALLEST = 88;
    uint256 private constant FIRST = 128;
    uint256 private constant LAST = 160;
    uint256 private constant COUNT = 192;
    uint256 private constant SKETCH = 216;

    /// @notice The record after one more call.
    /// @param record The record before it.
    /// @param value What was moved, in units.
    /// @param counterparty Where it came from or went.
    /// @param time The block's time.
    function added(uint256 record, uint256 value, address counterparty, uint256 time)
        internal
        pure
        returns (uint256 next)
    {
        uint256 short = value > MAX_VALUE ? MAX_VALUE : value;
        uint256 sum = total(record) + value;
        if (sum > MAX_TOTAL) sum = MAX_TOTAL;
        uint256 n = count(record);
        uint256 low = short;
        uint256 high = short;
        uint256 began = uint32(time);
        if (n != 0) {
            (uint256 oldLow, uint256 oldHigh) = (smallest(record), largest(record));
            if (oldLow < low) low = oldLow;
            if (oldHigh > high) high = oldHigh;
            began = first(record);
        }
        if (n != MAX_COUNT) ++n;
        next = sum | high << LARGEST | low << SMALLEST | began << FIRST | uint256(uint32(time)) << LAST | n << COUNT
            | (sketch(record) | bit(counterparty)) << SKETCH;
    }

    function total(uint256 record) internal pure returns (uint256) {
        return record & MAX_TOTAL;
    }

    function largest(uint256 record) internal pure returns (uint256) {
        return (record >> LARGEST) & MAX_VALUE;
    }

    function smallest(uint256 record) internal pure returns (uint256) {
        return (record >> SMALLEST) & MAX_VALUE;
    }

    function first(uint256 record) internal pure returns (uint256) {
        return uint32(record >> FIRST);
    }

    function last(uint256 record) internal pure returns (uint256) {
        return uint32(record >> LAST);
    }

    function count(uint256 record) internal pure returns (uint256) {
        return (record >> COUNT) & MAX_COUNT;
    }

    function sketch(uint256 record) internal pure returns (uint256) {
        return record >> SKETCH;
    }

    /// @notice The bit that a counterparty sets in the sketch.
    function bit(address counterparty) internal pure returns (uint256 b) {
        assembly ("memory-safe") {
            mstore(0, counterparty)
            b := shl(mod(keccak256(0, 0x20), SKETCH_BITS), 1)
        }
    }

    /// @notice About how many distinct counterparties there were.
    /// @dev The bit that is set when b are set already stands for 40 / (40 - b) new ones.
    function distinct(uint256 record) internal pure returns (uint256 n) {
        unchecked {
            uint256 bits = sketch(record);
            for (uint256 empty = SKETCH_BITS; bits != 0; bits &= bits - 1) {
                n += (SKETCH_BITS << 16) / empty--;
            }
            n = (n + (1 << 15)) >> 16;
            uint256 most = count(record);
            if (n > most) n = most;
        }
    }
}
