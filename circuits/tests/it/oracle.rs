//! snark-verifier, written by others, as an independent judge of our proofs: it takes what the
//! contract takes and refuses what the contract refuses.

use halo2_proofs::{
    halo2curves::bn256::{Bn256, Fr, G1Affine},
    plonk::VerifyingKey,
    poly::{commitment::ParamsProver, kzg::commitment::ParamsKZG},
};
use snark_verifier::{
    loader::native::NativeLoader,
    pcs::kzg::{Bdfg21, KzgAs, KzgDecidingKey},
    system::halo2::{Config, compile, transcript::evm::EvmTranscript},
    verifier::{SnarkVerifier, plonk::PlonkVerifier},
};

type Verifier = PlonkVerifier<KzgAs<Bn256, Bdfg21>>;

/// Whether snark-verifier takes the proof. Like its contract, it reads no further than it must.
pub(crate) fn accepts(params: &ParamsKZG<Bn256>, vk: &VerifyingKey<G1Affine>, proof: &[u8], instances: &[Fr]) -> bool {
    let config = Config::kzg().with_num_instance(vec![instances.len()]);
    let protocol = compile(params, vk, config);
    let key: KzgDecidingKey<Bn256> = (params.get_g()[0], params.g2(), params.s_g2()).into();
    let instances = [instances.to_vec()];
    let mut transcript = EvmTranscript::<G1Affine, NativeLoader, _, Vec<u8>>::new(proof);
    Verifier::read_proof(&key, &protocol, &instances, &mut transcript)
        .and_then(|proof| Verifier::verify(&key, &protocol, &instances, &proof))
        .is_ok()
}
