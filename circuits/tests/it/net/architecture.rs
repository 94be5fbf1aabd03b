//! One verifier for all private models of an architecture, each through an account that delegates to it.

use zugzwang_circuits::net::{Linear, Net, NetProof, NetProver, Step, Visibility, Weights};

use super::cases::{chain, mixed};
use super::private::{PRIVATE, data, prove, prover, salt, with};
use crate::chain::{Chain, compile};

/// Creation code of an account that delegates every call to `to` and carries `behind` at the end of its code.
fn clone(to: &str, behind: &[u8]) -> String {
    let behind: String = behind.iter().map(|byte| format!("{byte:02x}")).collect();
    let code = format!("363d3d373d3d3d363d73{}5af43d82803e903d91602b57fd5bf3{behind}", &to[2..]);
    format!("0x61{:04x}80600a3d393df3{code}", code.len() / 2)
}

/// The same net with other weights, of which none leaves its table.
fn other(net: &Net) -> Net {
    let mut net = net.clone();
    let step = net.nodes.iter_mut().find_map(|node| match &mut node.step {
        Step::Linear(Linear::Conv(conv), _) => Some(conv),
        _ => None,
    });
    let conv = step.expect("a layer");
    let weight = conv.weights.iter_mut().find(|w| **w > 0).expect("a weight");
    *weight -= 1;
    net
}

fn id(prover: &NetProver) -> Option<String> {
    Some(prover.model_id().iter().fold("0x".to_owned(), |text, byte| text + &format!("{byte:02x}")))
}

#[test]
fn each_model_of_an_architecture_has_its_own_account() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut evm = Chain::start();
    // `modelId()`.
    let ask = [0x43, 0xcd, 0xaa, 0xd2];
    for (net, salt) in
        [(with(chain(), Visibility::Public, PRIVATE), None), (with(mixed(), PRIVATE, PRIVATE), Some(salt()))]
    {
        let [one, two] = [(net.clone(), 9), (other(&net), 8)]
            .map(|(net, seed)| prover(&net, Weights::Private([seed; 32]), folder.path()));
        let source = one.solidity_of_architecture("Architecture").expect("a contract");
        assert_eq!(source, two.solidity_of_architecture("Architecture").expect("a contract"), "it knows no model");
        let (architecture, size) = evm.deploy(&compile(&source));
        let commitments = [&one, &two].map(|p| p.registered().expect("commitments").bytes());
        let accounts = commitments.each_ref().map(|c| evm.deploy(&clone(&architecture, c)).0);
        let (own, _) = evm.deploy(&compile(&one.solidity("Verifier").expect("a contract")));
        let proofs = [&one, &two].map(|p| prove(p, salt, 3));
        for (prover, account) in [&one, &two].into_iter().zip(&accounts) {
            assert_eq!(evm.call(account, &ask), id(prover));
        }
        assert_eq!(evm.call(&own, &ask), id(&one));

        // Each proof goes with its own model, and with no other nor with none.
        let judged = |evm: &mut Chain, proof: &NetProof| {
            [&accounts[0], &accounts[1], &own, &architecture].map(|to| evm.accepts(to, &data(proof)))
        };
        assert_eq!(judged(&mut evm, &proofs[0]), [true, false, true, false]);
        assert_eq!(judged(&mut evm, &proofs[1]), [false, true, false, false]);
        let honest = data(&proofs[0]);
        for at in (4..honest.len()).step_by(32) {
            let mut changed = honest.clone();
            changed[at + 31] ^= 1;
            assert!(!evm.accepts(&accounts[0], &changed), "word at {at}");
        }

        // Commitments that are no points: nothing, cut, not on the curve, the identity in both its forms, not reduced.
        let order = "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47";
        let order: Vec<u8> = (0..32).map(|i| u8::from_str_radix(&order[2 * i..2 * i + 2], 16).expect("hex")).collect();
        let good = &commitments[0];
        let first = |point: &[u8]| [point, &good[64..]].concat();
        let mut off = good.clone();
        off[63] ^= 1;
        let mut unreduced = good.clone();
        let carried = (0..32).rev().fold(0u16, |carry, i| {
            let sum = u16::from(good[32 + i]) + u16::from(order[i]) + carry;
            unreduced[32 + i] = sum.to_be_bytes()[1];
            sum >> 8
        });
        assert_eq!(carried, 0, "it fits a word");
        let wrong =
            [vec![], good[..64].to_vec(), off, first(&[0; 64]), first(&[vec![0; 32], order].concat()), unreduced];
        for (n, commitments) in wrong.iter().enumerate() {
            let account = evm.deploy(&clone(&architecture, commitments)).0;
            assert!(!evm.accepts(&account, &honest), "wrong commitments {n}");
        }
        println!(
            "{size} bytes for all, {} for each; {} gas, {} with a contract of its own",
            45 + good.len(),
            evm.gas(&accounts[0], &honest),
            evm.gas(&own, &honest)
        );
    }
}

#[test]
fn a_public_model_has_no_architecture_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let public = prover(&chain(), Weights::Public, folder.path());
    assert!(public.solidity_of_architecture("V").is_err());
    assert_eq!(public.architecture_id(), public.model_id());
}
