// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @notice What a vault needs of its asset.
interface IAsset {
    function balanceOf(address account) external view returns (uint256);
    function decimals() external view returns (uint8);
    function transfer(address to, uint256 value) external returns (bool);
    function transferFrom(address from, address to, uint256 value) external returns (bool);
}

/// @title Transfers of tokens that may return nothing
/// @notice A transfer counts if the token has code, doesn't revert, and returns nothing or exactly true.
/// @dev What comes in must arrive whole: a token that takes a fee is refused. You must hold a lock around both, as
/// a token may call back.
library TokenCall {
    /// @notice The token refused, returned something else, or moved another amount.
    error TransferFailed(address token);

    /// @notice Takes `value` from `from`, who must have allowed it.
    function pull(IAsset token, address from, uint256 value) internal {
        uint256 before = token.balanceOf(address(this));
        _call(token, abi.encodeCall(IAsset.transferFrom, (from, address(this), value)));
        if (token.balanceOf(address(this)) != before + value) revert TransferFailed(address(token));
    }

    /// @notice Sends `value` to `to`.
    function push(IAsset token, address to, uint256 value) internal {
        _call(token, abi.encodeCall(IAsset.transfer, (to, value)));
    }

    function _call(IAsset token, bytes memory data) private {
        bool ok;
        assembly ("memory-safe") {
            mstore(0, 0)
            ok := call(gas(), token, 0, add(data, 0x20), mload(data), 0, 0x20)
            let size := returndatasize()
            let said := and(eq(size, 0x20), eq(mload(0), 1))
            ok := and(ok, or(said, and(iszero(size), gt(extcodesize(token), 0))))
        }
        if (!ok) revert TransferFailed(address(token));
    }
}
