//! The generated verifier, compiled and deployed, against honest and altered proofs.

use std::sync::Arc;

use halo2_proofs::{
    halo2curves::bn256::{Bn256, Fr, G1Affine},
    plonk::{ProvingKey, keygen_pk2},
    poly::kzg::commitment::ParamsKZG,
};
use zugzwang_circuits::{
    circuit::{ModelCircuit, Shape},
    evm::{calldata, shape, solidity},
    net::{self, circuit::NetCircuit},
    srs::Srs,
};

use crate::{
    chain::{Chain, compile},
    circuit::small::{self, Case},
    net::cases,
    oracle,
    toy::{Spec, Toy, keys, prove, prove_with, verifies},
    words::{P, R, plus, word},
};

struct Deployed {
    chain: Chain,
    address: String,
    data: Vec<u8>,
    proof: Vec<u8>,
    instances: Vec<Fr>,
}

/// Proves a toy, checks that every judge takes it and none takes a cheat's.
fn deploy(spec: Spec) -> Deployed {
    let (params, pk) = keys(spec);
    let proof = prove(&params, &pk, Toy { spec, cheat: false });
    let mut deployed = judge("toy", &params, &pk, proof, spec.public());
    let cheat = prove(&params, &pk, Toy { spec, cheat: true });
    let instances = &deployed.instances;
    assert!(!verifies(&params, pk.get_vk(), &cheat, instances));
    assert!(!oracle::accepts(&params, pk.get_vk(), &cheat, instances));
    assert!(!deployed.chain.accepts(&deployed.address, &calldata(&cheat, instances)));
    deployed
}

/// Checks a proof natively, deploys, checks that the chain agrees, prints the cost.
fn judge(
    name: &str,
    params: &ParamsKZG<Bn256>,
    pk: &ProvingKey<G1Affine>,
    proof: Vec<u8>,
    instances: Vec<Fr>,
) -> Deployed {
    let vk = pk.get_vk();
    assert!(verifies(params, vk, &proof, &instances));
    assert!(oracle::accepts(params, vk, &proof, &instances));
    let shape = shape(vk, instances.len()).unwrap();
    assert_eq!(shape.proof_bytes, proof.len());
    let source = solidity(vk, params, instances.len(), [0xab; 32], "TestVerifier").unwrap();
    let mut chain = Chain::start();
    let (address, size) = chain.deploy(&compile(&source));
    assert!(size <= 24_576, "{size} bytes of code");
    let data = calldata(&proof, &instances);
    assert!(chain.accepts(&address, &data), "an honest proof is rejected");
    let gas = chain.gas(&address, &data);
    let sent: u64 = data.iter().map(|byte| if *byte == 0 { 4 } else { 16 }).sum();
    let run = gas - 21_000 - sent;
    println!(
        "{name}: {} commitments, {} evaluations, proof {} B, code {size} B: gas {gas} = 21000 + {sent} calldata + \
         {run}; beyond the pairing {} a commitment",
        shape.commitments,
        shape.evaluations,
        shape.proof_bytes,
        (run - 113_000) / shape.commitments as u64,
    );
    Deployed { chain, address, data, proof, instances }
}

#[test]
fn the_model_circuit_verifies() {
    for (lanes, kernels_per_row) in [(1, 1), (2, 2)] {
        let shape = Shape { lanes, kernels_per_row, k: 14 };
        let case = Case::new(small::graph(7), shape, 0);
        let folder = tempfile::tempdir().unwrap();
        let srs = Srs::load(14, folder.path()).unwrap();
        let circuit = |witness, with_fixed| ModelCircuit { layout: case.layout.clone(), witness, with_fixed };
        let pk = keygen_pk2(srs.params(), &circuit(None, true), false).unwrap();
        let witness = Arc::new(case.witness());
        let instances = witness.instances.clone();
        let proof = prove_with(srs.params(), &pk, circuit(Some(witness), false), &instances);
        let name = format!("model circuit, {shape}");
        let Deployed { mut chain, address, data, .. } = judge(&name, srs.params(), &pk, proof, instances);
        for at in (4..data.len()).step_by(32) {
            let mut data = data.clone();
            data[at + 31] ^= 1;
            assert!(!chain.accepts(&address, &data), "word at {at} changed");
        }
    }
}

#[test]
fn the_net_circuit_verifies() {
    for (name, net) in [("chain", cases::chain()), ("mixed", cases::mixed())] {
        let shape = net::circuit::Shape { kernels: 3, k: 12 };
        let case = cases::Case::new(net, shape, 0);
        let folder = tempfile::tempdir().unwrap();
        let srs = Srs::load(12, folder.path()).unwrap();
        let circuit = |witness, with_fixed| NetCircuit { layout: case.layout.clone(), witness, with_fixed };
        let pk = keygen_pk2(srs.params(), &circuit(None, true), false).unwrap();
        let witness = Arc::new(case.witness());
        let instances = witness.instances.clone();
        let proof = prove_with(srs.params(), &pk, circuit(Some(witness), false), &instances);
        let Deployed { mut chain, address, data, .. } = judge(name, srs.params(), &pk, proof, instances);
        for at in (4..data.len()).step_by(32) {
            let mut data = data.clone();
            data[at + 31] ^= 1;
            assert!(!chain.accepts(&address, &data), "{name}: word at {at} changed");
        }
    }
}

