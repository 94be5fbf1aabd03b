//! Life of the guarded vault: an honest account and a fraud of the data set, whose past is replayed before the demo begins, take out
//! what is flagged; then newcomers who put money in and want it out again at once. Governance ends each pause after a while.

use std::{sync::Arc, time::Duration};

use tokio::time::sleep;

use super::super::{
    DemoError,
    guard::{
        replay::Account,
        vault::{self, Vault},
    },
    stand::Stand,
};
use crate::chain::{
    Wallet,
    types::{Address, U256},
};

/// A fraud, an honest account, and savings in gwei with which the vault flags the last withdrawals of both.
pub(super) type Cast = (Account, Account, u64);

/// Parts of the savings, in tenths, that belong to one saver each.
const SAVERS: [u64; 3] = [6, 3, 1];
/// Before the honest account's withdrawal, and before the fraud's.
const SOON: Duration = Duration::from_secs(8);
const LATER: Duration = Duration::from_secs(40);
/// How long a pause lasts until governance ends it.
const PAUSE: Duration = Duration::from_secs(300);
/// Between two newcomers.
const REST: Duration = Duration::from_secs(150);
/// How long a judgement is waited for.
const JUDGEMENT: u32 = 60;
/// Beyond the accounts' own past, in seconds.
const ASIDE: u64 = 3600;

/// The vault and the accounts that use it.
#[derive(Debug)]
pub(super) struct Savers {
    vault: Vault,
    savers: Vec<Wallet>,
    honest: (Account, Wallet),
    fraud: (Account, Wallet),
    savings: U256,
}

/// Seconds that the past of the two accounts takes on the chain's clock, with some to spare.
pub(super) fn past((fraud, honest, _): &Cast) -> u64 {
    ASIDE + vault::past(fraud) + vault::past(honest)
}

impl Savers {
    /// Puts savings into the vault, and lets the two accounts do what they did before their last withdrawals.
    pub(super) async fn settle(stand: &Stand, mut vault: Vault, cast: Cast) -> Result<Self, DemoError> {
        let (fraud, honest, savings) = cast;
        let savings = vault::wei(savings);
        let mut savers = Vec::with_capacity(SAVERS.len());
        for tenths in SAVERS {
            let wallet = vault.account(stand).await?;
            vault.put_in(&wallet, savings * U256::from(tenths) / U256::from(10)).await?;
            savers.push(wallet);
        }
        let honest = (honest.clone(), vault.lead_up(stand, &honest).await?);
        let fraud = (fraud.clone(), vault.lead_up(stand, &fraud).await?);
        Ok(Self { vault, savers, honest, fraud, savings })
    }

    pub(super) fn vault(&self) -> Address {
        self.vault.address
    }

    /// The two accounts' withdrawals.
    async fn story(&mut self) -> Result<(), DemoError> {
        sleep(SOON).await;
        let (account, wallet) = &self.honest;
        let incident = self.vault.last_withdrawal(wallet, account).await?;
        let wallet = wallet.clone();
        self.judged(&wallet, incident).await?;
        sleep(LATER).await;
        let (account, wallet) = &self.fraud;
        let incident = self.vault.last_withdrawal(wallet, account).await?;
        let wallet = wallet.clone();
        self.judged(&wallet, incident).await
    }

    /// Somebody puts money in and takes it all out at once; a saver moves a little.
    async fn newcomer(&mut self, stand: &Stand, which: usize) -> Result<(), DemoError> {
        let little = self.savings / U256::from(200);
        if let Some(saver) = self.savers.get(which % SAVERS.len()) {
            match which % 2 {
                0 => self.vault.put_in(saver, little).await?,
                _ => drop(self.vault.take_out(saver, little).await?),
            }
        }
        let wallet = self.vault.account(stand).await?;
        let part = self.savings / U256::from(8);
        self.vault.put_in(&wallet, part).await?;
        self.vault.put_in(&wallet, part).await?;
        match self.vault.take_out(&wallet, part + part).await? {
            Some(incident) => self.judged(&wallet, incident).await,
            None => Ok(()),
        }
    }

    /// Waits until the withdrawal can be taken out, and takes it; if the vault is paused instead, until governance ends that.
    async fn judged(&mut self, wallet: &Wallet, incident: U256) -> Result<(), DemoError> {
        for _ in 0..JUDGEMENT {
            sleep(Duration::from_secs(1)).await;
            if self.vault.claim(wallet, incident).await.is_ok() {
                return Ok(());
            }
            if wallet.is_paused(self.vault.address).await? {
                sleep(PAUSE).await;
                return self.vault.end_pause().await;
            }
        }
        // A score that decides nothing: it waits for its time.
        Ok(())
    }
}

/// Goes on until it is dropped. What fails is tried again with the next newcomer.
pub(super) async fn live(mut savers: Savers, stand: Arc<Stand>) {
    if let Err(error) = savers.story().await {
        tracing::error!("the vault's accounts: {error}");
    }
    for which in 0.. {
        sleep(REST).await;
        if let Err(error) = savers.newcomer(&stand, which).await {
            tracing::error!("the vault's newcomer: {error}");
        }
    }
}
