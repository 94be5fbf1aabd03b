//! A lending pool whose rate follows the model of `models/lending`, with real proofs on a real local chain.

use alloy::sol_types::SolValue;
use zugzwang::chain::{
    Wallet,
    types::{Address, Bytes, U256},
};
use zugzwang_circuits::{
    float::FloatNet,
    net::{NetProver, interpret, package::Package},
    onnx,
    srs::Srs,
};
use zugzwang_contracts::{
    InferenceOracle::{self, answerCall, registerCall},
    LendingPool::{self, borrowCall, checkpointCall, repayCall, supplyCall},
    testing::TestToken,
};
use zugzwang_tests::{cache, repository};

use crate::steps::{Steps, pack, prove, unpack};

const PERIODS: usize = 32;
const DAY: u64 = 86_400;
/// Quarters of a per cent a year.
const FIRST_RATE: u64 = 40;
/// The contract's limit for a period.
const MOST: u64 = 12;

fn package() -> Package {
    Package::load(&repository().join("models/lending")).expect("models/lending")
}

fn coins(count: u64) -> U256 {
    U256::from(count) * U256::from(10).pow(U256::from(18))
}

/// A pool on a chain, an account that lends to it, one that borrows and one that proves.
struct Pool {
    steps: Steps,
    borrower: Wallet,
    prover: Wallet,
    oracle: Address,
    pool: Address,
}

impl Pool {
    async fn new(package: &Package, prover: &NetProver) -> Self {
        let steps = Steps::new().await;
        let [supplier, borrower, wallet] =
            [steps.chain.wallet(1).await, steps.chain.wallet(2).await, steps.chain.wallet(3).await];
        let source = prover.solidity("LendingVerifier").expect("source");
        let verifier = steps.verifier(&supplier, "the model's verifier is deployed", &source).await;
        let oracle = steps.deploy(&supplier, "the oracle is deployed", InferenceOracle::BYTECODE.clone()).await;
        let tensor = |count: usize, bits: u32| InferenceOracle::Tensor { count: count as u32, bits: bits as u8 };
        let (input, output) = (&package.net.inputs[0], &package.net.outputs[0]);
        let register = registerCall {
            verifier,
            modelId: prover.model_id().into(),
            inputs: vec![tensor(input.len, input.bits)],
            outputs: vec![tensor(1, output.bits)],
            uri: "models/lending".into(),
        };
        steps.send(&supplier, "the model is registered", oracle, register).await;
        let token = steps.deploy(&supplier, "a token for collateral is deployed", TestToken::BYTECODE.clone()).await;
        let real = &package.manifest.outputs[0];
        let terms = LendingPool::Terms {
            token,
            price: coins(1),
            oracle,
            model: U256::from(1),
            zero: U256::from(real.zero),
            scale: U256::from((real.scale * 1e18).round() as u128),
            period: U256::from(DAY),
            bounty: U256::ZERO,
            rate: U256::from(FIRST_RATE),
        };
        let code: Bytes = [LendingPool::BYTECODE.to_vec(), terms.abi_encode()].concat().into();
        let pool = steps.deploy(&supplier, "the pool is deployed", code).await;
        let all = coins(1000);
        steps.pay(&supplier, "a supplier lends 100 coins to the pool", pool, supplyCall {}, coins(100)).await;
        steps
            .send(
                &borrower,
                "a borrower gets tokens",
                token,
                TestToken::mintCall { to: borrower.address(), amount: all },
            )
            .await;
        steps
            .send(&borrower, "it approves the pool", token, TestToken::approveCall { spender: pool, amount: all })
            .await;
        let deposit = LendingPool::depositCollateralCall { amount: all };
        steps.send(&borrower, "it deposits 1000 tokens", pool, deposit).await;
        Self { steps, borrower, prover: wallet, oracle, pool }
    }

    /// Ends a period; the request, or 0 before the history is full.
    async fn period(&self) -> U256 {
        self.steps.later(DAY).await;
        let bounty = U256::from(1_000_000_000_000_000u64);
        self.steps.pay(&self.prover, "a period ends", self.pool, checkpointCall {}, bounty).await;
        self.steps.view(self.pool, LendingPool::pendingCall {}).await
    }

    async fn rate(&self) -> u64 {
        self.steps.view(self.pool, LendingPool::rateCall {}).await
    }

