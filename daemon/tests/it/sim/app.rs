//! The daemon's side of the desk: an app like the real ones, and a stand-in for the prover, whose proofs are right only if the
//! input was.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use zugzwang::{
    apps::{App, AppError, Async, Look, Next, Occurrence, Question, Reply, Task, Told},
    chain::{
        ChainError, Client,
        contract::Words,
        policy::Permit,
        submit::Call,
        types::{Address, Log, U256},
    },
    prover::{Facts, Phase, Proof, Prove, ProveError},
    store::{Answer, Job},
};
use zugzwang_circuits::graph::Tensor;

use super::desk::{self, DESK, Said, View};

/// Seconds until a subject is looked at again.
const LATER: u64 = 120;

/// The app.
#[derive(Debug)]
pub(super) struct Clerk {
    client: Client,
    signer: Address,
    prover: Arc<dyn Prove>,
}

impl Clerk {
    pub(super) fn new(client: Client, signer: Address, prover: Arc<dyn Prove>) -> Self {
        Self { client, signer, prover }
    }

    async fn view(&self, subject: U256, round: u64) -> Result<View, ChainError> {
        let bytes = self.client.call(None, DESK, desk::question(subject.saturating_to(), round), None).await?;
        View::decode(&bytes).ok_or(ChainError::Undecodable {
            name: "desk",
            address: DESK,
            what: "question".into(),
            why: format!("{} bytes", bytes.len()),
        })
    }

    async fn asked(&self, job: &Job) -> Result<Question, AppError> {
        let (subject, round) = (job.key.subject, job.key.round);
        let view = self.view(subject, round).await?;
        let nothing = |why: &str| Ok(Question::Nothing { why: why.into() });
        if view.over != 0 {
            return nothing("it is over");
        }
        if view.rounds <= round {
            return Ok(Question::NotYet);
        }
        if view.answered {
            return nothing("it has been answered");
        }
        if view.rounds > round + 1 {
            return nothing("another round is asked");
        }
        if view.now > view.deadline {
            return nothing("its deadline has passed");
        }
        Ok(Question::Prove(Task {
            prover: self.prover.clone(),
            input: Tensor { cells: 1, values: view.input.iter().map(|byte| i64::from(*byte)).collect() },
            request: desk::request(subject.saturating_to(), round, self.signer),
            outputs: 2..3,
        }))
    }
}

impl App for Clerk {
    fn name(&self) -> &'static str {
        "desk"
    }

    fn contract(&self) -> Address {
        DESK
    }

    fn read(&self, log: &Log) -> Result<Option<Told>, ChainError> {
        Ok(desk::read(log.topics(), &log.data().data).map(|(subject, said)| {
            let (what, look) = match said {
                Said::Asked { round } => (Occurrence::Asked { round }, Next::Now),
                Said::Answered { round } => (Occurrence::Answered { round }, Next::Now),
                Said::Over { forfeited } => (Occurrence::Over { forfeited, how: "it is over".into() }, Next::Never),
            };
            Told { subject, what: Some(what), look, bulletin: None }
        }))
    }

    fn question<'a>(&'a self, job: &'a Job) -> Async<'a, Result<Question, AppError>> {
        Box::pin(self.asked(job))
    }

    fn is_asked<'a>(&'a self, job: &'a Job) -> Async<'a, Result<bool, AppError>> {
        Box::pin(async { Ok(self.view(job.key.subject, job.key.round).await?.asks(job.key.round)) })
    }

    fn reply<'a>(&'a self, job: &'a Job, answer: &'a Answer) -> Async<'a, Result<Reply, AppError>> {
        Box::pin(async {
            let (Some(output), Ok(proof)) = (answer.outputs.first(), answer.proof.as_slice().try_into()) else {
                return Ok(Reply::Nothing { why: "the stored proof is none".into() });
            };
            let data = desk::answer(job.key.subject.saturating_to(), job.key.round, *output, proof);
            Ok(Reply::Send(Call { to: DESK, data, value: U256::ZERO }))
        })
    }

    fn words(&self) -> Words {
        desk::words
    }

    fn permits(&self) -> Vec<Permit> {
        desk::calls().map(|(selector, name)| Permit::of(selector, name)).into()
    }

    fn is_forfeited(&self, words: &str) -> bool {
        words == "Late"
    }

    fn look<'a>(&'a self, subject: U256, sent: bool, now: u64) -> Async<'a, Result<Look, AppError>> {
        Box::pin(async move {
            let view = self.view(subject, 0).await?;
            Ok(if view.rounds == 0 || view.over != 0 || sent {
                // What says so may go again; the event of the end says that no look is needed.
                Look::At(now.saturating_add(LATER))
            } else if now < view.expiry {
                Look::At(view.expiry)
            } else {
                let call = Call { to: DESK, data: desk::close(subject.saturating_to()), value: U256::ZERO };
                Look::Send { call, what: "the end of a subject that was left", again: now.saturating_add(LATER) }
            })
        })
    }

    fn holds(&self, subject: U256) -> Async<'_, Result<bool, AppError>> {
        Box::pin(async move {
            let view = self.view(subject, 0).await?;
            Ok(view.rounds > 0 && view.over == 0 && view.now >= view.expiry)
        })
    }
}

