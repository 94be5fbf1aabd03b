// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

import {BulletinMarket} from "../src/market/BulletinMarket.sol";
import {PredictionMarket} from "../src/market/PredictionMarket.sol";
import {Terms} from "../src/market/Terms.sol";
import {ResolveBase} from "./ResolveBase.sol";

/// @title Prediction markets are decided by bulletins and proofs alone
contract MarketResolveTest is ResolveBase {
    function deployed() internal override returns (BulletinMarket) {
        return new PredictionMarket();
    }

    function opened(Terms memory terms_) internal override returns (uint256) {
        return PredictionMarket(address(at)).open(terms_);
    }
}