#[test]
fn every_altered_word_is_rejected() {
    let Deployed { mut chain, address, data, .. } = deploy(Spec::small());
    let mut tried = 0;
    for at in (4..data.len()).step_by(32) {
        let old = &data[at..at + 32];
        let mut one = [0; 32];
        one[31] = 1;
        let variants = [plus(old, one), [0; 32], word(R), word(P), plus(old, word(R)), plus(old, word(P))];
        for new in variants.into_iter().filter(|new| new != old) {
            let mut data = data.clone();
            data[at..at + 32].copy_from_slice(&new);
            assert!(!chain.accepts(&address, &data), "word at {at} changed");
            tried += 1;
        }
    }
    // Neighbouring words swapped.
    for at in (4..data.len() - 32).step_by(32) {
        let mut data = data.clone();
        let (left, right) = data[at..at + 64].split_at_mut(32);
        if left != right {
            left.swap_with_slice(right);
            assert!(!chain.accepts(&address, &data), "words at {at} swapped");
            tried += 1;
        }
    }
    println!("{tried} alterations rejected");
}

#[test]
fn malformed_calls_are_rejected() {
    let Deployed { mut chain, address, data, proof, instances } = deploy(Spec::small());
    let mut rejects = |data: &[u8]| assert!(!chain.accepts(&address, data));
    rejects(&[]);
    rejects(&data[..4]);
    rejects(&data[..data.len() - 32]);
    rejects(&calldata(&[], &instances));
    rejects(&calldata(&vec![0; proof.len()], &instances));
    rejects(&calldata(&vec![0xff; proof.len()], &instances));
    rejects(&calldata(&proof[..proof.len() - 1], &instances));
    rejects(&calldata(&proof[..proof.len() - 32], &instances));
    rejects(&calldata(&[&proof[..], &[0]].concat(), &instances));
    rejects(&calldata(&[&proof[..], &[0; 32]].concat(), &instances));
    rejects(&calldata(&proof, &[]));
    rejects(&calldata(&proof, &instances[1..]));
    rejects(&calldata(&proof, &[&instances[..], &[Fr::from(0)]].concat()));
    // Points replaced by others of the curve, one at a time: the generator, and its negative.
    let points = (proof.len() / 64).min(11);
    for point in 0..points {
        let mut other = proof.clone();
        other[64 * point..64 * point + 64].fill(0);
        (other[64 * point + 31], other[64 * point + 63]) = (1, 2);
        rejects(&calldata(&other, &instances));
        // On the twist, not on the curve.
        other[64 * point + 63] = 3;
        rejects(&calldata(&other, &instances));
    }
    // Points of the proof swapped, whole.
    for point in 0..points - 1 {
        let mut other = proof.clone();
        other[64 * point..64 * point + 128].rotate_left(64);
        rejects(&calldata(&other, &instances));
    }
    assert_eq!(chain.call(&address, &keccak_selector("modelId()")), Some(format!("0x{}", "ab".repeat(32))));
}

fn keccak_selector(signature: &str) -> Vec<u8> {
    use sha3::{Digest, Keccak256};
    Keccak256::digest(signature)[..4].to_vec()
}

#[test]
fn shapes_of_real_circuits_fit_and_verify() {
    let real = |first, second, fixed| Spec { k: 8, first, second, late: false, fixed, instances: 7 };
    for spec in [
        Spec { instances: 0, ..Spec::small() },
        Spec { late: false, second: 1, first: 6, ..Spec::small() },
        real(6, 6, 26),
        real(12, 8, 35),
        real(20, 16, 60),
    ] {
        deploy(spec);
    }
}

/// The three judges agree on each word of the proof, changed.
#[test]
fn the_contract_agrees_with_native_verifiers() {
    let spec = Spec::small();
    let (params, pk) = keys(spec);
    let instances = spec.public();
    let proof = prove(&params, &pk, Toy { spec, cheat: false });
    let mut chain = Chain::start();
    let source = solidity(pk.get_vk(), &params, spec.instances, [0; 32], "V").unwrap();
    let (address, _) = chain.deploy(&compile(&source));
    let mut judge = |proof: &[u8], instances: &[Fr]| {
        let verdicts = [
            verifies(&params, pk.get_vk(), proof, instances),
            oracle::accepts(&params, pk.get_vk(), proof, instances),
            chain.accepts(&address, &calldata(proof, instances)),
        ];
        assert!(verdicts.iter().all(|verdict| *verdict == verdicts[0]), "{verdicts:?}");
        verdicts[0]
    };
    assert!(judge(&proof, &instances));
    let mut one = [0; 32];
    one[31] = 1;
    for at in (0..proof.len()).step_by(32) {
        let mut other = proof.clone();
        let word = plus(&proof[at..at + 32], one);
        other[at..at + 32].copy_from_slice(&word);
        assert!(!judge(&other, &instances));
    }
    for i in 0..instances.len() {
        let mut other = instances.clone();
        other[i] += Fr::from(1);
        assert!(!judge(&proof, &other));
    }
}

#[test]
fn what_the_contract_has_no_code_for_is_refused() {
    let spec = Spec::small();
    let (params, pk) = keys(spec);
    let vk = pk.get_vk();
    assert!(solidity(vk, &params, spec.instances, [0; 32], "1a").is_err());
    assert!(solidity(vk, &params, spec.instances, [0; 32], "a b").is_err());
    assert!(solidity(vk, &params, 1 << 5, [0; 32], "V").is_err());
    let (other, _) = keys(Spec { k: 6, ..spec });
    assert!(solidity(vk, &other, spec.instances, [0; 32], "V").is_err());
}
