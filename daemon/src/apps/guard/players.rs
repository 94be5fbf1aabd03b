//! What accounts of a guarded vault and its governance send, for demos, benchmarks and tests.

use alloy::sol_types::{SolCall, SolEvent, SolValue};
use zugzwang_contracts::{
    FraudGuard as guard,
    GuardedVault::{self as vault},
    WrappedCoin as coin,
};

use crate::chain::{
    ChainError, Wallet, bytecode,
    types::{Address, B256, Bytes, U256},
    wallet::Receipt,
};

/// What a guarded vault is made with. Nothing of it ever changes.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// The verifier of the model that scores accounts.
    pub verifier: Address,
    /// The model.
    pub model_id: B256,
    /// Who may end a pause; zero for nobody.
    pub governance: Address,
    /// Seconds that a flagged withdrawal waits at most.
    pub delay: u32,
    /// Seconds that a pause lasts.
    pub pause: u32,
    /// Seconds after a pause in which no other begins.
    pub grace: u32,
    /// Seconds in which the full bucket leaks empty.
    pub window: u32,
    /// A withdrawal of more than this share of all assets is flagged, in 1/10,000.
    pub single_bps: u16,
    /// So is one that doesn't fit into a bucket of this share.
    pub window_bps: u16,
    /// Scores below this release.
    pub release_below: u32,
    /// Scores from this pause.
    pub pause_at: u32,
}

/// Assets in a millionth of a coin are what the fraud model counts in.
const UNIT: u64 = 1_000_000_000_000;

/// What a proof decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The model's score.
    pub score: U256,
    /// Whether the withdrawal is held and the vault paused, rather than released.
    pub paused: bool,
}

/// Init code of a token that stands for the chain's coin.
pub fn coin_code() -> Bytes {
    coin::BYTECODE.clone()
}

/// Init code of a vault for a token of 18 decimals.
pub fn vault_code(asset: Address, terms: &Terms) -> Bytes {
    let terms = vault_terms(terms);
    let arguments = (asset, "Guarded coin".to_owned(), "gCOIN".to_owned(), terms).abi_encode_params();
    [vault::BYTECODE.to_vec(), arguments].concat().into()
}

fn vault_terms(t: &Terms) -> zugzwang_contracts::GuardTerms {
    zugzwang_contracts::GuardTerms {
        verifier: t.verifier,
        modelId: t.model_id,
        governance: t.governance,
        delay: t.delay,
        pause: t.pause,
        grace: t.grace,
        window: t.window,
        singleBps: t.single_bps,
        windowBps: t.window_bps,
        numerator: 1,
        denominator: UNIT,
        releaseBelow: t.release_below,
        pauseAt: t.pause_at,
    }
}

impl Wallet {
    /// Makes tokens of coins, and lets a vault take as many as it likes.
    pub async fn wrap(&self, token: Address, vault: Address, wei: U256) -> Result<(), ChainError> {
        self.call("deposit", token, coin::depositCall {}.abi_encode().into(), wei).await?;
        let approve = coin::approveCall { spender: vault, value: U256::MAX };
        self.call("approve", token, approve.abi_encode().into(), U256::ZERO).await?;
        Ok(())
    }

    /// Puts tokens into a vault.
    pub async fn put_in(&self, vault: Address, assets: U256) -> Result<Receipt, ChainError> {
        self.put_in_for(vault, assets, self.address()).await
    }

    /// Has a vault count another's deposits for this account as its own.
    pub async fn accept_payer(&self, vault: Address, payer: Address) -> Result<Receipt, ChainError> {
        let call = guard::setPayerCall { payer, accepted: true };
        self.call("setPayer", vault, call.abi_encode().into(), U256::ZERO).await
    }

    /// Puts tokens into a vault for an account.
    pub async fn put_in_for(&self, vault: Address, assets: U256, receiver: Address) -> Result<Receipt, ChainError> {
        let call = vault::depositCall { assets, receiver };
        self.call("deposit", vault, call.abi_encode().into(), U256::ZERO).await
    }

    /// Takes tokens out of a vault to an account; the incident, if it was flagged.
    pub async fn take_out(
        &self,
        vault: Address,
        assets: U256,
        to: Address,
    ) -> Result<(Option<U256>, Receipt), ChainError> {
        let call = vault::withdrawCall { assets, receiver: to, owner: self.address() };
        let receipt = self.call("withdraw", vault, call.abi_encode().into(), U256::ZERO).await?;
        let flagged = receipt.logs.iter().find_map(|log| guard::Flagged::decode_log(&log.inner).ok());
        Ok((flagged.map(|event| event.incident), receipt))
    }

    /// All that this account can take out.
    pub async fn share_of(&self, vault: Address) -> Result<U256, ChainError> {
        let balance = vault::balanceOfCall { account: self.address() }.abi_encode();
        let shares = U256::from_be_slice(&self.client.call(None, vault, balance.into(), None).await?);
        let preview = vault::previewRedeemCall { shares }.abi_encode();
        Ok(U256::from_be_slice(&self.client.call(None, vault, preview.into(), None).await?))
    }

    /// Takes a flagged withdrawal out of escrow.
    pub async fn claim_incident(&self, vault: Address, incident: U256) -> Result<Receipt, ChainError> {
        self.call("claim", vault, vault::claimCall { incident }.abi_encode().into(), U256::ZERO).await
    }

    /// Ends a pause: governance's one power.
    pub async fn end_pause(&self, vault: Address) -> Result<Receipt, ChainError> {
        self.call("endPause", vault, guard::endPauseCall {}.abi_encode().into(), U256::ZERO).await
    }

    /// What a transaction judged, if it did.
    pub async fn judgement_in(&self, tx: B256) -> Result<Option<Judgement>, ChainError> {
        let logs = self.client.logs_of(tx).await?;
        let judged = logs.iter().find_map(|log| guard::Judged::decode_log(&log.inner).ok());
        Ok(judged.map(|event| Judgement { score: event.score, paused: event.paused }))
    }

    /// Whether nothing may leave a vault now.
    pub async fn is_paused(&self, vault: Address) -> Result<bool, ChainError> {
        Ok(self.pause_of(vault).await?.now_)
    }

    /// When a vault's last pause ends or ended, in unix time; 0 if there was none.
    pub async fn paused_until(&self, vault: Address) -> Result<u64, ChainError> {
        Ok(self.pause_of(vault).await?.until.saturating_to())
    }

    async fn pause_of(&self, vault: Address) -> Result<guard::pausedReturn, ChainError> {
        let answer = self.client.call(None, vault, guard::pausedCall {}.abi_encode().into(), None).await?;
        guard::pausedCall::abi_decode_returns(&answer)
            .map_err(|_| bytecode::no_event("guard", vault, "an answer of paused()"))
    }
}
