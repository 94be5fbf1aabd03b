//! Many static calls in one request.

use alloy::sol_types::SolCall;
use zugzwang::{
    chain::{
        Client, Wallet,
        types::{Address, Bytes},
    },
    prover::verifier,
};

#[allow(missing_docs, missing_debug_implementations, unreachable_pub, clippy::all)]
mod bindings {
    alloy::sol! {
        function ask(address to, bytes[] calls) external view returns (bytes[] answers);
    }
}

/// A contract that asks another one many questions.
#[derive(Clone, Debug)]
pub struct Many {
    client: Client,
    address: Address,
}

impl Many {
    /// Compiles and deploys it.
    pub async fn deploy(wallet: &Wallet) -> Self {
        let code = verifier::compile([0; 32], include_str!("many.sol")).await.expect("npm ci in contracts/");
        let address = wallet.deploy("many", code.bytecode).await.expect("deployed").contract;
        Self { client: wallet.client.clone(), address }
    }

    /// The answers of `to`, in the order of the calls.
    pub async fn ask(&self, to: Address, calls: Vec<Bytes>) -> Vec<Bytes> {
        let data = bindings::askCall { to, calls }.abi_encode().into();
        let answer = self.client.call(None, self.address, data, None).await.expect("no call reverts");
        bindings::askCall::abi_decode_returns(&answer).expect("a list of answers")
    }
}
