// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice What a market is about. Nothing of it can change.
/// @param publisher Whose bulletins count.
/// @param feedId The feed that the bulletin must be of, and its number there, `sequence`.
/// @param close From this time on the market can be resolved, by a bulletin that isn't older.
/// @param deadline The last second in which it can be; afterwards it is undecided.
/// @param verifier The verifier of the text model, which must return `modelId`.
/// @param minMargin The least margin between the model's first and second choice that counts.
/// @param classes How many classes the model has.
/// @param noResult The class that decides nothing, or 255. All others are the outcomes.
/// @param question What the outcomes mean, for humans.
struct Terms {
    address publisher;
    bytes32 feedId;
    uint64 sequence;
    uint64 close;
    uint64 deadline;
    address verifier;
    bytes32 modelId;
    uint32 minMargin;
    uint8 classes;
    uint8 noResult;
    string question;
}

/// @notice A signed bulletin, without what a market's terms say already.
/// @param timestamp When it was signed, by its publisher's clock.
/// @param text Its text.
/// @param signature The publisher's signature: r, s, v.
struct Bulletin {
    uint64 timestamp;
    bytes text;
    bytes signature;
}

/// @notice Where a market stands.
enum Status {
    None,
    Open,
    Decided,
    Undecided
}

/// @notice A market as stored: its terms but for the question, which is in the event only.
/// @param class What was decided.
/// @param codeHash The hash of the verifier's code, which must stay the same.
struct Market {
    address publisher;
    uint64 sequence;
    uint8 classes;
    uint8 noResult;
    uint8 class;
    Status status;
    address verifier;
    uint64 close;
    uint32 minMargin;
    bytes32 feedId;
    bytes32 modelId;
    bytes32 codeHash;
    uint64 deadline;
}
