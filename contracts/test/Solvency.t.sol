// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {InferenceOracle} from "../src/oracle/InferenceOracle.sol";
import {Tensor} from "../src/oracle/Schema.sol";
import {PredictionMarket} from "../src/market/PredictionMarket.sol";
import {Bulletins} from "../src/market/Bulletins.sol";
import {Bulletin, Market, Status, Terms} from "../src/market/Terms.sol";
import {Base} from "./Base.sol";
import {MockVerifier} from "./MockVerifier.sol";
import {Consumer} from "./OracleActors.sol";

/// @title Four accounts that do anything with an oracle, in any order
contract OracleUsers is Base {
    InferenceOracle public immutable oracle;
    Consumer private immutable consumer;
    uint256 private immutable model;
    uint256 public paidOut;

    constructor(InferenceOracle oracle_, uint256 model_) {
        (oracle, model) = (oracle_, model_);
        consumer = new Consumer();
    }

    function account(uint256 i) public pure returns (address) {
        return address(uint160(0x100000 + i % 4));
    }

    function ask(uint256 who, uint96 bounty, uint256 wait, bool callback, uint256 mood) external {
        consumer.set(Consumer.Mood(mood % 3));
        vm.deal(account(who), bounty);
        vm.prank(account(who));
        oracle.request{value: bounty}(
            model,
            new uint256[](1),
            InferenceOracle.Callback(callback ? address(consumer) : address(0), callback ? 100_000 : 0),
            uint64(block.timestamp + 1 + wait % 100)
        );
    }

    function answer(uint256 who, uint256 id) external {
        id = some(id);
        vm.prank(account(who));
        try oracle.answer(id, new uint256[](1), new uint256[](1), "proof") {} catch {}
    }

    function deliver(uint256 id, uint256 mood) external {
        consumer.set(Consumer.Mood(mood % 3));
        try oracle.deliver(some(id), new uint256[](1)) {} catch {}
    }

    function refund(uint256 id) external {
        try oracle.refund(some(id)) {} catch {}
    }

    function withdraw(uint256 who, uint256 amount) external {
        address from = account(who);
        amount = amount % (oracle.balanceOf(from) + 2);
        vm.prank(from);
        try oracle.withdraw(payable(from), amount) {
            paidOut += amount;
        } catch {}
    }

    function later(uint256 time) external {
        vm.warp(block.timestamp + time % 50);
    }

    function some(uint256 id) private view returns (uint256) {
        return 1 + id % (oracle.requestCount() + 1);
    }
}

/// @title An oracle holds just what it owes
/// forge-config: default.invariant.runs = 24
/// forge-config: default.invariant.depth = 64
contract OracleSolvencyTest is Base {
    InferenceOracle private oracle;
    OracleUsers private users;

    function setUp() external {
        vm.warp(1_800_000_000);
        oracle = new InferenceOracle();
        bytes32 modelId = keccak256("a model");
        Tensor[] memory one = new Tensor[](1);
        one[0] = Tensor(1, 8);
        uint256 model = oracle.register(address(new MockVerifier(modelId)), modelId, one, one, "");
        users = new OracleUsers(oracle, model);
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(users);
    }

    /// @notice The coin in the contract is that of open requests and of balances, to the wei.
    function invariant_holdsWhatItOwes() external view {
        uint256 owed;
        for (uint256 i; i < 4; ++i) {
            owed += oracle.balanceOf(users.account(i));
        }
        uint256 all;
        for (uint256 id = 1; id <= oracle.requestCount(); ++id) {
            InferenceOracle.RequestView memory r = oracle.requestOf(id);
            if (r.status == InferenceOracle.Status.Open) owed += r.bounty;
            all += r.bounty;
        }
        eq(address(oracle).balance, owed, "owed");
        eq(owed + users.paidOut(), all, "nothing is made or lost");
    }
}