/// What goes wrong with the proof of an input, by its last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ailment {
    None,
    /// The first proof fails.
    Once,
    /// The first proof is a wrong one.
    Lies,
    /// There is never a proof.
    Always,
}

impl Ailment {
    pub(super) fn of(input: &[u8; 32]) -> Self {
        match input[31] {
            0..=9 => Self::Once,
            10..=15 => Self::Lies,
            16..=19 => Self::Always,
            _ => Self::None,
        }
    }
}

/// Proves at once, and the same for the same input.
#[derive(Debug, Default)]
pub(super) struct StandIn {
    made: Mutex<BTreeMap<[u8; 32], u32>>,
}

fn limbs(request: [u8; 32]) -> [[u8; 32]; 2] {
    let mut limbs = [[0; 32]; 2];
    limbs[0][16..].copy_from_slice(&request[..16]);
    limbs[1][16..].copy_from_slice(&request[16..]);
    limbs
}

impl Prove for StandIn {
    fn prove(&self, input: &Tensor, request: [u8; 32], _: &dyn Fn(Phase)) -> Result<Proof, ProveError> {
        let bytes: Vec<u8> = input.values.iter().filter_map(|value| u8::try_from(*value).ok()).collect();
        let input: [u8; 32] = bytes.try_into().map_err(|_| ProveError::Circuit("an input has 32 bytes".into()))?;
        let before = {
            let mut made = self.made.lock().expect("no panic while it is held");
            let count = made.entry(input).or_default();
            *count += 1;
            *count - 1
        };
        let output = desk::output(&input);
        let mut proof = desk::proof(&request, &input, &output);
        match Ailment::of(&input) {
            Ailment::Always => return Err(ProveError::Circuit("this input can't be proven".into())),
            Ailment::Once if before == 0 => return Err(ProveError::Circuit("out of memory".into())),
            Ailment::Lies if before == 0 => proof[0] ^= 1,
            _ => {}
        }
        let [hi, lo] = limbs(request);
        Ok(Proof { bytes: proof.to_vec(), instances: vec![hi, lo, output, input], ranking: Vec::new() })
    }

    fn verify(&self, proof: &Proof) -> bool {
        let [hi, lo, output, input] = proof.instances.as_slice() else { return false };
        let request = zugzwang::apps::request_of(hi, lo);
        proof.bytes == desk::proof(&request, input, output)
    }

    fn model_id(&self) -> [u8; 32] {
        [0x51; 32]
    }

    fn solidity(&self) -> Result<String, ProveError> {
        Err(ProveError::Verifier("a stand-in has none".into()))
    }

    fn facts(&self) -> Facts {
        Facts { instances: 4, ..Facts::default() }
    }

    fn example(&self, _: u64) -> Tensor {
        Tensor::default()
    }
}
