//! Three judges of the same proofs, good and bad, who have to agree: our contract on a chain, halo2's verifier as the
//! daemon calls it, and snark-verifier, which others wrote.

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::PrimeField;
use zugzwang_circuits::evm::calldata;
use zugzwang_circuits::net::{Net, NetProof, NetProver, Visibility};
use zugzwang_circuits::srs::Srs;

use crate::chain::{Chain, compile};
use crate::net::cases::inputs;
use crate::net::cheats::{self, Keys, Lie, Trial};
use crate::net::operators;
use crate::oracle::Oracle;
use crate::words::{P, R, minus, plus, small, word};

type Word = [u8; 32];
type Change = (&'static str, fn(&mut NetProof));

/// Honest proofs of each net.
const GOOD: usize = 12;

fn scalar(word: &Word) -> Option<Fr> {
    let mut bytes = *word;
    bytes.reverse();
    Fr::from_repr(bytes).into()
}

/// One net's three judges.
struct Court {
    trial: Trial,
    keys: Keys,
    prover: NetProver,
    oracle: Oracle,
    contract: String,
    /// Verdicts so far: refused, taken.
    verdicts: [usize; 2],
}

impl Court {
    fn new(net: Net, kernels: usize, chain: &mut Chain) -> Self {
        let trial = Trial::new(net.clone(), kernels);
        let (keys, folder) = (Keys::new(&trial), tempfile::tempdir().expect("a folder"));
        let shape = trial.case.layout.shape;
        let srs = Srs::load(shape.k, folder.path()).expect("a set-up");
        let prover = NetProver::new(net, shape, srs, folder.path()).expect("a prover");
        let oracle = Oracle::new(keys.srs.params(), keys.key.vk(), trial.case.layout.instances());
        let (contract, _) = chain.deploy(&compile(&prover.solidity("Verifier").expect("a contract")));
        Self { trial, keys, prover, oracle, contract, verdicts: [0; 2] }
    }

    fn prove(&self, seed: u64) -> NetProof {
        let net = &self.trial.case.net;
        let salt = net.privacy.input.is_private().then(|| [seed, 1].map(Fr::from));
        self.prover.prove_salted(&inputs(net, seed), salt, [seed as u8 + 1; 32], &|_| ()).expect("a proof").0
    }

    /// Asks all three, who must all say `want`.
    fn judge(&mut self, chain: &mut Chain, about: &str, proof: &NetProof, want: bool) {
        let mut data = calldata(&proof.bytes, &vec![Fr::zero(); proof.instances.len()]);
        let first = data.len() - 32 * proof.instances.len();
        data[first..].copy_from_slice(&proof.instances.concat());
        // snark-verifier takes field elements, so a word that is none is refused before it.
        let instances: Option<Vec<Fr>> = proof.instances.iter().map(scalar).collect();
        let verdicts = [
            chain.accepts(&self.contract, &data),
            self.prover.verify(proof),
            instances.is_some_and(|instances| self.oracle.accepts(&proof.bytes, &instances)),
        ];
        assert_eq!(verdicts, [want; 3], "{about}: contract, halo2, snark-verifier");
        self.verdicts[usize::from(want)] += 1;
    }
}

/// A proof with bytes `at` and after replaced.
fn replaced(proof: &NetProof, at: usize, with: &[u8]) -> NetProof {
    let mut changed = proof.clone();
    changed.bytes[at..at + with.len()].copy_from_slice(with);
    changed
}

/// Changes of a good proof, none of which is one. `commitments` points come first, then scalars, then two points.
fn altered(proof: &NetProof, commitments: usize) -> Vec<(String, NetProof)> {
    let mut all = Vec::new();
    let mut add = |about: String, changed: NetProof| {
        if changed != *proof {
            all.push((about, changed));
        }
    };
    let bytes = &proof.bytes;
    let last = bytes.len() / 32 - 4;
    for at in (0..bytes.len() / 32).step_by(5) {
        add(format!("word {at} more by one"), replaced(proof, 32 * at, &plus(&bytes[32 * at..][..32], small(1))));
    }
    for at in [2 * commitments, 2 * commitments + 1, last - 1] {
        add(format!("scalar {at} and r"), replaced(proof, 32 * at, &plus(&bytes[32 * at..][..32], word(R))));
        add(format!("scalar {at} is 0"), replaced(proof, 32 * at, &[0; 32]));
    }
    for point in [0, 4, 2 * commitments - 2, last, last + 2] {
        let (at, [x, y]) = (32 * point, [point, point + 1].map(|word| &bytes[32 * word..][..32]));
        add(format!("point at word {point} is the identity"), replaced(proof, at, &[0; 64]));
        add(format!("point at word {point} is the generator"), replaced(proof, at, &[small(1), small(2)].concat()));
        add(format!("point at word {point} is not on the curve"), replaced(proof, at, &[small(1), small(3)].concat()));
        add(format!("point at word {point} is its negative"), replaced(proof, at + 32, &minus(word(P), y)));
        add(format!("point at word {point}: x and p"), replaced(proof, at, &plus(x, word(P))));
    }
    for point in 0..3 {
        let mut pair = bytes[64 * point..][..128].to_vec();
        pair.rotate_left(64);
        add(format!("points {point} and the next exchanged"), replaced(proof, 64 * point, &pair));
    }
    for (i, instance) in proof.instances.iter().enumerate() {
        for (about, new) in [("more by one", plus(instance, small(1))), ("and r", plus(instance, word(R)))] {
            let mut changed = proof.clone();
            changed.instances[i] = new;
            add(format!("instance {i} {about}"), changed);
        }
    }
    let lengths: [Change; 8] = [
        ("without an instance", |p| p.instances.truncate(p.instances.len() - 1)),
        ("without instances", |p| p.instances.clear()),
        ("with an instance of 0 more", |p| p.instances.push([0; 32])),
        ("with the request's halves exchanged", |p| p.instances.swap(0, 1)),
        ("without its last byte", |p| p.bytes.truncate(p.bytes.len() - 1)),
        ("without its last point", |p| p.bytes.truncate(p.bytes.len() - 64)),
        ("without anything", |p| p.bytes.clear()),
        ("with a word of 0 more", |p| p.bytes.extend([0; 32])),
    ];
    for (about, change) in lengths {
        let mut changed = proof.clone();
        change(&mut changed);
        add(about.into(), changed);
    }
    all
}

/// Its lies are in `net/private.rs`; here the verifiers meet the sponge, and public values that are read further up.
fn private_input() -> Net {
    let mut net = operators::chain();
    net.privacy.input = Visibility::Private;
    net
}

#[test]
fn contract_halo2_and_snark_verifier_agree() {
    let mut chain = Chain::start();
    let nets: [(operators::Named, usize, &[Lie]); 5] = [
        (("chain", operators::chain), 4, cheats::chain::LIES),
        (("sparse", operators::sparse), 1, cheats::sparse::LIES),
        (("products", operators::products), 3, cheats::products::LIES),
        (("maxima", operators::maxima), 2, cheats::maxima::LIES),
        (("a private input", private_input), 4, &[]),
    ];
    let (mut verdicts, mut before) = ([0; 2], None);
    for ((name, net), kernels, lies) in nets {
        let mut court = Court::new(net(), kernels, &mut chain);
        let proofs: Vec<NetProof> = (0..GOOD as u64).map(|seed| court.prove(seed)).collect();
        for (seed, proof) in proofs.iter().enumerate() {
            court.judge(&mut chain, &format!("{name}, input {seed}"), proof, true);
        }
        let shape = court.prover.evm_shape().expect("a contract");
        let commitments = (shape.proof_bytes / 32 - shape.evaluations) / 2 - 2;
        for (about, proof) in altered(&proofs[0], commitments) {
            court.judge(&mut chain, &format!("{name}, {about}"), &proof, false);
        }
        // Another request's proof of the same inputs, and another input's.
        let mut claimed = proofs[0].clone();
        claimed.instances[..2].copy_from_slice(&proofs[1].instances[..2]);
        court.judge(&mut chain, &format!("{name}, another request"), &claimed, false);
        claimed.instances = proofs[1].instances.clone();
        court.judge(&mut chain, &format!("{name}, another input"), &claimed, false);
        // Another net's proof, with its own public values and with this one's.
        if let Some(other) = before.replace(proofs[0].clone()) {
            court.judge(&mut chain, &format!("{name}, another net"), &other, false);
            let claimed = NetProof { instances: proofs[0].instances.clone(), ..other };
            court.judge(&mut chain, &format!("{name}, another net's proof"), &claimed, false);
        }
        for lie in lies.iter().step_by(3) {
            let cells = lie.told(&court.trial);
            let bytes = court.keys.prove(&court.trial, &cells);
            let words = cells.instances.iter().map(|v| {
                let mut word: Word = v.to_repr();
                word.reverse();
                word
            });
            let proof = NetProof { bytes, instances: words.collect() };
            court.judge(&mut chain, &format!("{name}, {}", lie.about), &proof, false);
        }
        println!("{name}: {} proofs taken, {} refused by all three", court.verdicts[1], court.verdicts[0]);
        verdicts = [0, 1].map(|i| verdicts[i] + court.verdicts[i]);
    }
    let [refused, taken] = verdicts;
    println!("{taken} proofs taken, {refused} refused by all three");
    assert_eq!(taken, 5 * GOOD);
    assert!(taken >= 40 && refused >= 160, "{taken} taken, {refused} refused");
}