/// @title Four accounts that do anything with three markets, in any order
contract MarketUsers is Base {
    uint256 private constant PUBLISHER_KEY = 0xb0b;

    PredictionMarket public immutable markets;
    uint64 private immutable close;
    uint256 public bets;
    uint256 public paidOut;

    constructor(PredictionMarket markets_, address verifier, bytes32 modelId) {
        markets = markets_;
        close = uint64(block.timestamp) + 500;
        for (uint64 i; i < 3; ++i) {
            markets.open(
                Terms({
                    publisher: vm.addr(PUBLISHER_KEY),
                    feedId: 0,
                    sequence: i,
                    close: close,
                    deadline: close + 500,
                    verifier: verifier,
                    modelId: modelId,
                    minMargin: 0,
                    classes: 4,
                    noResult: 3,
                    question: ""
                })
            );
        }
    }

    function account(uint256 i) public pure returns (address) {
        return address(uint160(0x100000 + i % 4));
    }

    function bet(uint256 who, uint256 market, uint8 outcome, uint96 amount, bool dust) external {
        uint256 sent = dust ? amount % 4 : amount;
        vm.deal(account(who), sent);
        vm.prank(account(who));
        try markets.bet{value: sent}(1 + market % 3, outcome % 4) {
            bets += sent;
        } catch {}
    }

    function resolve(uint256 market, uint256 class) external {
        bytes32 digest = Bulletins.digest(0, uint64(market % 3), close, keccak256("Full time."));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(PUBLISHER_KEY, digest);
        Bulletin memory bulletin = Bulletin(close, "Full time.", abi.encodePacked(r, s, v));
        try markets.resolve(1 + market % 3, bulletin, class % 5, 0, "proof") {} catch {}
    }

    function expire(uint256 market) external {
        try markets.expire(1 + market % 3) {} catch {}
    }

    function claim(uint256 who, uint256 market) external {
        vm.prank(account(who));
        try markets.claim(1 + market % 3) {} catch {}
    }

    function withdraw(uint256 who, uint256 amount) external {
        address from = account(who);
        amount = amount % (markets.balanceOf(from) + 2);
        vm.prank(from);
        try markets.withdraw(payable(from), amount) {
            paidOut += amount;
        } catch {}
    }

    function later(uint256 time) external {
        vm.warp(block.timestamp + time % 100);
    }
}

/// @title Markets hold what they owe, and no more than dust besides
/// forge-config: default.invariant.runs = 24
/// forge-config: default.invariant.depth = 96
contract MarketSolvencyTest is Base {
    PredictionMarket private markets;
    MarketUsers private users;

    function setUp() external {
        vm.warp(1_800_000_000);
        markets = new PredictionMarket();
        bytes32 modelId = keccak256("a model");
        users = new MarketUsers(markets, address(new MockVerifier(modelId)), modelId);
    }

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(users);
    }

    function invariant_holdsWhatItOwes() external view {
        uint256 owed;
        for (uint256 i; i < 4; ++i) {
            owed += markets.balanceOf(users.account(i));
        }
        for (uint256 id = 1; id <= 3; ++id) {
            owed += unclaimed(id);
        }
        uint256 held = address(markets).balance;
        eq(held + users.paidOut(), users.bets(), "nothing is made");
        require(held >= owed, "owes more than it holds");
        // Each of three markets has lost less than a wei for each of four winners.
        require(held - owed < 12, "more than dust is lost");
    }

    /// @dev What the accounts' claims would still bring, or what they have bet while the market is open.
    function unclaimed(uint256 id) private view returns (uint256 sum) {
        Market memory m = markets.marketOf(id);
        uint256 winning = m.status == Status.Decided ? markets.poolOf(id, m.class) : 0;
        for (uint256 i; i < 4; ++i) {
            for (uint256 outcome; outcome < 4; ++outcome) {
                uint256 amount = markets.betOf(id, users.account(i), outcome);
                if (winning == 0) sum += amount;
                else if (outcome == m.class) sum += amount * markets.totalOf(id) / winning;
            }
        }
    }
}
