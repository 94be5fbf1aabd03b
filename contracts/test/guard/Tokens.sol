// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {GuardedVault} from "../../src/guard/GuardedVault.sol";

/// @title A token that does what a token should
contract Token {
    uint8 public decimals = 18;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    function mint(address to, uint256 value) external {
        balanceOf[to] += value;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        return true;
    }

    function transfer(address to, uint256 value) public virtual returns (bool) {
        _move(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) public virtual returns (bool) {
        allowance[from][msg.sender] -= value;
        _move(from, to, value);
        return true;
    }

    function _move(address from, address to, uint256 value) internal virtual {
        balanceOf[from] -= value;
        balanceOf[to] += value;
    }
}

/// @title A token that keeps a hundredth of what it moves
contract FeeToken is Token {
    function _move(address from, address to, uint256 value) internal override {
        balanceOf[from] -= value;
        balanceOf[to] += value - value / 100;
    }
}

/// @title A token that refuses by an answer, not by a revert
contract FalseToken is Token {
    bool public broken;

    function setBroken(bool b) external {
        broken = b;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        return broken ? false : super.transfer(to, value);
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        return broken ? false : super.transferFrom(from, to, value);
    }
}

/// @title An old token: its transfers return nothing
contract SilentToken {
    uint8 public decimals = 6;
    mapping(address => uint256) public balanceOf;

    function mint(address to, uint256 value) external {
        balanceOf[to] += value;
    }

    function transfer(address to, uint256 value) external {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
    }

    function transferFrom(address from, address to, uint256 value) external {
        balanceOf[from] -= value;
        balanceOf[to] += value;
    }
}

/// @title A token that calls the vault back while it moves, as ERC-777 tokens let a receiver do
contract CallingToken is Token {
    address private target;
    bytes private data;
    bool public succeeded;
    bytes4 public reason;

    function arm(address target_, bytes calldata data_) external {
        (target, data) = (target_, data_);
    }

    function _move(address from, address to, uint256 value) internal override {
        if (target != address(0)) {
            bytes memory answer;
            (succeeded, answer) = target.call(data);
            if (!succeeded && answer.length >= 4) reason = bytes4(answer);
        }
        super._move(from, to, value);
    }
}
