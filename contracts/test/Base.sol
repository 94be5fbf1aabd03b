// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @dev The cheat codes used here, of the many that forge has.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function deal(address who, uint256 balance) external;
    function etch(address where, bytes calldata code) external;
    function expectRevert() external;
    function expectPartialRevert(bytes4 selector) external;
    function expectRevert(bytes calldata data) external;
    function getRecordedLogs() external returns (Log[] memory);
    function prank(address sender) external;
    function recordLogs() external;
    function revertToState(uint256 snapshot) external returns (bool);
    function roll(uint256 blockNumber) external;
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function addr(uint256 key) external pure returns (address);
    function snapshotGasLastCall(string calldata name) external returns (uint256);
    function snapshotValue(string calldata name, uint256 value) external;
    function snapshotState() external returns (uint256 snapshot);
    function startPrank(address sender) external;
    function stopPrank() external;
    function warp(uint256 time) external;
}

/// @title What the tests share
abstract contract Base {
    Vm internal constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    event log_named_uint(string key, uint256 value);

    function eq(uint256 left, uint256 right, string memory what) internal pure {
        if (left != right) revert(string.concat(what, ": ", text(left), " is not ", text(right)));
    }

    function text(uint256 value) internal pure returns (string memory) {
        bytes memory digits = new bytes(78);
        uint256 at = 78;
        do {
            digits[--at] = bytes1(uint8(48 + value % 10));
            value /= 10;
        } while (value != 0);
        bytes memory out = new bytes(78 - at);
        for (uint256 i; i < out.length; ++i) {
            out[i] = digits[at + i];
        }
        return string(out);
    }
}
