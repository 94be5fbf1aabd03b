//! The vault of the demo and of the latency benchmark, and accounts that use it.

use super::{
    super::{DemoError, screen::Screen, stand::Stand},
    replay::Account,
};
use crate::{
    apps::guard::{self, Terms, coin_code, vault_code},
    chain::{
        Wallet,
        types::{Address, Bytes, U256, keccak256},
    },
};

/// Longest pause between two calls of a replayed account, in seconds.
const LONGEST_GAP: u64 = 7 * 24 * 3600;
const HOUR: u32 = 3600;
/// Others that pay for a replayed account, itself included.
const MOST_PAYERS: u64 = 6;
/// What is above 50 % of the assets within an hour is flagged.
pub(super) const WINDOW_BPS: u16 = 5000;

/// From which scores the guard acts.
#[derive(Clone, Copy, Debug)]
pub struct Thresholds {
    /// Lower ones release.
    pub release_below: u32,
    /// These and higher ones pause.
    pub pause_at: u32,
}

/// A vault with its token.
#[derive(Debug)]
pub(crate) struct Vault {
    pub(crate) address: Address,
    token: Address,
    governance: Wallet,
    /// Gas of the last deposit, the last withdrawal that wasn't flagged, the last flagged one and the last claim.
    pub(crate) gas: [u64; 4],
}

impl Vault {
    /// Deploys token, verifier and vault. A withdrawal of more than `single_bps` ten-thousandths of the assets is flagged.
    pub(crate) async fn set(
        stand: &Stand,
        screen: &Screen,
        model_id: [u8; 32],
        verifier: Bytes,
        thresholds: Thresholds,
        single_bps: u16,
        governance: &Wallet,
    ) -> Result<Self, DemoError> {
        let operator = &stand.operator;
        let made = operator.deploy("the verifier's deployment", verifier).await?;
        screen.say(&format!("verifier:    {} ({} gas)", made.contract, made.mined.gas_used));
        let token = operator.deploy("the token's deployment", coin_code()).await?.contract;
        let terms = Terms {
            verifier: made.contract,
            model_id: model_id.into(),
            governance: governance.address(),
            delay: 24 * HOUR,
            pause: 48 * HOUR,
            grace: 0,
            window: HOUR,
            single_bps,
            window_bps: WINDOW_BPS,
            release_below: thresholds.release_below,
            pause_at: thresholds.pause_at,
        };
        let vault = operator.deploy("the vault's deployment", vault_code(token, &terms)).await?;
        screen.say(&format!(
            "vault:       {} ({} gas): withdrawals of more than {} % are delayed for a day; scores below {} release, from {} pause",
            vault.contract,
            vault.mined.gas_used,
            single_bps / 100,
            terms.release_below,
            terms.pause_at
        ));
        Ok(Self { address: vault.contract, token, governance: governance.clone(), gas: [0; 4] })
    }

    /// A new account with ample tokens, which the vault may take.
    pub(crate) async fn account(&self, stand: &Stand) -> Result<Wallet, DemoError> {
        let wallet = stand.account(guard::words).await?;
        let ample = U256::from(10u64).pow(U256::from(25u64));
        stand.client.raw("anvil_setBalance", serde_json::json!([wallet.address(), ample + ample])).await?;
        wallet.wrap(self.token, self.address, ample).await?;
        Ok(wallet)
    }

    pub(crate) async fn put_in(&mut self, wallet: &Wallet, assets: U256) -> Result<(), DemoError> {
        self.gas[0] = wallet.put_in(self.address, assets).await?.mined.gas_used;
        Ok(())
    }

    /// Takes out to the account itself; the incident, if it was flagged.
    pub(crate) async fn take_out(&mut self, wallet: &Wallet, assets: U256) -> Result<Option<U256>, DemoError> {
        self.take_out_to(wallet, assets, wallet.address()).await
    }

