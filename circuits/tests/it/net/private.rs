//! Private inputs and private models: gates, cheats, and real proofs on a chain in all four cases.

use std::collections::BTreeSet;
use std::path::Path;

use ark_ff::{BigInteger, PrimeField as _};
use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::{Field, PrimeField};
use light_poseidon::{Poseidon, PoseidonHasher};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use zugzwang_circuits::evm::{calldata, transcript::scalar_from_word};
use zugzwang_circuits::net::circuit::{START_ROW, Shape, Witness};
use zugzwang_circuits::net::link::LINK_BYTES;
use zugzwang_circuits::net::{Net, NetProof, NetProver, NetProverError, Privacy, Visibility, Weights};
use zugzwang_circuits::poseidon::{Mix, Salt, commit, permutation, permute};
use zugzwang_circuits::srs::Srs;

use super::cases::{Case, chain, inputs, mixed, pick, products, request};
use crate::chain::{Chain, compile};

pub(super) const PRIVATE: Visibility = Visibility::Private;
const SALT: [u64; 2] = [0x5a17, 0x7a57];

pub(super) fn salt() -> Salt {
    SALT.map(Fr::from)
}

pub(super) fn with(mut net: Net, input: Visibility, model: Visibility) -> Net {
    net.privacy = Privacy { input, model };
    net
}

fn witness(case: &Case, salt: Option<Salt>) -> Witness {
    Witness::salted(&case.layout, &case.net, &case.trace, request(), salt).expect("a witness")
}

/// Nets of every kind with each kind of privacy.
fn cases() -> impl Iterator<Item = (String, Case, Option<Salt>)> {
    let nets = [("chain", chain as fn() -> Net, [1, 4]), ("mixed", mixed, [3, 8]), ("products", products, [1, 5])];
    let public = Visibility::Public;
    nets.into_iter().flat_map(move |(name, net, kernels)| {
        [(PRIVATE, public), (public, PRIVATE), (PRIVATE, PRIVATE)].into_iter().zip(kernels.into_iter().cycle()).map(
            move |((input, model), kernels)| {
                let case = Case::new(with(net(), input, model), Shape { kernels, k: 12 }, 1);
                (format!("{name}, {input:?} input, {model:?} model"), case, input.is_private().then(salt))
            },
        )
    })
}

#[test]
fn poseidon_is_the_one_that_others_use() {
    for [a, b] in [[1u64, 2], [0, 0], [u64::MAX, 77]] {
        let mut other = Poseidon::<ark_bn254::Fr>::new_circom(2).expect("a hasher");
        let want = other.hash(&[ark_bn254::Fr::from(a), ark_bn254::Fr::from(b)]).expect("a hash");
        let ours = permute([Fr::ZERO, Fr::from(a), Fr::from(b)])[0];
        assert_eq!(ours.to_repr()[..], want.into_bigint().to_bytes_le()[..]);
    }
    // What circomlib's documentation gives for (1, 2).
    let known = "7853200120776062878684798364095072458815029376092732009249414926327459813530";
    assert_eq!(permute([Fr::ZERO, Fr::from(1), Fr::from(2)])[0], Fr::from_str_vartime(known).expect("a number"));
    // The sponge, by hand.
    let [a, b, c] = [3, 5, 7].map(Fr::from);
    let start = permute([Fr::from(3), salt()[0], salt()[1]]);
    let middle = permute([start[0], start[1] + c, start[2] + b]);
    assert_eq!(commit(salt(), &[a, b, c]), permute([middle[0], middle[1] + a, middle[2]])[0]);
}

#[test]
fn gates_accept_honest_runs_and_bind_every_public_value() {
    for (name, case, salt) in cases() {
        let honest = witness(&case, salt);
        assert!(case.accepts(&honest), "{name}");
        for i in 2..honest.instances.len() {
            let mut changed = honest.clone();
            changed.instances[i] += Fr::ONE;
            assert!(!case.accepts(&changed), "{name}: instance {i} is free");
        }
        assert!(
            Witness::salted(&case.layout, &case.net, &case.trace, request(), salt.xor(Some([Fr::ONE; 2]))).is_err()
        );
    }
}

/// What a lying prover does to an honest witness.
type Change<'a> = Box<dyn Fn(&mut Witness) + 'a>;

