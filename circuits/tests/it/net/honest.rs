//! Honest witnesses are accepted, and real proofs of them verify.

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;
use zugzwang_circuits::net::circuit::{Shape, Witness};
use zugzwang_circuits::net::{Input, NetProver, binary, interpret};
use zugzwang_circuits::srs::Srs;

use super::cases::{Case, cases, chain, inputs, mixed, request};
use super::cheats::Trial;
use super::operators;

#[test]
fn gates_accept_honest_runs_and_bind_every_public_value() {
    for (name, case) in cases() {
        for seed in 0..3 {
            let trace = interpret::run(&case.net, &inputs(&case.net, seed)).expect("a run");
            let witness = Witness::new(&case.layout, &case.net, &trace, request()).expect("a witness");
            assert!(case.accepts(&witness), "{name} {}", case.layout.shape);
            // The request is bound by the transcript, not by gates.
            for i in 2..if seed == 0 { witness.instances.len() } else { 0 } {
                let mut changed = witness.clone();
                changed.instances[i] += Fr::ONE;
                assert!(!case.accepts(&changed), "{name} {}: instance {i} is free", case.layout.shape);
            }
        }
    }
}

/// Nobody can stop the prover by choosing an input: its extremes, those of each number in turn, and mixtures of both.
#[test]
fn an_honest_witness_exists_for_any_input() {
    for (name, net) in operators::all() {
        let mut trial = Trial::new(net(), 2);
        let net = trial.case.net.clone();
        let of = |digit: &dyn Fn(usize, i64) -> i64| {
            let input = |i: &Input| (0..i.len).map(|at| digit(at, (1 << i.bits) - 1)).collect::<Vec<i64>>();
            net.inputs.iter().map(input).collect::<Vec<_>>()
        };
        let mut tried = vec![of(&|_, _| 0), of(&|_, most| most), of(&|at, most| most * (at as i64 % 2))];
        for one in 0..net.inputs[0].len.min(8) {
            tried.push(of(&|at, most| if at == one { most } else { 0 }));
            tried.push(of(&|at, most| if at == one { 0 } else { most }));
        }
        tried.extend((0..8).map(|seed| inputs(&net, seed)));
        for inputs in tried {
            trial.case.trace = interpret::run(&net, &inputs).expect("no accumulator leaves its table");
            assert!(trial.breaks(&trial.honest()).is_empty(), "{name}: {inputs:?}");
        }
    }
}

#[test]
fn real_proofs_verify_for_their_own_public_values_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    for (net, kernels) in [(chain(), 4), (mixed(), 3)] {
        let shape = Shape { kernels, k: 12 };
        let srs = Srs::load(shape.k, folder.path()).expect("a set-up");
        let prover = NetProver::new(net.clone(), shape, srs, folder.path()).expect("a prover");
        let (proof, trace, _) = prover.prove(&inputs(&net, 3), [7; 32], &|_| ()).expect("a proof");
        assert!(prover.verify(&proof));
        let witness = Witness::new(prover.layout(), &net, &trace, request()).expect("a witness");
        assert_eq!(proof.instances.len(), witness.instances.len());
        for i in 0..proof.instances.len() {
            let mut changed = proof.clone();
            changed.instances[i][31] ^= 1;
            assert!(!prover.verify(&changed), "instance {i}");
        }
        let mut longer = proof.clone();
        longer.instances.push([0; 32]);
        assert!(!prover.verify(&longer));
        // A real proof from a wrong witness is rejected.
        let case = Case::new(net, shape, 3);
        let mut wrong = case.witness();
        let last = wrong.instances.len() - 1;
        wrong.instances[last] += Fr::ONE;
        let (proof, _) = prover.prove_witness(wrong, &|_| ()).expect("a proof");
        assert!(!prover.verify(&proof));
        assert!(prover.solidity("Verifier").expect("a contract").contains("function verifyProof"));
    }
}

#[test]
fn a_net_is_the_same_after_its_file() {
    for net in [chain(), mixed()] {
        let bytes = binary::encode(&net);
        assert!(binary::decode(&bytes).expect("a net") == net);
        for cut in [0, 7, 8, 9, bytes.len() / 2, bytes.len() - 1] {
            assert!(binary::decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(binary::decode(&longer).is_err());
        // Whatever a damaged file says, reading it ends with a net or an error.
        for at in (0..bytes.len()).step_by(bytes.len() / 200 + 1) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0xff;
            let _ = binary::decode(&damaged);
        }
    }
}
