// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// @title The chain's coin as an ERC-20 token
/// @notice One token for each wei that was deposited, and back: the asset of the guarded vault's demo.
/// @dev Dangers. Coins that are sent here without a call of `deposit` are refused, as there is no `receive`. You must
/// not deploy it where a wrapped coin exists that others use: tokens of two such contracts are not the same.
///
/// Threats: who could gain by what, and the test in test/WrappedCoin.t.sol that tries it.
///   an owner withdraws more than it deposited, or re-enters to do so   test_nobodyTakesMoreThanTheirs
///   a spender moves more than it was allowed                           test_allowancesAreUsedUp
contract WrappedCoin {
    // ---------------------------------------------------------------- constants

    string public constant name = "Wrapped coin";
    string public constant symbol = "WCOIN";
    uint8 public constant decimals = 18;

    // ---------------------------------------------------------------- errors

    /// @notice The account has less than this.
    error InsufficientBalance(uint256 balance);

    /// @notice The spender may move less than this.
    error InsufficientAllowance(uint256 allowance);

    /// @notice The receiver refused the coins.
    error PaymentFailed();

    // ---------------------------------------------------------------- events

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    // ---------------------------------------------------------------- storage

    mapping(address account => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    // ---------------------------------------------------------------- coins

    /// @notice Makes tokens of the coins that come along.
    function deposit() external payable {
        balanceOf[msg.sender] += msg.value;
        emit Transfer(address(0), msg.sender, msg.value);
    }

    /// @notice Makes coins of the caller's tokens.
    function withdraw(uint256 value) external {
        _take(msg.sender, value);
        emit Transfer(msg.sender, address(0), value);
        (bool ok,) = msg.sender.call{value: value}("");
        if (!ok) revert PaymentFailed();
    }

    // ---------------------------------------------------------------- tokens

    /// @notice All tokens there are.
    function totalSupply() external view returns (uint256) {
        return address(this).balance;
    }

    /// @notice Lets a spender move so many of the caller's tokens; all that there ever are if it is 2^256 - 1.
    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    /// @notice Moves the caller's tokens.
    function transfer(address to, uint256 value) external returns (bool) {
        _move(msg.sender, to, value);
        return true;
    }

    /// @notice Moves tokens that the caller was allowed to.
    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed != type(uint256).max) {
            if (allowed < value) revert InsufficientAllowance(allowed);
            unchecked {
                allowance[from][msg.sender] = allowed - value;
            }
        }
        _move(from, to, value);
        return true;
    }

    // ---------------------------------------------------------------- inner functions

    function _move(address from, address to, uint256 value) private {
        _take(from, value);
        unchecked {
            balanceOf[to] += value;
        }
        emit Transfer(from, to, value);
    }

    function _take(address from, uint256 value) private {
        uint256 balance = balanceOf[from];
        if (balance < value) revert InsufficientBalance(balance);
        unchecked {
            balanceOf[from] = balance - value;
        }
    }
}
