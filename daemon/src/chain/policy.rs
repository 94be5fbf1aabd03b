//! The last check before a signature: whatever the rest of the daemon asks for, only calls that the configured apps name are
//! signed, besides payments of nothing to ourselves.
//!
//! [`PolicySigner`] holds the signer and gives it to nobody, so that there is no way around [`Policy::check`].

use std::{collections::BTreeMap, sync::Arc};

use super::{
    fees::Fees,
    held::Held,
    key::Plan,
    signer::{self, Signer, Unsigned},
    types::{Address, U256},
};
use crate::{config::SubmitConfig, store::Signed};

/// A call that an app may have signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permit {
    /// First four bytes of the calldata.
    pub selector: [u8; 4],
    /// The function's name.
    pub name: &'static str,
    /// Most wei that may go along.
    pub max_value: U256,
}

impl Permit {
    /// A call that takes no money along.
    pub const fn of(selector: [u8; 4], name: &'static str) -> Self {
        Self { selector, name, max_value: U256::ZERO }
    }
}

/// What one key may sign on one chain.
#[derive(Clone, Debug)]
pub struct Policy {
    chain_id: u64,
    permits: BTreeMap<Address, Vec<Permit>>,
    max_gas: u64,
    max_fee: u128,
}

impl Policy {
    /// Nothing but cancellations, within the caps of the configuration.
    pub fn new(chain_id: u64, config: &SubmitConfig) -> Self {
        Self { chain_id, permits: BTreeMap::new(), max_gas: config.max_gas, max_fee: config.max_fee }
    }

    /// Allows calls of a contract, in addition to what is allowed.
    #[must_use]
    pub fn allow(mut self, contract: Address, permits: impl IntoIterator<Item = Permit>) -> Self {
        self.permits.entry(contract).or_default().extend(permits);
        self
    }

    /// Whether a transaction of `account` may be signed.
    ///
    /// # Errors
    /// [`Held::NotAllowed`] with the rule that it breaks.
    pub fn check(&self, account: Address, plan: &Plan, fees: Fees) -> Result<(), Box<Held>> {
        let call = plan.data.get(..4).map_or_else(|| "a payment".to_owned(), alloy::hex::encode_prefixed);
        let to = plan.to.map_or_else(|| "a new contract".to_owned(), |to| to.to_string());
        let refuse = |why: String| Err(Box::new(Held::NotAllowed { to: to.clone(), call: call.clone(), why }));
        if plan.chain_id != self.chain_id {
            return refuse(format!("it is for chain {}, this is chain {}", plan.chain_id, self.chain_id));
        }
        if plan.gas_limit > self.max_gas {
            return refuse(format!("its gas limit of {} is above submit.max_gas = {}", plan.gas_limit, self.max_gas));
        }
        if fees.max_fee > self.max_fee || fees.max_priority > fees.max_fee {
            return refuse(format!(
                "its price of {} wei is above submit.max_fee_gwei = {} wei",
                fees.max_fee, self.max_fee
            ));
        }
        let Some(contract) = plan.to else {
            return refuse("the daemon deploys nothing".into());
        };
        if contract == account {
            let nothing = plan.value.is_zero() && plan.data.is_empty();
            return if nothing { Ok(()) } else { refuse("to itself it pays nothing and says nothing".into()) };
        }
        let Some(permits) = self.permits.get(&contract) else {
            return refuse("no app of this key has this contract".into());
        };
        let named = plan.data.first_chunk::<4>().and_then(|first| permits.iter().find(|p| p.selector == *first));
        match named {
            None => refuse("the app doesn't name this call".into()),
            Some(permit) if plan.value > permit.max_value => {
                refuse(format!("{} takes at most {} wei along, not {}", permit.name, permit.max_value, plan.value))
            }
            Some(_) => Ok(()),
        }
    }
}

/// A signer behind a policy.
#[derive(Clone, Debug)]
pub struct PolicySigner {
    signer: Arc<dyn Signer>,
    policy: Policy,
}

impl PolicySigner {
    /// A signer that signs what the policy allows.
    pub fn new(signer: Arc<dyn Signer>, policy: Policy) -> Self {
        Self { signer, policy }
    }

    /// From now on with the caps of another configuration; what may be called stays.
    pub fn set_limits(&mut self, config: &SubmitConfig) {
        self.policy.max_gas = config.max_gas;
        self.policy.max_fee = config.max_fee;
    }

    /// The address that signs.
    pub fn address(&self) -> Address {
        self.signer.address()
    }

