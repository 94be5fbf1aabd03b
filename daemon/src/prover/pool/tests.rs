//! The pool with a prover that does as it is told, phase by phase.

use std::sync::{atomic::AtomicU64, mpsc};

use zugzwang_circuits::graph::Tensor;

use super::*;
use crate::prover::{Facts, Phase, Prove};

/// Goes to its next phase when it is let, and ends after three.
#[derive(Debug)]
struct Stepwise {
    go: Mutex<mpsc::Receiver<()>>,
    begun: AtomicU64,
    proof_memory_bytes: u64,
}

impl Prove for Stepwise {
    fn prove(&self, input: &Tensor, request: [u8; 32], on_phase: &dyn Fn(Phase)) -> Result<Proof, ProveError> {
        self.prove_while(input, request, &|phase| {
            on_phase(phase);
            true
        })
    }

    fn prove_while(&self, _: &Tensor, request: [u8; 32], goes_on: &dyn Fn(Phase) -> bool) -> Result<Proof, ProveError> {
        for phase in ["first", "second", "third"] {
            if !goes_on(phase) {
                return Err(ProveError::Stopped);
            }
            self.begun.fetch_add(1, Ordering::SeqCst);
            // A sender that is gone lets it go on.
            let _ = self.go.lock().expect("the receiver").recv();
        }
        let mut instances = vec![[0; 32]; 2];
        instances[0][16..].copy_from_slice(&request[..16]);
        instances[1][16..].copy_from_slice(&request[16..]);
        Ok(Proof { bytes: vec![], instances, ranking: vec![] })
    }

    fn verify(&self, _: &Proof) -> bool {
        true
    }

    fn model_id(&self) -> [u8; 32] {
        [1; 32]
    }

    fn solidity(&self) -> Result<String, ProveError> {
        Ok(String::new())
    }

    fn facts(&self) -> Facts {
        Facts { model: "stepwise".into(), proof_memory_bytes: self.proof_memory_bytes, ..Facts::default() }
    }

    fn example(&self, _: u64) -> Tensor {
        Tensor::default()
    }
}

struct Stand {
    pool: Pool,
    prover: Arc<Stepwise>,
    go: mpsc::Sender<()>,
    heard: Arc<Mutex<Vec<Progress>>>,
}

impl Stand {
    fn new(slots: usize, budget: Duration) -> Self {
        let (go, let_go) = mpsc::channel();
        let prover =
            Arc::new(Stepwise { go: Mutex::new(let_go), begun: AtomicU64::new(0), proof_memory_bytes: 100 << 20 });
        let config = ProverConfig { slots, budget, attempts: 1, memory: Some(300 << 20) };
        let pool = Pool::new(&config, &Models::of([prover.clone() as Arc<dyn Prove>])).expect("it fits");
        Self { pool, prover, go, heard: Arc::default() }
    }

    fn start(&self, place: Place, ticket: &Ticket) -> tokio::task::JoinHandle<Result<super::super::Made, ProveError>> {
        let prover = self.prover.clone() as Arc<dyn Prove>;
        let order = Order { prover, input: Tensor::default(), request: [7; 32], priority: Priority::Normal };
        let heard = self.heard.clone();
        let tell = Arc::new(move |progress| heard.lock().expect("list").push(progress));
        tokio::spawn(self.pool.prove(place, order, ticket.clone(), tell))
    }

    fn place(&self) -> Place {
        self.pool.admit(Priority::Normal).expect("a place")
    }

    async fn has_begun(&self, phases: u64) {
        while self.prover.begun.load(Ordering::SeqCst) < phases {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn free(&self) {
        while self.pool.slots.available_permits() == 0 || self.pool.memory.taken() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn troubles(&self) -> usize {
        self.heard.lock().expect("list").iter().filter(|p| matches!(p, Progress::Trouble(_))).count()
    }
}

const LONG: Duration = Duration::from_secs(600);

#[test]
fn an_urgent_proof_has_a_place_that_nothing_else_takes() {
    let pool = Stand::new(2, LONG).pool;
    let normal = [Priority::Normal; 2].map(|p| pool.admit(p).expect("a place"));
    assert!(pool.admit(Priority::Normal).is_none());
    let urgent = pool.admit(Priority::Urgent).expect("its own place");
    assert!(pool.admit(Priority::Urgent).is_none());
    drop(normal);
    assert!(pool.admit(Priority::Urgent).is_some(), "it may take others' as well");
    drop(urgent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_that_nobody_wants_ends_as_its_next_phase_begins() {
    let stand = Stand::new(1, LONG);
    let ticket = Ticket::default();
    let proof = stand.start(stand.place(), &ticket);
    stand.has_begun(1).await;
    ticket.cancel();
    assert!(stand.pool.admit(Priority::Normal).is_none(), "it still computes");
    stand.go.send(()).expect("it waits");
    assert!(matches!(proof.await.expect("no panic"), Err(ProveError::Stopped)));
    stand.free().await;
    assert_eq!(stand.prover.begun.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_over_its_budget_is_told_and_ended() {
    let stand = Stand::new(1, Duration::from_millis(20));
    let proof = stand.start(stand.place(), &Ticket::default());
    stand.has_begun(1).await;
    while stand.troubles() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    stand.go.send(()).expect("it waits");
    let ended = proof.await.expect("no panic").expect_err("late");
    // On a machine that stands still for a moment it counts as run away.
    assert!(matches!(ended, ProveError::OverBudget { .. } | ProveError::RunsAway { .. }), "{ended}");
    stand.free().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_that_runs_away_loses_its_place_and_keeps_its_memory() {
    let stand = Stand::new(1, Duration::from_millis(20));
    let proof = stand.start(stand.place(), &Ticket::default());
    assert!(matches!(proof.await.expect("no panic"), Err(ProveError::RunsAway { .. })));
    let place = stand.place();
    assert_eq!(stand.pool.memory.taken(), 100 << 20);
    drop(place);
    stand.go.send(()).expect("it waits");
    stand.free().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_that_do_not_fit_wait_and_those_that_never_do_are_refused_with_numbers() {
    let mut stand = Stand::new(8, LONG);
    let tickets = [(); 3].map(|()| Ticket::default());
    let proofs: Vec<_> = tickets.iter().map(|ticket| stand.start(stand.place(), ticket)).collect();
    // 300 MiB less what the process takes hold two proofs of 100.
    stand.has_begun(1).await;
    while stand.pool.memory.taken() < 200 << 20 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(stand.pool.memory.taken(), 200 << 20);
    let (closed, _) = mpsc::channel();
    stand.go = closed;
    for proof in proofs {
        proof.await.expect("no panic").expect("a proof");
    }
    stand.free().await;

    let (_, let_go) = mpsc::channel();
    let huge = Stepwise { go: Mutex::new(let_go), begun: AtomicU64::new(0), proof_memory_bytes: 9 << 30 };
    let config = ProverConfig { slots: 1, budget: LONG, attempts: 1, memory: Some(1 << 30) };
    let refused = Pool::new(&config, &Models::of([Arc::new(huge) as Arc<dyn Prove>])).expect_err("too large");
    assert!(
        matches!(refused, ProveError::NeverFits { proof: 9216, keys: 64, limit: 1024, .. }),
        "the numbers are in it: {refused}"
    );
}
