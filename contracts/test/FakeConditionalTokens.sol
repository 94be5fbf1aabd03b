// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @title Conditions as Gnosis' Conditional Tokens keep them
/// @dev For tests only: the conditions alone, without positions and collateral. Made after the deployed contract's
/// public interface, down to which calls fail with which words.
contract FakeConditionalTokens {
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

    mapping(bytes32 conditionId => uint256[]) public payoutNumerators;
    mapping(bytes32 conditionId => uint256) public payoutDenominator;

    function prepareCondition(address oracle, bytes32 questionId, uint256 outcomeSlotCount) external {
        require(outcomeSlotCount <= 256, "too many outcome slots");
        require(outcomeSlotCount > 1, "there should be more than one outcome slot");
        bytes32 conditionId = getConditionId(oracle, questionId, outcomeSlotCount);
        require(payoutNumerators[conditionId].length == 0, "condition already prepared");
        payoutNumerators[conditionId] = new uint256[](outcomeSlotCount);
        emit ConditionPreparation(conditionId, oracle, questionId, outcomeSlotCount);
    }

    function reportPayouts(bytes32 questionId, uint256[] calldata payouts) external {
        uint256 slots = payouts.length;
        require(slots > 1, "there should be more than one outcome slot");
        // Whoever calls is the oracle that is reported for.
        bytes32 conditionId = getConditionId(msg.sender, questionId, slots);
        uint256[] storage numerators = payoutNumerators[conditionId];
        require(numerators.length == slots, "condition not prepared or found");
        require(payoutDenominator[conditionId] == 0, "payout denominator already set");
        uint256 denominator;
        for (uint256 i; i < slots; ++i) {
            denominator += payouts[i];
            require(numerators[i] == 0, "payout numerator already set");
            numerators[i] = payouts[i];
        }
        require(denominator > 0, "payout is all zeroes");
        payoutDenominator[conditionId] = denominator;
        emit ConditionResolution(conditionId, msg.sender, questionId, slots, payouts);
    }

    function getOutcomeSlotCount(bytes32 conditionId) external view returns (uint256) {
        return payoutNumerators[conditionId].length;
    }

    function getConditionId(address oracle, bytes32 questionId, uint256 outcomeSlotCount)
        public
        pure
        returns (bytes32)
    {
        return keccak256(abi.encodePacked(oracle, questionId, outcomeSlotCount));
    }
}
