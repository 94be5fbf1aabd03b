//! The verifier contract of a circuit, and the calldata it takes.
//!
//! [`solidity`] turns a verifying key into a self-contained Solidity contract with
//! `verifyProof(bytes,uint256[]) → bool` and `modelId() → bytes32`. It covers circuits with at most
//! one instance column and any gates, rotations, phases and challenges, but no permutation argument
//! and no native lookups: those are refused, since every one of their commitments costs gas.
//!
//! Proofs are made with [`transcript::EvmWriter`], [`verify_proof`]-ed natively with
//! [`transcript::EvmReader`] and sent with [`calldata`].
//!
//! What the contract checks, in this order: the exact length of the proof and number of instances;
//! every instance and every scalar of the proof below r; the transcript over the verifying key's
//! digest, the instances and every word of the proof; the gates at x; and the SHPLONK opening of
//! all commitments by one pairing. The precompiles refuse points off the curve or not reduced; the
//! identity is refused as a proof point. It answers `false` otherwise, and `false`
//! or a revert when out of gas.
//!
//! [`verify_proof`]: halo2_proofs::plonk::verify_proof

use halo2_proofs::{
    halo2curves::bn256::{Bn256, Fr, G1Affine},
    plonk::VerifyingKey,
    poly::kzg::commitment::ParamsKZG,
};
use sha3::{Digest, Keccak256};
use thiserror::Error;

mod expr;
mod plan;
pub mod transcript;
mod yul;

use plan::Plan;

use crate::net::link::{LINK_BYTES, Registered};

/// Why no verifier can be generated.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EvmError {
    /// The constraint system uses something the contract has no code for.
    #[error("the EVM verifier does not support {0}: build the circuit without it")]
    Unsupported(&'static str),
    /// An advice column that no gate reads would be a point that nobody checks.
    #[error("advice column {column} is in no gate: remove it from the circuit")]
    UnusedAdvice {
        /// The column's index.
        column: usize,
    },
    /// The instances don't fit into the circuit's usable rows.
    #[error("{got} instances, but the circuit has room for {most}")]
    TooManyInstances {
        /// The number asked for.
        got: usize,
        /// The greatest number that fits.
        most: usize,
    },
    /// The parameters belong to another size of circuit.
    #[error("the parameters are for k = {params}, the verifying key for k = {key}")]
    WrongParams {
        /// The parameters' k.
        params: u32,
        /// The verifying key's k.
        key: u32,
    },
    /// Not a Solidity identifier.
    #[error("`{0}` can't be a contract's name: use letters, digits and _")]
    BadName(String),
}

/// Sizes of a verifier, known before it is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Curve points that are multiplied: those of the proof and the fixed columns. About 6,400 gas
    /// each.
    pub commitments: usize,
    /// Exact length of a proof, in bytes.
    pub proof_bytes: usize,
    /// Evaluations in a proof.
    pub evaluations: usize,
}

/// Length of the proof and number of commitments for a verifying key.
///
/// # Errors
/// [`EvmError`] if the constraint system is not supported.
pub fn shape(vk: &VerifyingKey<G1Affine>, num_instances: usize) -> Result<Shape, EvmError> {
    let plan = Plan::new(vk, num_instances)?;
    Ok(Shape { commitments: plan.num_commitments(), proof_bytes: plan.proof_bytes, evaluations: plan.num_evals })
}

/// The Solidity source (0.8.30, optimiser on, no `viaIR`) of a verifier named `contract_name` for
/// `vk`, which takes exactly `num_instances` instances and answers `modelId()` with `model_id`.
///
/// # Errors
/// [`EvmError`] if the constraint system is not supported, the name is none, or `params` are for
/// another k.
pub fn solidity(
    vk: &VerifyingKey<G1Affine>,
    params: &ParamsKZG<Bn256>,
    num_instances: usize,
    model_id: [u8; 32],
    contract_name: &str,
) -> Result<String, EvmError> {
    solidity_linked(vk, params, num_instances, model_id, contract_name, None)
}