    async fn take_out_to(&mut self, wallet: &Wallet, assets: U256, to: Address) -> Result<Option<U256>, DemoError> {
        let (incident, receipt) = wallet.take_out(self.address, assets, to).await?;
        self.gas[if incident.is_some() { 2 } else { 1 }] = receipt.mined.gas_used;
        Ok(incident)
    }

    pub(crate) async fn claim(&mut self, wallet: &Wallet, incident: U256) -> Result<(), DemoError> {
        self.gas[3] = wallet.claim_incident(self.address, incident).await?.mined.gas_used;
        Ok(())
    }

    pub(crate) async fn end_pause(&self) -> Result<(), DemoError> {
        self.governance.end_pause(self.address).await?;
        Ok(())
    }

    /// Does what an account of the data set did up to its largest withdrawal, which is its last one here. What came from others
    /// comes from others here, as far as that takes few accounts; what went to others goes to others.
    pub(crate) async fn lead_up(&mut self, stand: &Stand, account: &Account) -> Result<Wallet, DemoError> {
        let Account { received, sent, .. } = account;
        let wallet = self.account(stand).await?;
        let mut payers = vec![wallet.clone()];
        for _ in 1..received.distinct.clamp(1, MOST_PAYERS).min(received.count) {
            let payer = self.account(stand).await?;
            wallet.accept_payer(self.address, payer.address()).await?;
            payers.push(payer);
        }
        for (i, assets) in received.amounts().into_iter().enumerate() {
            later(stand, received.gap).await?;
            let payer = &payers[i % payers.len()];
            self.gas[0] = payer.put_in_for(self.address, wei(assets), wallet.address()).await?.mined.gas_used;
        }
        let amounts = sent.amounts();
        for (i, assets) in amounts[..amounts.len().saturating_sub(1)].iter().enumerate() {
            later(stand, sent.gap).await?;
            self.take_out_to(&wallet, wei(*assets), other(i, sent.distinct)).await?;
        }
        later(stand, sent.gap).await?;
        Ok(wallet)
    }

    /// The withdrawal that must be flagged.
    pub(crate) async fn last_withdrawal(&mut self, wallet: &Wallet, account: &Account) -> Result<U256, DemoError> {
        let to = other(account.sent.count as usize, account.sent.distinct);
        let incident = self.take_out_to(wallet, wei(account.sent.largest), to).await?;
        incident.ok_or_else(|| DemoError::NoAnswer {
            what: format!("to what {} did", account.address),
            why: "its last withdrawal isn't flagged: the vault is too large for it".into(),
        })
    }
}

/// One of so many other addresses.
fn other(i: usize, distinct: u64) -> Address {
    let n = 1 + i as u64 % distinct.max(1);
    Address::from_word(keccak256(n.to_be_bytes()))
}

/// Seconds on the chain's clock that [`Vault::lead_up`] takes, at most.
pub(crate) fn past(Account { received, sent, .. }: &Account) -> u64 {
    let of = |count: u64, gap: u64| (count + 1).saturating_mul(gap.min(LONGEST_GAP));
    of(received.count, received.gap).saturating_add(of(sent.count, sent.gap))
}

async fn later(stand: &Stand, seconds: u64) -> Result<(), DemoError> {
    let seconds = seconds.min(LONGEST_GAP);
    if seconds > 0 {
        stand.client.raw("evm_increaseTime", serde_json::json!([seconds])).await?;
    }
    Ok(())
}

/// Gwei as wei.
pub(crate) fn wei(gwei: u64) -> U256 {
    U256::from(gwei) * U256::from(1_000_000_000u64)
}

/// Wei as coins, for people.
pub(crate) fn coins(wei: U256) -> String {
    let thousandths: u64 = (wei / U256::from(10u64).pow(U256::from(15u64))).saturating_to();
    format!("{}.{:03} coins", thousandths / 1000, thousandths % 1000)
}
