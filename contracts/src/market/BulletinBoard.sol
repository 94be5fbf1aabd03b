// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {Bulletins} from "./Bulletins.sol";

/// @title A place to publish signed bulletins on chain
/// @notice Emits what a publisher signed, so that a watcher of this contract finds it, and nothing can be unsaid.
/// @dev Keeps nothing. Anyone may post what anyone signed, any number of times and in any order: you must look at the
/// publisher, and put up with repetitions, gaps, and two texts with one number.
///
/// Threats: who could gain by what, and the test in test/BulletinBoard.t.sol that tries it.
///   a forger posts in a publisher's name                      test_othersCannotPostInAPublishersName
///   a forger posts in the zero address' name                  test_badSignatures
///   somebody posts a signature again in its mirrored form     test_badSignatures
///   a publisher posts what no market can take                 test_badTexts
contract BulletinBoard {
    // ---------------------------------------------------------------- events

    /// @notice `publisher` signed this bulletin.
    event BulletinPosted(
        bytes32 indexed feedId,
        uint64 indexed sequence,
        address indexed publisher,
        uint64 timestamp,
        bytes text,
        bytes signature
    );

    // ---------------------------------------------------------------- functions

    /// @notice Publishes a bulletin that somebody signed.
    /// @param text 1 to 248 bytes of printable ASCII.
    /// @param signature r, s and v: 65 bytes.
    function post(bytes32 feedId, uint64 sequence, uint64 timestamp, bytes calldata text, bytes calldata signature)
        external
    {
        bytes32 digest = Bulletins.digest(feedId, sequence, timestamp, Bulletins.checkedHash(text));
        address publisher = Bulletins.signer(digest, signature);
        emit BulletinPosted(feedId, sequence, publisher, timestamp, text, signature);
    }
}