/// The same for proofs whose private columns are tied to `registered` commitments.
///
/// # Errors
/// As [`solidity`].
pub fn solidity_linked(
    vk: &VerifyingKey<G1Affine>,
    params: &ParamsKZG<Bn256>,
    num_instances: usize,
    model_id: [u8; 32],
    contract_name: &str,
    registered: Option<&Registered>,
) -> Result<String, EvmError> {
    source(vk, params, num_instances, model_id, contract_name, registered.map(Link::Written))
}

/// One verifier for every model of an architecture: it reads a model's commitments from the end of the running account's
/// code, so that an account that delegates to it and carries them (a clone, some hundred bytes) is that model's verifier.
/// `registered` is any model's; its points are not in the code.
///
/// # Errors
/// As [`solidity`].
pub fn solidity_of_architecture(
    vk: &VerifyingKey<G1Affine>,
    params: &ParamsKZG<Bn256>,
    num_instances: usize,
    architecture_id: [u8; 32],
    contract_name: &str,
    registered: &Registered,
) -> Result<String, EvmError> {
    source(vk, params, num_instances, architecture_id, contract_name, Some(Link::Behind(registered)))
}

/// Where a private model's commitments are.
#[derive(Clone, Copy, Debug)]
enum Link<'a> {
    /// Written into the code.
    Written(&'a Registered),
    /// Behind the code of the account that runs it.
    Behind(&'a Registered),
}

impl<'a> Link<'a> {
    fn registered(self) -> &'a Registered {
        match self {
            Self::Written(registered) | Self::Behind(registered) => registered,
        }
    }
}

/// The source for a model's or an architecture's id.
fn source(
    vk: &VerifyingKey<G1Affine>,
    params: &ParamsKZG<Bn256>,
    num_instances: usize,
    id: [u8; 32],
    contract_name: &str,
    link: Option<Link<'_>>,
) -> Result<String, EvmError> {
    use halo2_proofs::poly::commitment::Params;

    let mut letters = contract_name.chars();
    let starts_well = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !starts_well || !letters.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(EvmError::BadName(contract_name.to_owned()));
    }
    let plan = Plan::new(vk, num_instances)?;
    if params.k() != plan.k {
        return Err(EvmError::WrongParams { params: params.k(), key: plan.k });
    }
    let body = yul::body(&plan, params, link)?;
    let body: String = body.lines().map(|line| format!("            {line}\n")).collect();
    let digits: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let identity = match link {
        Some(Link::Behind(registered)) => include_str!("architecture.sol.template")
            .replace("{BYTES}", &format!("{:#x}", 64 * registered.points.len()))
            .replace("{DIGEST}", &expr::literal(plan.digest)),
        _ => include_str!("identity.sol.template").to_owned(),
    };
    // A part's first line is its licence, which the whole has already.
    let identity = identity.split_once('\n').map_or("", |(_, rest)| rest).replace("{ID}", &digits);
    let linked = if link.is_some() { LINK_BYTES } else { 0 };
    let (commitments, bytes) = (plan.num_commitments(), plan.proof_bytes + linked);
    let text = include_str!("verifier.sol.template")
        .replace("{NAME}", contract_name)
        .replace("{IDENTITY}", identity.trim_end())
        .replace("{COMMITMENTS}", &commitments.to_string())
        .replace("{PROOF_BYTES}", &bytes.to_string())
        .replace("{INSTANCES}", &num_instances.to_string())
        .replace("{BODY}", body.trim_end());
    Ok(text)
}

/// Calldata of `verifyProof(bytes,uint256[])`: selector, then the standard ABI encoding.
/// `proof` must be a whole number of words, as every proof of [`transcript::EvmWriter`] is;
/// otherwise it is padded with zeros as the ABI demands.
pub fn calldata(proof: &[u8], instances: &[Fr]) -> Vec<u8> {
    let number = |value: usize| {
        let mut word = [0u8; 32];
        word[24..].copy_from_slice(&(value as u64).to_be_bytes());
        word
    };
    let padded = proof.len().div_ceil(32) * 32;
    let mut data = Keccak256::digest(b"verifyProof(bytes,uint256[])")[..4].to_vec();
    data.extend(number(64));
    data.extend(number(96 + padded));
    data.extend(number(proof.len()));
    data.extend_from_slice(proof);
    data.resize(data.len() + padded - proof.len(), 0);
    data.extend(number(instances.len()));
    for instance in instances {
        data.extend(transcript::scalar_word(instance));
    }
    data
}
