//! What those who open markets and bet on them send, for demos and tests.

use alloy::sol_types::{SolCall, SolEvent, SolValue};
use zugzwang_contracts::{BulletinBoard, ConditionalTokensAdapter, PredictionMarket as abi};

use crate::chain::{
    ChainError, Wallet, bytecode,
    types::{Address, B256, Bytes, U256},
    wallet::Receipt,
};

/// What a market is about.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Who signs the bulletin that decides it.
    pub publisher: Address,
    /// The feed.
    pub feed_id: B256,
    /// The bulletin's number in it.
    pub sequence: u64,
    /// Unix time until which bets are taken and from which bulletins count.
    pub close: u64,
    /// Unix time until which it can be decided.
    pub deadline: u64,
    /// The verifier of the model that reads the bulletin.
    pub verifier: Address,
    /// The model.
    pub model_id: B256,
    /// The least margin that decides.
    pub min_margin: u32,
    /// How many classes the model has.
    pub classes: u8,
    /// The class that refunds; 255 for none.
    pub no_result: u8,
    /// In words.
    pub question: String,
}

/// How a market was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The class.
    pub class: u8,
    /// By how much.
    pub margin: U256,
}

/// Init code of a contract of parimutuel markets.
pub fn creation_code() -> Bytes {
    abi::BYTECODE.clone()
}

/// Init code of markets that are an oracle of the Conditional Tokens at an address.
pub fn adapter_code(tokens: Address) -> Bytes {
    [ConditionalTokensAdapter::BYTECODE.to_vec(), tokens.abi_encode()].concat().into()
}

/// Init code of a board for bulletins.
pub fn board_code() -> Bytes {
    BulletinBoard::BYTECODE.clone()
}

impl Wallet {
    /// Opens a market; gives its number.
    pub async fn open_market(&self, contract: Address, terms: &Terms) -> Result<(U256, Receipt), ChainError> {
        let call = abi::openCall {
            terms: abi::Terms {
                publisher: terms.publisher,
                feedId: terms.feed_id,
                sequence: terms.sequence,
                close: terms.close,
                deadline: terms.deadline,
                verifier: terms.verifier,
                modelId: terms.model_id,
                minMargin: terms.min_margin,
                classes: terms.classes,
                noResult: terms.no_result,
                question: terms.question.clone(),
            },
        };
        let receipt = self.call("open", contract, call.abi_encode().into(), U256::ZERO).await?;
        let opened = receipt.logs.iter().find_map(|log| abi::MarketOpened::decode_log(&log.inner).ok());
        let market =
            opened.map(|log| log.market).ok_or_else(|| bytecode::no_event("market", contract, "MarketOpened"))?;
        Ok((market, receipt))
    }

    /// Bets on an outcome.
    pub async fn bet(&self, contract: Address, market: U256, outcome: u8, wei: U256) -> Result<Receipt, ChainError> {
        self.call("bet", contract, abi::betCall { market, outcome }.abi_encode().into(), wei).await
    }

    /// Takes what a settled market owes; gives how much.
    pub async fn claim_bets(&self, contract: Address, market: U256) -> Result<(U256, Receipt), ChainError> {
        let receipt = self.call("claim", contract, abi::claimCall { market }.abi_encode().into(), U256::ZERO).await?;
        let claimed = receipt.logs.iter().find_map(|log| abi::Claimed::decode_log(&log.inner).ok());
        let amount = claimed.map(|log| log.amount).ok_or_else(|| bytecode::no_event("market", contract, "Claimed"))?;
        Ok((amount, receipt))
    }

    /// Withdraws money that a contract keeps for this account.
    pub async fn withdraw(&self, contract: Address, amount: U256) -> Result<Receipt, ChainError> {
        let call = abi::withdrawCall { to: self.address(), amount };
        self.call("withdraw", contract, call.abi_encode().into(), U256::ZERO).await
    }

    /// Whether a market is neither decided nor expired.
    pub async fn market_is_open(&self, contract: Address, market: U256) -> Result<bool, ChainError> {
        let call = abi::marketOfCall { market }.abi_encode();
        let answer = self.client.call(None, contract, call.into(), None).await?;
        let state = abi::marketOfCall::abi_decode_returns(&answer)
            .map_err(|_| bytecode::no_event("market", contract, "an answer of marketOf()"))?;
        Ok(state.status == super::contract::OPEN)
    }

    /// How a transaction decided a market, if it did.
    pub async fn decision_in(&self, tx: B256) -> Result<Option<Decision>, ChainError> {
        let logs = self.client.logs_of(tx).await?;
        let resolved = logs.iter().find_map(|log| abi::Resolved::decode_log(&log.inner).ok());
        Ok(resolved.map(|log| Decision { class: log.class, margin: log.margin }))
    }
}