/// Provers that open a commitment to another input than the one that is run.
#[test]
fn a_commitment_has_one_input() {
    for (name, case, salt) in cases().filter(|(_, _, salt)| salt.is_some()) {
        let honest = witness(&case, salt);
        let other = Case::new(case.net.clone(), case.layout.shape, 2);
        let lies: [(&str, Change<'_>); 6] = [
            ("the sponge of another input", Box::new(|w| w.sponge = witness(&other, salt).sponge)),
            (
                "the sponge and commitment of another input",
                Box::new(|w| {
                    let other = witness(&other, salt);
                    (w.sponge, w.instances[2]) = (other.sponge, other.instances[2]);
                }),
            ),
            (
                "the run of another input",
                Box::new(|w| {
                    let other = witness(&other, salt);
                    w.first = other.first;
                    w.instances.truncate(3);
                    w.instances.extend(&other.instances[3..]);
                }),
            ),
            ("another salt", Box::new(|w| w.sponge = witness(&case, Some([Fr::ONE, Fr::ONE])).sponge)),
            ("no sponge", Box::new(|w| w.sponge.iter_mut().for_each(|s| s.t.fill(Fr::ZERO)))),
            (
                "another capacity",
                Box::new(|w| {
                    if let Some(s) = &mut w.sponge {
                        let last = s.t.len() - 1;
                        s.t[last] += Fr::ONE;
                        s.powers[0][last] = s.t[last].square();
                        s.powers[1][last] = s.t[last].square().square();
                    }
                }),
            ),
        ];
        for (lie, tell) in lies {
            let mut lying = honest.clone();
            tell(&mut lying);
            assert!(!case.accepts(&lying), "{name}: {lie}");
        }
    }
}

/// The honest sponge with `added` to one cell, everything after it computed anew, and the commitment that comes out.
fn injected(case: &Case, honest: &Witness, row: usize, number: usize, added: Fr) -> Witness {
    let mut lying = honest.clone();
    let (rounds, constants) = (case.layout.fixed.rounds.as_ref().expect("rounds"), &case.layout.constants_of_rounds);
    let (was, sponge) = (honest.sponge.as_ref().expect("a sponge"), lying.sponge.as_mut().expect("a sponge"));
    let mut state = [was.t[row], was.others[0][row], was.others[1][row]];
    state[number] += added;
    for row in (START_ROW..=row).rev() {
        sponge.t[row] = state[0];
        (sponge.others[0][row], sponge.others[1][row]) = (state[1], state[2]);
        sponge.powers[0][row] = state[0].square();
        sponge.powers[1][row] = state[0].square().square();
        let mix = match (rounds.full[row], rounds.partial[row]) {
            (1, _) => Mix::Full,
            (_, 1) => Mix::Partial,
            _ => Mix::Turn,
        };
        // Where a limb is absorbed it stays the honest one.
        let limb = if rounds.turn[row] == 2 { was.t[row - 1] - constants[row] - was.others[0][row] } else { Fr::ZERO };
        state = permutation().after(mix, state);
        state[0] += constants[row] + limb;
    }
    lying.instances[START_ROW] = sponge.t[START_ROW];
    lying
}

/// Nothing is absorbed but salt and limbs, wherever a prover adds something and goes on honestly from there.
#[test]
fn nothing_else_is_absorbed() {
    let case = Case::new(with(mixed(), PRIVATE, Visibility::Public), Shape { kernels: 4, k: 12 }, 1);
    let honest = witness(&case, Some(salt()));
    let start = honest.sponge.as_ref().expect("a sponge").t.len() - 1;
    for number in [1, 2] {
        let salted = injected(&case, &honest, start, number, Fr::ONE);
        assert!(salted.instances[START_ROW] != honest.instances[START_ROW]);
        assert!(case.accepts(&salted), "the salt is the prover's");
    }
    let turns = &case.layout.fixed.rounds.as_ref().expect("rounds").turn;
    let limbs: Vec<usize> = (START_ROW..start).filter(|row| turns[*row] == 2).collect();
    assert!(!limbs.is_empty());
    let rows = [start, start - 1, start - 40, limbs[0], limbs[0] - 1, START_ROW + 30, START_ROW + 1];
    for (row, number) in rows.into_iter().flat_map(|row| [(row, 0), (row, 1), (row, 2)]) {
        if row != start || number == 0 {
            let lying = injected(&case, &honest, row, number, Fr::from(7));
            assert!(!case.accepts(&lying), "row {row}, number {number}");
        }
    }
}

/// Every cell of the sponge is pinned down by the others; the salt is free only together with all that follows from it.
#[test]
fn changed_cells_of_the_sponge_are_caught() {
    let case = Case::new(with(chain(), PRIVATE, Visibility::Public), Shape { kernels: 4, k: 12 }, 1);
    let honest = witness(&case, Some(salt()));
    let rows = honest.sponge.as_ref().expect("a sponge").t.len();
    let rng = &mut ChaCha20Rng::seed_from_u64(4);
    let mut tried = BTreeSet::new();
    for n in 0..150 {
        let row = match n {
            0..10 => START_ROW + n / 5,
            10..20 => rows - 1 - (n - 10) / 5,
            _ => pick(rng, START_ROW as i64, rows as i64 - 1) as usize,
        };
        let column = n % 5;
        let mut changed = honest.clone();
        let sponge = changed.sponge.as_mut().expect("a sponge");
        let cells = match column {
            0 => &mut sponge.t,
            1 | 2 => &mut sponge.others[column - 1],
            _ => &mut sponge.powers[column - 3],
        };
        cells[row] += Fr::from(1 << (n % 7));
        assert!(!case.accepts(&changed), "row {row}, column {column}");
        tried.insert((row, column));
    }
    assert!(tried.len() > 100);
}

/// Whoever registers a model chooses weights, and nothing else.
#[test]
fn private_columns_are_empty_where_there_are_no_weights() {
    for (name, case, salt) in cases().filter(|(_, case, _)| case.net.privacy.model.is_private()) {
        let honest = witness(&case, salt);
        let shut = case.layout.fixed.shut.as_ref().expect("a column");
        let mut tried = 0;
        let columns = case.layout.secret_columns();
        for (code, column) in [(1, 0), (1, columns - 2), (2, columns - 1), (3, 0), (3, columns - 1)] {
            let Some(row) = (START_ROW..case.layout.end).rev().find(|row| shut[*row] == code) else { continue };
            let mut changed = honest.clone();
            let secret = changed.secret.as_mut().expect("weights");
            match secret.weights.get_mut(column) {
                Some(weights) => weights[row] += Fr::ONE,
                None => secret.bias[row] += Fr::ONE,
            }
            assert!(!case.accepts(&changed), "{name}: row {row} of {columns} columns, shut {code}");
            tried += 1;
        }
        // Every kind of row that is shut in this layout, and at least those with neither.
        assert!(tried >= 2, "{name}: {tried} rows were tried");
    }
}

pub(super) fn prover(net: &Net, weights: Weights, folder: &Path) -> NetProver {
    let shape = Shape { kernels: 4, k: 12 };
    let srs = Srs::load(shape.k, folder).expect("a set-up");
    NetProver::with(net.clone(), weights, shape, srs, folder).expect("a prover")
}

pub(super) fn prove(prover: &NetProver, salt: Option<Salt>, seed: u64) -> NetProof {
    let inputs = inputs(prover.net(), seed);
    prover.prove_salted(&inputs, salt, [7; 32], &|_| ()).expect("a proof").0
}

pub(super) fn data(proof: &NetProof) -> Vec<u8> {
    let instances: Vec<Fr> = proof.instances.iter().filter_map(|word| scalar_from_word(*word)).collect();
    calldata(&proof.bytes, &instances)
}

/// All four cases end to end: proof, native verifier, contract; every word of the proof counts.
#[test]
fn the_four_cases_verify_on_a_chain() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut evm = Chain::start();
    let public = Visibility::Public;
    for (net, input, model) in [
        (chain(), public, public),
        (chain(), PRIVATE, public),
        (chain(), public, PRIVATE),
        (chain(), PRIVATE, PRIVATE),
        (mixed(), PRIVATE, PRIVATE),
    ] {
        let name = format!("{input:?} input, {model:?} model");
        let net = with(net, input, model);
        let weights = if model.is_private() { Weights::Private([9; 32]) } else { Weights::Public };
        let prover = prover(&net, weights, folder.path());
        let salt = input.is_private().then(salt);
        let proof = prove(&prover, salt, 3);
        assert!(prover.verify(&proof), "{name}");
        let (address, _) = evm.deploy(&compile(&prover.solidity("Verifier").expect("a contract")));
        let honest = data(&proof);
        assert!(evm.accepts(&address, &honest), "{name}");
        assert_eq!(prover.evm_shape().expect("a shape").proof_bytes, proof.bytes.len());
        let mut altered = 0;
        for at in (4..honest.len()).step_by(32) {
            let mut changed = honest.clone();
            changed[at + 31] ^= 1;
            assert!(!evm.accepts(&address, &changed), "{name}: word at {at}");
            altered += 1;
        }
        for at in (0..proof.bytes.len()).step_by(32) {
            let mut changed = proof.clone();
            changed.bytes[at + 31] ^= 1;
            assert!(!prover.verify(&changed), "{name}: word at {at}");
        }
        println!(
            "{name}: {} bytes, {} gas, {altered} altered words refused",
            proof.bytes.len(),
            evm.gas(&address, &honest)
        );
    }
}

