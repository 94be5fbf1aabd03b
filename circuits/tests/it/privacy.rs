//! A fraud classifier in the four cases of privacy, from its ONNX file to a contract on a chain: 24 features of an account, two
//! hidden layers of 64 and 32, two classes. Folders are written and read as an owner and a reader would.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use tract_onnx::pb::tensor_proto::DataType;
use zugzwang_circuits::evm::{calldata, transcript::scalar_from_word};
use zugzwang_circuits::net::compile::{Options, compile};
use zugzwang_circuits::net::package::{Package, PackageError};
use zugzwang_circuits::net::{Goal, NetProof, NetProver, Privacy, Visibility, Weights, choose};
use zugzwang_circuits::onnx;
use zugzwang_circuits::poseidon::{Salt, random_salt};
use zugzwang_circuits::srs::{MAX_K, Srs};

use crate::chain::{Chain, compile as contract};
use crate::onnx::files::{bytes, file, floats_of, interface, node};

const FEATURES: usize = 24;
const LAYERS: [usize; 4] = [FEATURES, 64, 32, 2];

/// Numbers spread like a standard normal distribution: the sum of twelve uniform ones.
fn normal(rng: &mut ChaCha20Rng, count: usize) -> Vec<f32> {
    let uniform = |rng: &mut ChaCha20Rng| rng.next_u32() as f32 / u32::MAX as f32;
    (0..count).map(|_| (0..12).map(|_| uniform(rng)).sum::<f32>() - 6.0).collect()
}

fn fraud_mlp() -> Vec<u8> {
    let rng = &mut ChaCha20Rng::seed_from_u64(17);
    let (mut nodes, mut constants) = (vec![], vec![]);
    let mut last = "features".to_owned();
    for (i, sizes) in LAYERS.windows(2).enumerate() {
        let scale = (2.0 / sizes[0] as f32).sqrt();
        let weights = normal(rng, sizes[0] * sizes[1]).iter().map(|w| w * scale).collect();
        let bias = normal(rng, sizes[1]).iter().map(|b| b / 10.0).collect();
        constants.push(floats_of(&format!("w{i}"), &[sizes[0] as i64, sizes[1] as i64], weights));
        constants.push(floats_of(&format!("b{i}"), &[sizes[1] as i64], bias));
        let sum = if i + 2 == LAYERS.len() { "fraud".to_owned() } else { format!("sum{i}") };
        nodes.push(node("Gemm", &format!("{last} w{i} b{i}"), &sum, &[]));
        last = sum;
        if i + 2 < LAYERS.len() {
            nodes.push(node("Relu", &last, &format!("relu{i}"), &[]));
            last = format!("relu{i}");
        }
    }
    bytes(&file(17, vec![interface("features", &[1, FEATURES as i64], DataType::Float)], constants, nodes))
}

fn data(proof: &NetProof) -> Vec<u8> {
    let instances: Vec<_> = proof.instances.iter().filter_map(|word| scalar_from_word(*word)).collect();
    calldata(&proof.bytes, &instances)
}