    /// Answers a request as any prover would; the rate that the model wants.
    async fn answer(&self, package: &Package, prover: &NetProver, id: U256) -> u64 {
        // The view is of the block that asked, and that has to be over.
        self.steps.later(12).await;
        let submitter = self.prover.address();
        let (request, limbs) = self.steps.instances(self.oracle, id, &[], submitter).await;
        let history = unpack(&limbs, 8, 2 * PERIODS);
        assert_eq!(pack(&history, 8), limbs);
        println!("  the last week's utilisation: {:?} of 255", &history[PERIODS - 7..PERIODS]);
        let trace = interpret::run(&package.net, std::slice::from_ref(&history)).expect("64 bytes");
        let said = trace.tensors[package.net.outputs[0].tensor][0];
        let (proof, output) = prove(prover, history, &limbs, request);
        assert_eq!(output, [U256::from(said as u64)], "the integer network's answer");

        let answer = answerCall { id, input: vec![], output: output.clone(), proof: proof.bytes.clone().into() };
        let with = |change: &dyn Fn(&mut answerCall)| {
            let mut call = answer.clone();
            change(&mut call);
            call
        };
        use InferenceOracle::ProofRejected;
        let (steps, oracle) = (&self.steps, self.oracle);
        let other = with(&|call| call.output[0] ^= U256::from(1));
        steps.refused::<ProofRejected>("another rate", &self.prover, oracle, other).await;
        let other = with(&|call| {
            let mut bytes = call.proof.to_vec();
            bytes[777] ^= 1;
            call.proof = bytes.into();
        });
        steps.refused::<ProofRejected>("another proof", &self.prover, oracle, other).await;
        steps.refused::<ProofRejected>("the proof from another's mouth", &self.borrower, oracle, answer.clone()).await;
        steps.send(&self.prover, "a prover answers", oracle, answer.clone()).await;
        steps.refused::<InferenceOracle::NotOpen>("the same once more", &self.prover, oracle, answer).await;
        let real = &package.manifest.outputs[0];
        real.decode(said).round().clamp(0.0, 255.0) as u64
    }
}

/// Rates in bytes, float and integer, for every history of the calibration set and for worse ones.
#[test]
fn rounding_moves_the_rate_little() {
    let package = package();
    let float: FloatNet = onnx::load(&repository().join("models/lending/model.onnx")).expect("ONNX");
    let text = std::fs::read_to_string(repository().join("models/lending/calibration.csv")).expect("histories");
    let histories: Vec<Vec<i64>> =
        text.lines().skip(1).map(|line| line.split(',').map(|n| n.parse().expect("a byte")).collect()).collect();
    assert_eq!(histories.len(), 256);
    let real = &package.manifest.outputs[0];
    let mut errors = vec![];
    for history in &histories {
        let inputs: Vec<f32> = history.iter().map(|n| *n as f32).collect();
        let wanted = f64::from(float.run(&[inputs]).expect("64 numbers")[0][0]);
        let trace = interpret::run(&package.net, std::slice::from_ref(history)).expect("64 numbers");
        let said = real.decode(trace.tensors[package.net.outputs[0].tensor][0]);
        errors.push((said - wanted).abs());
    }
    errors.sort_by(f64::total_cmp);
    let (mean, worst) = (errors.iter().sum::<f64>() / errors.len() as f64, errors[errors.len() - 1]);
    println!("float and integer rates differ by {mean:.2} quarters of a per cent on average, {worst:.2} at most");
    assert!(mean <= 3.0 && worst <= 25.0, "mean {mean}, worst {worst}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rate_follows_proven_answers() {
    let package = package();
    let prover = tokio::task::block_in_place(|| {
        let shape = package.manifest.circuit;
        let srs = Srs::load(shape.k, &cache()).expect("set-up");
        NetProver::of(&package, shape, srs, &cache()).expect("prover")
    });
    let pool = Pool::new(&package, &prover).await;
    println!("\nThe pool is nearly empty for a month.");
    pool.steps.send(&pool.borrower, "96 coins are borrowed", pool.pool, borrowCall { amount: coins(96) }).await;
    let mut id = U256::ZERO;
    for _ in 0..PERIODS {
        assert_eq!(id, U256::ZERO, "nothing is asked before there is a history");
        id = pool.period().await;
    }
    let mut rates = vec![FIRST_RATE];
    for day in 0..6 {
        if day == 3 {
            println!("\nMost of it is paid back.");
            pool.steps
                .pay(
                    &pool.borrower,
                    "80 coins are paid back",
                    pool.pool,
                    repayCall { account: pool.borrower.address() },
                    coins(80),
                )
                .await;
            id = pool.period().await;
        }
        if day > 0 && day != 3 {
            id = pool.period().await;
        }
        let before = pool.rate().await;
        let wanted = pool.answer(&package, &prover, id).await;
        let rate = pool.rate().await;
        println!(
            "  the model wants {} basis points a year, the pool goes from {} to {}",
            wanted * 25,
            before * 25,
            rate * 25
        );
        assert_eq!(rate, wanted.clamp(before.saturating_sub(MOST).max(1), before + MOST));
        rates.push(rate);
    }
    println!("\nrates by day: {rates:?} quarters of a per cent a year");
    assert!(rates[3] > rates[0], "an empty pool asks for more: {rates:?}");
    assert!(rates[6] < rates[3], "a full pool asks for less: {rates:?}");
    let paid = pool.steps.view(pool.oracle, InferenceOracle::balanceOfCall { account: pool.prover.address() }).await;
    assert_eq!(paid, U256::from(6_000_000_000_000_000u64), "six bounties");
}
