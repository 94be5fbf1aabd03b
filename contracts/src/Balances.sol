// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @title Money that is owed, until its owner takes it out
/// @notice Keeps a balance in the chain's coin for each account. Payments only change balances, and `withdraw` pays
/// them out.
/// @dev A contract that inherits from this must credit no more than it has been sent. It must not pay by any other
/// way: then nobody who refuses a payment, or calls back while it is made, can hold up or change what others get.
abstract contract Balances {
    // ---------------------------------------------------------------- errors

    /// @notice The balance is too small.
    error InsufficientBalance(uint256 balance);

    /// @notice The receiver refused the payment.
    error PaymentFailed();

    // ---------------------------------------------------------------- events

    /// @notice Money of `account` went out to `to`.
    event Withdrawn(address indexed account, address indexed to, uint256 amount);

    // ---------------------------------------------------------------- storage

    /// @notice What each account may withdraw, in wei.
    mapping(address account => uint256) public balanceOf;

    // ---------------------------------------------------------------- functions

    /// @notice Sends part of the caller's balance to `to`.
    function withdraw(address payable to, uint256 amount) external {
        uint256 balance = balanceOf[msg.sender];
        if (amount > balance) revert InsufficientBalance(balance);
        unchecked {
            balanceOf[msg.sender] = balance - amount;
        }
        emit Withdrawn(msg.sender, to, amount);
        bool ok;
        // Nothing of what the receiver answers is copied, however long it is.
        assembly ("memory-safe") {
            ok := call(gas(), to, amount, 0, 0, 0, 0)
        }
        if (!ok) revert PaymentFailed();
    }

    /// @dev Adds to an account's balance.
    function _credit(address account, uint256 amount) internal {
        balanceOf[account] += amount;
    }
}