/// A proof with other weights, tied to the registered ones by everything that its prover can do.
#[test]
fn other_weights_are_not_the_registered_model() {
    let folder = tempfile::tempdir().expect("a folder");
    let net = with(chain(), Visibility::Public, PRIVATE);
    let mut other = net.clone();
    if let zugzwang_circuits::net::Step::Linear(zugzwang_circuits::net::Linear::Conv(conv), _) =
        &mut other.nodes[1].step
    {
        conv.weights[5] += 1;
    }
    let [honest, cheat] = [&net, &other].map(|net| prover(net, Weights::Private([9; 32]), folder.path()));
    let (registered, theirs) = (honest.registered().expect("commitments"), cheat.registered().expect("commitments"));
    assert_ne!(registered.commitment, theirs.commitment);
    let proof = prove(&cheat, None, 3);
    assert!(cheat.verify(&proof) && !honest.verify(&proof));
    // The halo2 part is right for both, which have one verifying key: the link alone tells them apart.
    let halo2 = &proof.bytes[..proof.bytes.len() - LINK_BYTES];
    let fresh = vec![[Fr::ONE; 2]; registered.points.len()];
    for kept in [[Fr::ZERO; 2], [Fr::ONE; 2]] {
        let kept = vec![kept; registered.points.len()];
        let link = registered.prove(halo2, &proof.instances, &fresh, &kept, rand_chacha::ChaCha20Rng::seed_from_u64(1));
        assert!(!registered.verify(halo2, &proof.instances, &link));
    }
    // Another proof's link, and one proof's link under other public values.
    let (first, second) = (prove(&honest, None, 3), prove(&honest, None, 4));
    assert!(honest.verify(&first) && honest.verify(&second));
    let swapped =
        [&first.bytes[..first.bytes.len() - LINK_BYTES], &second.bytes[second.bytes.len() - LINK_BYTES..]].concat();
    assert!(!honest.verify(&NetProof { bytes: swapped, instances: first.instances.clone() }));
    // What proofs show of the private columns is new each time, and never the registered points.
    let points = |proof: &NetProof| -> Vec<Vec<u8>> {
        let from = registered.offset;
        proof.bytes[from..from + 64 * registered.points.len()].chunks(64).map(<[u8]>::to_vec).collect()
    };
    let again = prove(&honest, None, 3);
    let all: BTreeSet<Vec<u8>> = [&first, &second, &again].into_iter().flat_map(points).collect();
    assert_eq!(all.len(), 3 * registered.points.len());
}

