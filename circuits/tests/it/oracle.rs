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
    verifier::{
        SnarkVerifier,
        plonk::{PlonkProtocol, PlonkVerifier},
    },
};

type Verifier = PlonkVerifier<KzgAs<Bn256, Bdfg21>>;

/// snark-verifier, for one verifying key and number of instances.
pub(crate) struct Oracle {
    key: KzgDecidingKey<Bn256>,
    protocol: PlonkProtocol<G1Affine>,
}

impl Oracle {
    pub(crate) fn new(params: &ParamsKZG<Bn256>, vk: &VerifyingKey<G1Affine>, instances: usize) -> Self {
        let protocol = compile(params, vk, Config::kzg().with_num_instance(vec![instances]));
        Self { key: (params.get_g()[0], params.g2(), params.s_g2()).into(), protocol }
    }

    /// Whether it takes the proof, of which nothing may be left over.
    pub(crate) fn accepts(&self, proof: &[u8], instances: &[Fr]) -> bool {
        let (mut rest, instances) = (proof, [instances.to_vec()]);
        let mut transcript = EvmTranscript::<G1Affine, NativeLoader, _, Vec<u8>>::new(&mut rest);
        let verdict = Verifier::read_proof(&self.key, &self.protocol, &instances, &mut transcript)
            .and_then(|proof| Verifier::verify(&self.key, &self.protocol, &instances, &proof));
        verdict.is_ok() && rest.is_empty()
    }
}

/// Whether snark-verifier takes the proof.
pub(crate) fn accepts(params: &ParamsKZG<Bn256>, vk: &VerifyingKey<G1Affine>, proof: &[u8], instances: &[Fr]) -> bool {
    Oracle::new(params, vk, instances.len()).accepts(proof, instances)
}