#[test]
fn a_fraud_classifier_is_proven_on_a_chain_in_the_four_cases() {
    let file = fraud_mlp();
    let float = onnx::parse(&file).expect("a network");
    let rng = &mut ChaCha20Rng::seed_from_u64(18);
    let samples: Vec<Vec<Vec<f32>>> = (0..64).map(|_| vec![normal(rng, FEATURES)]).collect();
    let compiled = compile(&float, &samples, &Options::default()).expect("integers");
    let folder = tempfile::tempdir().expect("a folder");
    let mut chain = Chain::start();
    let mut gas = vec![];
    let (public, private) = (Visibility::Public, Visibility::Private);
    for (n, (input, model)) in
        [(public, public), (private, public), (public, private), (private, private)].into_iter().enumerate()
    {
        let compiled = compiled.clone().with(Privacy { input, model }).expect("ranges");
        let chosen = choose(&compiled.net, &compiled.bounds, MAX_K, Goal::Gas).expect("a shape");
        let shape = chosen.shape;
        let dir = folder.path().join(n.to_string());
        Package::store(&dir, "fraud", &file, &compiled, &Options::default(), shape).expect("a folder");
        let package = Package::load(&dir).expect("the folder");
        let srs = || Srs::load(shape.k, folder.path()).expect("a set-up");
        let owner = NetProver::of(&package, shape, srs(), folder.path()).expect("keys");
        let real = &package.manifest.inputs[0];
        let integers = vec![samples[n][0].iter().map(|v| real.encode(f64::from(*v))).collect::<Vec<i64>>()];
        let salt: Option<Salt> = input.is_private().then(random_salt);
        let (proof, trace, _) = owner.prove_salted(&integers, salt, [n as u8; 32], &|_| ()).expect("a proof");

        assert_eq!(proof.bytes.len(), chosen.proof_bytes, "as predicted");

        // What is public: the request, then the input or its commitment, then the answer.
        let before = if let Some(salt) = salt {
            assert_eq!(proof.instances[2], package.commit(&integers, salt).expect("a commitment"));
            let other = package.commit(&integers, random_salt()).expect("a commitment");
            assert_ne!(proof.instances[2], other, "the salt changes it");
            3
        } else {
            owner.layout().instances() - 1
        };
        let answer = &trace.tensors[package.net.outputs[0].tensor];
        let limb = u128::from_be_bytes(std::array::from_fn(|i| proof.instances[before][16 + i]));
        let bits = package.net.outputs[0].bits;
        assert_eq!([limb & ((1 << bits) - 1), limb >> bits].map(|v| v as i64)[..], answer[..]);

        let (address, _) = chain.deploy(&contract(&owner.solidity("Verifier").expect("a contract")));
        let honest = data(&proof);
        assert!(chain.accepts(&address, &honest), "{input:?} input, {model:?} model");
        let mut forged = proof.clone();
        forged.instances[before][31] ^= 1;
        assert!(!chain.accepts(&address, &data(&forged)), "another answer");
        let used = chain.gas(&address, &honest);
        let share = used as f64 / chosen.gas;
        assert!((0.75..1.25).contains(&share), "{used} gas, predicted {}", chosen.gas);
        gas.push(used);

        if model.is_private() {
            read_by_another(&package, &owner, &proof, &folder.path().join(format!("{n}-public")));
        } else {
            assert!(matches!(package.weights, Weights::Public));
        }
    }
    println!("gas: public {}, private input {}, private model {}, both {}", gas[0], gas[1], gas[2], gas[3]);
}

/// Somebody with the published folder verifies, and learns no weight from it.
fn read_by_another(package: &Package, owner: &NetProver, proof: &NetProof, dir: &std::path::Path) {
    let shape = owner.layout().shape;
    package.publish(dir, shape, owner.registered().expect("commitments")).expect("a folder");
    let mut names: Vec<_> = std::fs::read_dir(dir).expect("files").map(|f| f.expect("a file").file_name()).collect();
    names.sort();
    assert_eq!(names, ["architecture.bin", "net.toml"]);
    let published = Package::load(dir).expect("the published folder");
    assert!(published.net == package.net.architecture() && published.net != package.net);
    let srs = Srs::load(shape.k, dir).expect("a set-up");
    let reader = NetProver::of(&published, shape, srs, dir).expect("keys");
    assert_eq!(reader.model_id(), owner.model_id());
    assert!(reader.verify(proof));
    let mut changed = proof.clone();
    changed.bytes[100] ^= 1;
    assert!(!reader.verify(&changed));

    let manifest = dir.join("net.toml");
    let text = std::fs::read_to_string(&manifest).expect("a manifest");
    let check = |name: &str, text: String| {
        std::fs::write(&manifest, text).expect("a manifest");
        assert!(matches!(Package::load(dir), Err(PackageError::Content { .. })), "{name}");
    };
    let first = &published.manifest.commitments[0];
    check("a commitment off the curve", text.replace(first, &format!("{:0>128}", "3")));
    check("a commitment that is cut", text.replace(first, &first[2..]));
    check("a model that is said to be public", text.replace("model = \"private\"", "model = \"public\""));
}