/// The architecture and the commitments are enough to verify, and not to prove.
#[test]
fn others_verify_without_weights() {
    let folder = tempfile::tempdir().expect("a folder");
    let net = with(mixed(), PRIVATE, PRIVATE);
    let owner = prover(&net, Weights::Private([1; 32]), folder.path());
    let points = owner.registered().expect("commitments").points.clone();
    let public = net.architecture();
    assert!(public.nodes != net.nodes);
    let reader = prover(&public, Weights::Registered(points.clone()), folder.path());
    let proof = prove(&owner, Some(salt()), 5);
    assert!(reader.verify(&proof));
    assert_eq!(reader.model_id(), owner.model_id());
    assert_eq!(reader.solidity("V").expect("a contract"), owner.solidity("V").expect("a contract"));
    let refused = reader.prove_salted(&inputs(&net, 5), Some(salt()), [7; 32], &|_| ());
    assert!(matches!(refused, Err(NetProverError::NoWeights)));
    let srs = |k| Srs::load(k, folder.path()).expect("a set-up");
    let shape = Shape { kernels: 5, k: 12 };
    let other = NetProver::with(public.clone(), Weights::Registered(points), shape, srs(12), folder.path());
    assert!(matches!(other, Err(NetProverError::Commitments { .. })));
    let wrong = NetProver::with(net, Weights::Public, shape, srs(12), folder.path());
    assert!(matches!(wrong, Err(NetProverError::Visibility { private: true })));
}
