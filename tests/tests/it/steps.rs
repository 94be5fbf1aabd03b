//! Transactions on a local chain that say what they did and what they cost: the examples' tests are also what
//! `make example-lending` and `make example-contest` show.

use std::time::Instant;

use alloy::sol_types::{SolCall, SolError};
use zugzwang::{
    chain::{
        ChainError, Wallet,
        types::{Address, Bytes, U256},
        wallet::Receipt,
    },
    prover::verifier,
};
use zugzwang_circuits::net::{NetProof, NetProver};
use zugzwang_contracts::InferenceOracle;
use zugzwang_tests::Chain;

/// Ample for any step: a verifier that runs short of gas answers no.
const GAS_LIMIT: u64 = 10_000_000;

/// Bits of a limb that hold numbers.
const LIMB_BITS: usize = 253;

/// A local chain, and what is done on it.
pub(crate) struct Steps {
    pub(crate) chain: Chain,
}

impl Steps {
    pub(crate) async fn new() -> Self {
        Self { chain: Chain::start().await }
    }

    /// Deploys a contract.
    pub(crate) async fn deploy(&self, by: &Wallet, what: &str, code: Bytes) -> Address {
        let receipt = by.deploy(what, code).await.expect(what);
        said(what, &receipt);
        receipt.contract
    }

    /// Compiles a verifier's source with the pinned compiler, and deploys it.
    pub(crate) async fn verifier(&self, by: &Wallet, what: &str, source: &str) -> Address {
        let code = verifier::compile([0; 32], source).await.expect("npm ci in contracts/");
        self.deploy(by, what, code.bytecode).await
    }

    /// Sends a call that must be taken.
    pub(crate) async fn send<C: SolCall>(&self, by: &Wallet, what: &str, to: Address, call: C) -> Receipt {
        let receipt = by.call_with_gas(what, to, call.abi_encode().into(), GAS_LIMIT).await.expect(what);
        said(what, &receipt);
        receipt
    }

    /// The same with money.
    pub(crate) async fn pay<C: SolCall>(&self, by: &Wallet, what: &str, to: Address, call: C, wei: U256) -> Receipt {
        let receipt = by.call(what, to, call.abi_encode().into(), wei).await.expect(what);
        said(what, &receipt);
        receipt
    }

    /// What a view returns.
    pub(crate) async fn view<C: SolCall>(&self, to: Address, call: C) -> C::Return {
        let answer = self.chain.client.call(None, to, call.abi_encode().into(), None).await.expect("an answer");
        C::abi_decode_returns(&answer).expect("an answer of the ABI")
    }

    /// Makes sure that a call is refused with this error.
    pub(crate) async fn refused<E: SolError>(&self, what: &str, from: &Wallet, to: Address, call: impl SolCall) {
        let answer = self.chain.client.call(Some(from.address()), to, call.abi_encode().into(), None).await;
        match answer {
            Err(ChainError::Refused { data: Some(data), .. }) if data.starts_with(&E::SELECTOR) => {}
            other => panic!("{what}: not {}, but {other:?}", E::SIGNATURE),
        }
        println!("  refused: {what} ({})", E::SIGNATURE);
    }

    /// Lets time pass.
    pub(crate) async fn later(&self, seconds: u64) {
        for (method, params) in
            [("evm_increaseTime", serde_json::json!([seconds])), ("evm_mine", serde_json::json!([]))]
        {
            self.chain.client.raw(method, params).await.expect("time");
        }
    }

    pub(crate) async fn now(&self) -> u64 {
        let block = serde_json::json!(["latest", false]);
        let block = self.chain.client.raw("eth_getBlockByNumber", block).await.expect("a block");
        let time = block["timestamp"].as_str().expect("a time");
        u64::from_str_radix(&time[2..], 16).expect("a number")
    }

    /// What the oracle wants proven of `submitter`: the request, and the input's limbs.
    pub(crate) async fn instances(
        &self,
        oracle: Address,
        id: U256,
        input: &[U256],
        submitter: Address,
    ) -> ([u8; 32], Vec<U256>) {
        let call = InferenceOracle::instancesCall { id, input: input.to_vec(), submitter };
        let words = self.view(oracle, call).await;
        let mut request = [0; 32];
        request[..16].copy_from_slice(&words[0].to_be_bytes::<32>()[16..]);
        request[16..].copy_from_slice(&words[1].to_be_bytes::<32>()[16..]);
        (request, words[2..].to_vec())
    }
}

/// Proves on this thread, which may take its time; the limbs must be the input's, and the rest are the output's.
pub(crate) fn prove(prover: &NetProver, input: Vec<i64>, limbs: &[U256], request: [u8; 32]) -> (NetProof, Vec<U256>) {
    tokio::task::block_in_place(|| {
        let begin = Instant::now();
        let (proof, _, _) = prover.prove(&[input], request, &|_| ()).expect("a proof");
        println!("  proof of {} bytes in {:.2} s", proof.bytes.len(), begin.elapsed().as_secs_f64());
        assert!(prover.verify(&proof), "the prover doubts its own proof");
        let words: Vec<U256> = proof.instances.iter().map(|word| U256::from_be_bytes(*word)).collect();
        assert_eq!(words[2..2 + limbs.len()], *limbs, "the input is the contract's");
        (proof, words[2 + limbs.len()..].to_vec())
    })
}

/// Numbers of `bits` bits in limbs, as `docs/net.md` says.
pub(crate) fn pack(numbers: &[i64], bits: usize) -> Vec<U256> {
    let limb = |part: &[i64]| part.iter().rev().fold(U256::ZERO, |limb, n| limb << bits | U256::from(*n as u64));
    numbers.chunks(LIMB_BITS / bits).map(limb).collect()
}

/// The first `count` numbers of limbs.
pub(crate) fn unpack(limbs: &[U256], bits: usize, count: usize) -> Vec<i64> {
    let per = LIMB_BITS / bits;
    let number = |i: usize| (limbs[i / per] >> (i % per * bits)) & ((U256::from(1) << bits) - U256::from(1));
    (0..count).map(|i| i64::try_from(number(i)).expect("a few bits")).collect()
}

fn said(what: &str, receipt: &Receipt) {
    println!("{what}: {} gas", receipt.mined.gas_used);
}
