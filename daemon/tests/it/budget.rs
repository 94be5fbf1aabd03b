//! Proofs that don't come to an end.

use std::{
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use zugzwang::{
    prover::{Facts, Phase, Proof, Prove, ProveError},
    service::Notice,
    store::State,
};
use zugzwang_circuits::graph::Tensor;

use crate::world::{StandIn, World};

/// Proves nothing until it is let.
#[derive(Debug)]
struct Stuck {
    gate: Mutex<mpsc::Receiver<()>>,
    inner: StandIn,
}

impl Prove for Stuck {
    fn prove(&self, input: &Tensor, request: [u8; 32], on_phase: &dyn Fn(Phase)) -> Result<Proof, ProveError> {
        // Ends when its sender goes.
        let _ = self.gate.lock().expect("the gate").recv();
        self.inner.prove(input, request, on_phase)
    }

    fn verify(&self, proof: &Proof) -> bool {
        self.inner.verify(proof)
    }

    fn model_id(&self) -> [u8; 32] {
        self.inner.model_id()
    }

    fn solidity(&self) -> Result<String, ProveError> {
        self.inner.solidity()
    }

    fn facts(&self) -> Facts {
        self.inner.facts()
    }

    fn example(&self, seed: u64) -> Tensor {
        self.inner.example(seed)
    }
}

/// After lichess-bot #1120 and #682: it sat over a move, and nobody saw it.
#[tokio::test(flavor = "multi_thread")]
async fn a_proof_over_its_time_is_told_and_tried_again_until_it_counts_as_failed() {
    let mut world = World::new().await;
    world.config.prover.budget = Duration::from_millis(50);
    world.config.prover.attempts = 2;
    let (gate, stays_shut) = mpsc::channel();
    let prover = Arc::new(Stuck { gate: Mutex::new(stays_shut), inner: StandIn::default() });
    let daemon = world.start_with(prover).await.expect("daemon");
    let game = world.new_game(true).await;
    world.human_moves(game, 0).await;
    world.until("it counts as failed", async || !daemon.ends().is_empty()).await;
    assert!(matches!(&daemon.ends()[..], [(State::Failed, why)] if why.contains("doesn't end")), "{:?}", daemon.ends());
    let told = |notice: &Notice| matches!(notice, Notice::Trouble { what, .. } if what.contains("prover.budget_s"));
    assert!(daemon.notices.lock().expect("notices").iter().filter(|notice| told(notice)).count() >= 2);
    drop(gate);
    daemon.stop().await.expect("clean stop");
    let jobs = world.jobs().await;
    assert!(matches!(&jobs[..], [job] if job.state == State::Failed && job.attempts == 2), "{jobs:?}");
}
