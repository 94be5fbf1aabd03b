// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @title Conditions that behave as those of Gnosis' Conditional Tokens
/// @dev For tests only: conditions without positions and collateral. It has the public interface of the real ones, and
/// refuses what they refuse, with errors of its own.
contract FakeConditionalTokens {
    error SlotsOutOfRange(uint256 slots);
    error PreparedAlready(bytes32 conditionId);
    error NotPrepared(bytes32 conditionId);
    error ReportedAlready(bytes32 conditionId);
    error NothingPaid(bytes32 conditionId);

    /// @notice A condition became known.
    event ConditionPreparation(
        bytes32 indexed conditionId, address indexed oracle, bytes32 indexed questionId, uint256 outcomeSlotCount
    );

    /// @notice A condition's payouts became known.
    event ConditionResolution(
        bytes32 indexed conditionId,
        address indexed oracle,
        bytes32 indexed questionId,
        uint256 outcomeSlotCount,
        uint256[] payoutNumerators
    );

    /// @notice A prepared condition's slots, all zero until they are reported; no slots of one that isn't prepared.
    mapping(bytes32 conditionId => uint256[] slots) public payoutNumerators;

    /// @notice The sum of the numerators, zero until they are reported.
    mapping(bytes32 conditionId => uint256) public payoutDenominator;

    /// @notice Anyone may prepare any condition, once.
    function prepareCondition(address oracle, bytes32 questionId, uint256 slots) external {
        if (slots < 2 || slots > 256) revert SlotsOutOfRange(slots);
        bytes32 id = getConditionId(oracle, questionId, slots);
        if (getOutcomeSlotCount(id) != 0) revert PreparedAlready(id);
        for (uint256 i; i < slots; ++i) {
            payoutNumerators[id].push(0);
        }
        emit ConditionPreparation(id, oracle, questionId, slots);
    }

    /// @notice Whoever calls is the oracle of the condition that is reported; once.
    function reportPayouts(bytes32 questionId, uint256[] calldata payouts) external {
        bytes32 id = getConditionId(msg.sender, questionId, payouts.length);
        if (getOutcomeSlotCount(id) == 0) revert NotPrepared(id);
        if (payoutDenominator[id] != 0) revert ReportedAlready(id);
        payoutNumerators[id] = payouts;
        uint256 sum;
        for (uint256 i; i < payouts.length; ++i) {
            sum += payouts[i];
        }
        if (sum == 0) revert NothingPaid(id);
        payoutDenominator[id] = sum;
        emit ConditionResolution(id, msg.sender, questionId, payouts.length, payouts);
    }

    function getOutcomeSlotCount(bytes32 conditionId) public view returns (uint256) {
        return payoutNumerators[conditionId].length;
    }

    function getConditionId(address oracle, bytes32 questionId, uint256 slots) public pure returns (bytes32) {
        return keccak256(abi.encodePacked(oracle, questionId, slots));
    }
}
