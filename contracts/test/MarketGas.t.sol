// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {BulletinBoard} from "../src/market/BulletinBoard.sol";
import {BulletinMarket} from "../src/market/BulletinMarket.sol";
import {ConditionalTokensAdapter} from "../src/market/ConditionalTokensAdapter.sol";
import {IConditionalTokens} from "../src/market/IConditionalTokens.sol";
import {PredictionMarket} from "../src/market/PredictionMarket.sol";
import {Bulletin, Terms} from "../src/market/Terms.sol";
import {BulletinsHarness} from "./BulletinsHarness.sol";
import {FakeConditionalTokens} from "./FakeConditionalTokens.sol";
import {FreeVerifier} from "./FreeVerifier.sol";
import {MarketBase} from "./MarketBase.sol";
import {MockVerifier} from "./MockVerifier.sol";

/// @title What the tests of the markets' gas share
abstract contract MarketGasBase is MarketBase {
    function setUp() public virtual override {
        super.setUp();
        verifier = MockVerifier(address(new FreeVerifier(MODEL)));
    }

    /// @dev The longest text.
    function longest() internal pure returns (bytes memory text_) {
        text_ = new bytes(248);
        for (uint256 i; i < 248; ++i) {
            text_[i] = bytes1(uint8(0x20 + i % 95));
        }
    }

    function longBulletin() internal view returns (Bulletin memory) {
        return signed(PUBLISHER_KEY, FEED, SEQUENCE, close, longest());
    }

    function other(string memory question) internal view returns (Terms memory t) {
        t = terms();
        t.question = question;
    }

    function resolve(BulletinMarket at, uint256 market, Bulletin memory bulletin_, uint256 class, uint256 proofBytes)
        internal
    {
        bytes memory proof = new bytes(proofBytes);
        for (uint256 i; i < proofBytes; ++i) {
            proof[i] = 0xff;
        }
        vm.prank(SUBMITTER);
        at.resolve(market, bulletin_, class, 10, proof);
    }
}

/// @title What prediction markets cost
/// @notice Whole transactions, with cold storage: each call runs on its own. The verifier costs nothing.
/// forge-config: default.isolate = true
contract PredictionMarketGasTest is MarketGasBase {
    address private constant ANN = address(0xa22);
    address private constant BEN = address(0xbe2);

    PredictionMarket private markets;

    function setUp() public override {
        super.setUp();
        markets = new PredictionMarket();
        markets.open(other("The first one"));
        vm.deal(ANN, 10 ether);
        vm.deal(BEN, 10 ether);
    }

    function test_marketThatIsDecided() external {
        uint256 market = markets.open(terms());
        vm.snapshotGasLastCall("open, a question of 34 bytes");
        vm.prank(ANN);
        markets.bet{value: 1 ether}(market, 0);
        vm.snapshotGasLastCall("bet, the first on an outcome");
        vm.prank(BEN);
        markets.bet{value: 1 ether}(market, 0);
        vm.snapshotGasLastCall("bet, another account's");
        vm.prank(BEN);
        markets.bet{value: 1 ether}(market, 0);
        vm.snapshotGasLastCall("bet, the same account's again");
        vm.prank(BEN);
        markets.bet{value: 1 ether}(market, 1);
        vm.warp(close);
        resolve(markets, market, longBulletin(), 0, 0);
        vm.snapshotGasLastCall("resolve, 248 bytes of text, no proof");
        vm.prank(ANN);
        markets.claim(market);
        vm.snapshotGasLastCall("claim, a winner's first balance");
        vm.prank(ANN);
        markets.withdraw(payable(ANN), 1 ether);
        vm.snapshotGasLastCall("withdraw, a part");
    }

    function test_otherProofsAndTexts() external {
        uint256 market = markets.open(terms());
        vm.warp(close);
        resolve(markets, market, bulletin(), 0, 0);
        vm.snapshotGasLastCall("resolve, 60 bytes of text, no proof");
        resolve(markets, 1, longBulletin(), 0, 1024);
        vm.snapshotGasLastCall("resolve, 248 bytes of text, 1024 proof bytes 0xff");
    }

    function test_marketThatExpires() external {
        vm.prank(ANN);
        markets.bet{value: 1 ether}(1, 0);
        vm.warp(deadline + 1);
        markets.expire(1);
        vm.snapshotGasLastCall("expire");
        vm.prank(ANN);
        markets.claim(1);
        vm.snapshotGasLastCall("claim, a refund of one bet");
    }
}

/// @title What the adapter to Conditional Tokens costs
/// @notice Whole transactions, with cold storage; the tokens are a test's, which cost about what the real ones do.
/// forge-config: default.isolate = true
contract ConditionalTokensAdapterGasTest is MarketGasBase {
    ConditionalTokensAdapter private adapter;

    function setUp() public override {
        super.setUp();
        adapter = new ConditionalTokensAdapter(IConditionalTokens(address(new FakeConditionalTokens())));
        adapter.open(other("The first one"));
    }

    function test_conditions() external {
        uint256 market = adapter.open(terms());
        vm.snapshotGasLastCall("open, a question of 34 bytes, three outcomes");
        adapter.open(terms());
        vm.snapshotGasLastCall("open, terms that are open already");
        vm.warp(close);
        resolve(adapter, market, longBulletin(), 0, 0);
        vm.snapshotGasLastCall("resolve, 248 bytes of text, no proof, three outcomes");
        vm.warp(deadline + 1);
        adapter.expire(1);
        vm.snapshotGasLastCall("expire, three outcomes");
    }
}

/// @title What checking and publishing bulletins costs
/// @notice Whole transactions; of the library, the function alone.
/// forge-config: default.isolate = true
contract BulletinsGasTest is MarketGasBase {
    function test_board() external {
        BulletinBoard board = new BulletinBoard();
        Bulletin memory b = longBulletin();
        board.post(FEED, SEQUENCE, b.timestamp, b.text, b.signature);
        vm.snapshotGasLastCall("BulletinBoard.post, 248 bytes of text");
    }

    function test_library() external {
        (uint256 check, uint256 packing) = new BulletinsHarness().gasOf(longest());
        vm.snapshotValue("ASCII check of 248 bytes", check);
        vm.snapshotValue("packing of 248 bytes", packing);
    }
}
