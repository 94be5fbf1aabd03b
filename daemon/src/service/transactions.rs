//! Looks after every transaction that isn't final yet: which wish each has, and what becomes of its job.

use std::{collections::BTreeMap, sync::Arc};

use super::{Service, ServiceError};
use crate::{
    apps::App,
    chain::{
        ChainError, Client, Keys,
        policy::{Policy, PolicySigner},
        submit::{Change, Standing, Submitter, Wish},
        types::Address,
    },
    config::Config,
    store::{Errand, State, Store, Tx, TxState},
};

/// One sender for each key, which may sign what the apps name that use this key.
pub(super) fn submitters(
    config: &Config,
    keys: &Keys,
    apps: &[Arc<dyn App>],
    client: &Client,
    store: &Store,
) -> Result<BTreeMap<String, Submitter>, ChainError> {
    let mut made = BTreeMap::new();
    for key in &config.keys {
        let signer = keys.get(&key.name)?.clone();
        let mut policy = Policy::new(config.chain.chain_id, &config.submit);
        for app in apps.iter().filter(|app| config.key_of(app.contract()) == key.name) {
            policy = policy.allow(app.contract(), app.permits());
        }
        let submitter = Submitter::new(
            client.clone(),
            store.clone(),
            PolicySigner::new(signer, policy),
            config.submit.clone(),
            key.limits,
            config.chain.finality,
        );
        made.insert(key.name.clone(), submitter);
    }
    Ok(made)
}

impl Service {
    /// The sender of an app's contract.
    pub(super) fn submitter_of(&self, contract: Address) -> Result<&Submitter, ServiceError> {
        let name = self.config.key_of(contract);
        self.submitters.get(name).ok_or_else(|| ServiceError::Lacking(format!("key {name} was not opened")))
    }

    /// The sender of an account, if its key is one of ours.
    pub(super) fn submitter_by(&self, signer: Address) -> Option<&Submitter> {
        self.submitters.values().find(|submitter| submitter.address() == signer)
    }

    /// Looks after every transaction that isn't final yet.
    pub(super) async fn follow_transactions(&mut self) -> Result<(), ServiceError> {
        let live = self.store.all_live_transactions(self.config.chain.chain_id).await?;
        for submitter in self.submitters.values() {
            submitter.left().await?;
        }
        if live.is_empty() {
            return Ok(());
        }
        let head = self.client.head().await?.block.number;
        let mut standings = BTreeMap::new();
        for submitter in self.submitters.values() {
            if live.iter().any(|tx| tx.signer == submitter.address()) {
                standings.insert(submitter.address(), submitter.standing(&live, head).await?);
            }
        }
        for tx in &live {
            let done = self.follow(tx, head, standings.get(&tx.signer).copied()).await;
            self.let_pass_of_transaction(done)?;
        }
        for (signer, standing) in standings {
            let done = self.repair(&live, signer, standing).await;
            self.let_pass_of_transaction(done)?;
        }
        Ok(())
    }

    /// One transaction's trouble must not hold up the others.
    fn let_pass_of_transaction(&mut self, done: Result<(), ServiceError>) -> Result<(), ServiceError> {
        match done {
            Err(ServiceError::Chain(error)) => {
                self.complain(&error);
                Ok(())
            }
            other => other,
        }
    }

    async fn follow(&mut self, tx: &Tx, head: u64, standing: Option<Standing>) -> Result<(), ServiceError> {
        let job = match tx.errand {
            Some(Errand::Job(id)) => self.store.job_by_id(id).await?,
            Some(Errand::Claim(_)) | None => None,
        };
        let wish = match (tx.errand, job.as_ref().map(|job| job.state)) {
            (Some(Errand::Claim(_)), _) if tx.state == TxState::Included => Wish::Hold,
            (Some(Errand::Claim(row)), _) => self.wish_for_claim(row).await?,
            (_, Some(State::Submitted | State::Included | State::Final)) => Wish::Push,
            (_, Some(State::Seen | State::Proving | State::Proved)) => Wish::Hold,
            (_, Some(State::Moot | State::Forfeited | State::Failed) | None) => Wish::Cancel,
        };
        let change = match (self.submitter_by(tx.signer), standing, self.submitters.values().next()) {
            (Some(submitter), Some(standing), _) => submitter.follow(tx, standing, wish).await?,
            // Of a key that isn't configured any more: it is looked at, but nothing can be sent for it.
            (_, _, Some(any)) => any.watch(tx, head).await?,
            (_, _, None) => None,
        };
        match change {
            Some(change) => self.transaction_changed(tx, job, &change).await,
            None => Ok(()),
        }
    }

    /// Closes a gap between the account's nonce and ours.
    async fn repair(&mut self, live: &[Tx], signer: Address, standing: Standing) -> Result<(), ServiceError> {
        let Some(submitter) = self.submitter_by(signer) else { return Ok(()) };
        let repaired = submitter.repair(live, standing).await?;
        if !repaired.filled.is_empty() {
            self.tell(super::Notice::Trouble {
                code: crate::code::Code::NONCE_GAP,
                what: format!(
                    "account {signer}: the nonces {:?} below our transactions were nobody's, and are used up by payments of nothing; does anything else sign with this key?",
                    repaired.filled
                ),
            });
        }
        for tx in live.iter().filter(|tx| repaired.given_up.contains(&tx.id)) {
            self.tell(super::Notice::Trouble {
                code: crate::code::Code::NONCE_GAP,
                what: format!(
                    "account {signer}: nonce {} is far above the account's, {}: what it was for gets another nonce; is the node right, and the store this chain's?",
                    tx.nonce, standing.nonce
                ),
            });
            let job = match tx.errand {
                Some(Errand::Job(id)) => self.store.job_by_id(id).await?,
                Some(Errand::Claim(_)) | None => None,
            };
            self.transaction_changed(tx, job, &Change::Dropped).await?;
        }
        Ok(())
    }
}