    /// Signs a plan, if the policy allows it, and checks what the signer gives.
    ///
    /// # Errors
    /// [`Held::NotAllowed`] before the signer is asked; [`Held::Signer`] if it doesn't sign this very transaction.
    pub async fn sign(&self, plan: &Plan, nonce: u64, fees: Fees) -> Result<Signed, Held> {
        let account = self.address();
        self.policy.check(account, plan, fees).map_err(|held| *held)?;
        let unsigned = Unsigned::new(plan, nonce, fees);
        let failed = |source| Held::Signer { account, source };
        let signature = self.signer.sign(&unsigned).await.map_err(failed)?;
        signer::seal(unsigned, signature, account).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{
        Key,
        types::{B256, Bytes},
    };

    const GAME: Address = Address::repeat_byte(0xaa);
    const PLAY: [u8; 4] = [1, 2, 3, 4];
    const FUND: [u8; 4] = [5, 6, 7, 8];

    /// Changes one thing about a plan that is allowed, and tells what is refused.
    async fn check(change: impl FnOnce(&mut Plan, &mut Fees)) -> String {
        let key = Key::from_bytes(B256::repeat_byte(7)).expect("key");
        let funded = Permit { selector: FUND, name: "fund", max_value: U256::from(10) };
        let policy = Policy::new(31337, &SubmitConfig { max_gas: 100_000, max_fee: 50, ..SubmitConfig::default() })
            .allow(GAME, [Permit::of(PLAY, "play"), funded]);
        let mut plan = Plan {
            chain_id: 31337,
            to: Some(GAME),
            data: Bytes::copy_from_slice(&[&PLAY[..], &[0; 32]].concat()),
            value: U256::ZERO,
            gas_limit: 100_000,
        };
        let mut fees = Fees { max_fee: 50, max_priority: 1 };
        change(&mut plan, &mut fees);
        match PolicySigner::new(key.into(), policy).sign(&plan, 3, fees).await {
            Ok(signed) => format!("signed {} bytes", signed.raw.len()),
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test]
    async fn a_call_outside_of_what_the_apps_name_is_never_signed() {
        let own = Key::from_bytes(B256::repeat_byte(7)).expect("key").address();
        assert!(check(|_, _| ()).await.starts_with("signed"));
        assert!(check(|p, _| p.data = Bytes::from_static(&PLAY)).await.starts_with("signed"));
        assert!(
            check(|p, _| (p.data, p.value) = (Bytes::from_static(&FUND), U256::from(10))).await.starts_with("signed")
        );
        let cancel = |p: &mut Plan| (p.to, p.data) = (Some(own), Bytes::new());
        assert!(check(|p, _| cancel(p)).await.starts_with("signed"));

        type Change = Box<dyn FnOnce(&mut Plan, &mut Fees)>;
        let refused: Vec<(Change, &str)> = vec![
            (Box::new(|p, _| p.to = Some(Address::repeat_byte(0xbb))), "no app of this key has this contract"),
            (Box::new(|p, _| p.to = None), "deploys nothing"),
            (Box::new(|p, _| p.data = Bytes::from_static(&[1, 2, 3, 5, 0])), "doesn't name this call"),
            (Box::new(|p, _| p.data = Bytes::from_static(&[1, 2, 3])), "doesn't name this call"),
            (Box::new(|p, _| p.data = Bytes::new()), "doesn't name this call"),
            (Box::new(|p, _| p.value = U256::from(1)), "play takes at most 0 wei along, not 1"),
            (
                Box::new(|p, _| (p.data, p.value) = (Bytes::from_static(&FUND), U256::from(11))),
                "fund takes at most 10 wei along, not 11",
            ),
            (
                Box::new(move |p, _| (p.to, p.data) = (Some(own), Bytes::from_static(&[0]))),
                "pays nothing and says nothing",
            ),
            (
                Box::new(move |p, _| (p.to, p.data, p.value) = (Some(own), Bytes::new(), U256::from(1))),
                "pays nothing and says nothing",
            ),
            (Box::new(|p, _| p.chain_id = 1), "it is for chain 1, this is chain 31337"),
            (Box::new(|p, _| p.gas_limit = 100_001), "above submit.max_gas"),
            (Box::new(|_, f| f.max_fee = 51), "above submit.max_fee_gwei"),
        ];
        for (change, expected) in refused {
            let said = check(change).await;
            assert!(said.starts_with("refused to sign") && said.contains(expected), "{expected}: {said}");
        }
    }
}
