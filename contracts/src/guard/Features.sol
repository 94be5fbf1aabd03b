// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Record} from "./Record.sol";

/// @title What the fraud model reads of an account
/// @notice Packs an account's two records into the limbs that are the model's public input.
/// @dev The model takes 126 digits of 4 bits, 63 a limb, the first lowest; each number has its lowest digit first. It
/// takes logarithms itself, so nothing is scaled here.
///
/// | limb | digits | number | kept how |
/// |---|---|---|---|
/// | 0 | 0-7 | received: time of the last one, at most 2^30 - 1 | as the training data count it: from 1970 |
/// | 0 | 8-13 | received: count | exact to 2^24 - 1 |
/// | 0 | 14-17 | received: distinct counterparties | estimate, at most 171 |
/// | 0 | 18-27, 28-37, 38-49 | received: smallest, largest, total | units, rounded down call by call |
/// | 0 | 50-53 | contracts created | 0: nothing is created through a guard |
/// | 0 | 54-59 | sent and received: count | |
/// | 1 | 0-7 | sent: seconds from the first to the last, at most 2^30 - 1 | exact |
/// | 1 | 8-13, 14-17, 18-27, 28-37, 38-49 | sent: as received | |
/// | 1 | 50-61 | total received less total sent, without its sign | |
/// | 1 | 62 | 1 if that is negative | |
///
/// The model's averages are total / count and its mean gaps time / count: differences of logarithms, in the model.
library Features {
    uint256 internal constant LIMBS = 2;
    uint256 internal constant MAX_TIME = (1 << 30) - 1;

    /// @notice The limbs, each below 2^252.
    /// @param received The account's record of what came in.
    /// @param sent Its record of what went out.
    function pack(uint256 received, uint256 sent) internal pure returns (uint256 low, uint256 high) {
        uint256 calls = Record.count(received) + Record.count(sent);
        if (calls > Record.MAX_COUNT) calls = Record.MAX_COUNT;
        low = _direction(received, Record.last(received)) | calls << 216;
        (uint256 inward, uint256 outward) = (Record.total(received), Record.total(sent));
        high = _direction(sent, Record.last(sent) - Record.first(sent));
        if (inward >= outward) high |= (inward - outward) << 200;
        else high |= (outward - inward) << 200 | 1 << 248;
    }

    function _direction(uint256 record, uint256 time) private pure returns (uint256) {
        if (time > MAX_TIME) time = MAX_TIME;
        return time | Record.count(record) << 32 | Record.distinct(record) << 56 | Record.smallest(record) << 72
            | Record.largest(record) << 112 | Record.total(record) << 152;
    }
}
