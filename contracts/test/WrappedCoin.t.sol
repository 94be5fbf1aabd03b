// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {WrappedCoin} from "../src/examples/WrappedCoin.sol";
import {Base} from "./Base.sol";

/// @dev Withdraws again while it is being paid.
contract Greedy {
    WrappedCoin private immutable coin;
    bool public again;

    constructor(WrappedCoin coin_) {
        coin = coin_;
    }

    function run() external payable {
        coin.deposit{value: msg.value}();
        coin.withdraw(msg.value);
    }

    receive() external payable {
        if (again) return;
        again = true;
        // Whatever comes of it, it is not more than it had.
        try coin.withdraw(msg.value) {} catch {}
    }
}

contract WrappedCoinTest is Base {
    WrappedCoin private coin;
    address private constant ANNA = address(0xa);
    address private constant BORIS = address(0xb);

    function setUp() public {
        coin = new WrappedCoin();
        vm.deal(ANNA, 10 ether);
        vm.prank(ANNA);
        coin.deposit{value: 10 ether}();
    }

    function test_coinsAreTokensAndBack() public {
        vm.prank(ANNA);
        coin.transfer(BORIS, 4 ether);
        eq(coin.balanceOf(BORIS), 4 ether, "tokens");
        eq(coin.totalSupply(), 10 ether, "supply");
        vm.prank(BORIS);
        coin.withdraw(4 ether);
        eq(BORIS.balance, 4 ether, "coins");
        eq(coin.totalSupply(), 6 ether, "supply after");
    }

    function test_nobodyTakesMoreThanTheirs() public {
        vm.prank(ANNA);
        vm.expectRevert(abi.encodeWithSelector(WrappedCoin.InsufficientBalance.selector, 10 ether));
        coin.withdraw(10 ether + 1);
        vm.prank(BORIS);
        vm.expectRevert(abi.encodeWithSelector(WrappedCoin.InsufficientBalance.selector, 0));
        coin.transfer(ANNA, 1);
        Greedy greedy = new Greedy(coin);
        vm.deal(address(this), 1 ether);
        greedy.run{value: 1 ether}();
        eq(address(greedy).balance, 1 ether, "what it put in");
        eq(address(coin).balance, 10 ether, "what Anna put in");
    }

    function test_allowancesAreUsedUp() public {
        vm.prank(ANNA);
        coin.approve(BORIS, 3 ether);
        vm.prank(BORIS);
        coin.transferFrom(ANNA, BORIS, 2 ether);
        vm.prank(BORIS);
        vm.expectRevert(abi.encodeWithSelector(WrappedCoin.InsufficientAllowance.selector, 1 ether));
        coin.transferFrom(ANNA, BORIS, 2 ether);
        vm.prank(ANNA);
        coin.approve(BORIS, type(uint256).max);
        vm.prank(BORIS);
        coin.transferFrom(ANNA, BORIS, 8 ether);
        eq(coin.allowance(ANNA, BORIS), type(uint256).max, "without end");
    }
}
