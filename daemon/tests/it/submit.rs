//! Sending against a real chain, without a service: nonces, prices, limits. What is called is an account without code, so that
//! every call that the policy allows succeeds. Rows of what broke elsewhere are named at the tests.

use std::time::Duration;

use tempfile::TempDir;
use zugzwang::{
    chain::{
        ChainError, Client, Held, Key, Wallet,
        policy::{Permit, Policy, PolicySigner},
        submit::{self, Call, Change, SubmitError, Submitter, Wish},
        types::{Address, B256, U256},
    },
    clock::Clock,
    config::{SpendLimits, SubmitConfig},
    demo::anvil::Anvil,
    store::{BlockRef, Errand, JobKey, Store, Tx, TxFilter, TxState, Wanted},
};

const CHAIN: u64 = 31337;
const CALLEE: Address = Address::repeat_byte(0xca);
const SELECTOR: [u8; 4] = [1, 2, 3, 4];
const GWEI: u128 = 1_000_000_000;
const MINUTE: Duration = Duration::from_secs(60);

struct Desk {
    dir: TempDir,
    chain: Anvil,
    client: Client,
    clock: Clock,
    store: Store,
    key: Key,
    config: SubmitConfig,
    limits: SpendLimits,
}

impl Desk {
    /// A chain that mines only when it is told to, and an account with money.
    async fn new() -> Self {
        let chain = Anvil::start(None, &[]).await.expect("anvil");
        let client = Client::connect(&chain.url, Duration::from_secs(10)).await.expect("client");
        let dir = tempfile::tempdir().expect("folder");
        let clock = Clock::manual(1_800_000_000_000);
        let store = Store::open(&dir.path().join("z.db")).await.expect("store").with_clock(clock.clone());
        store.claim_chain(CHAIN, B256::repeat_byte(1)).await.expect("chain");
        let key = Key::from_bytes(B256::repeat_byte(0x11)).expect("key");
        let config = SubmitConfig { bump_after: MINUTE, max_fee: 1000 * GWEI, ..SubmitConfig::default() };
        let desk = Self { dir, chain, client, clock, store, key, config, limits: SpendLimits::default() };
        desk.rich(U256::from(u128::MAX)).await;
        desk.automine(false).await;
        desk
    }

    /// A sender that knows nothing but what is stored, as after a restart.
    fn submitter(&self) -> Submitter {
        let policy = Policy::new(CHAIN, &self.config).allow(CALLEE, [Permit::of(SELECTOR, "play")]);
        let signer = PolicySigner::new(self.key.clone().into(), policy);
        Submitter::new(self.client.clone(), self.store.clone(), signer, self.config.clone(), self.limits, 2)
    }

    async fn raw(&self, method: &'static str, params: serde_json::Value) -> serde_json::Value {
        self.client.raw(method, params).await.expect(method)
    }

    async fn rich(&self, wei: U256) {
        self.raw("anvil_setBalance", serde_json::json!([self.key.address(), wei])).await;
    }

    async fn automine(&self, on: bool) {
        self.raw("evm_setAutomine", serde_json::json!([on])).await;
    }

    async fn mine(&self, blocks: u64) {
        self.raw("anvil_mine", serde_json::json!([blocks])).await;
    }

    /// Mines a block of this base fee; the next one's is an eighth lower if it stays empty.
    async fn base_fee(&self, wei: u128) {
        self.raw("anvil_setNextBlockBaseFeePerGas", serde_json::json!([U256::from(wei)])).await;
        self.mine(1).await;
    }

    async fn forget_mempool(&self) {
        self.raw("anvil_dropAllTransactions", serde_json::json!([])).await;
    }

    async fn nonce(&self) -> u64 {
        self.client.nonce(self.key.address()).await.expect("nonce")
    }

    async fn job(&self, round: u64) -> i64 {
        let key = JobKey { chain_id: CHAIN, contract: CALLEE, subject: U256::from(1), round };
        let mut write = self.store.write().await.expect("write");
        write.ask(&key, BlockRef { number: 1, hash: B256::repeat_byte(2) }).await.expect("ask");
        let job = write.job(&key).await.expect("query").expect("job").id;
        write.commit().await.expect("commit");
        job
    }

    /// Signs and stores the answer of a job, without sending it.
    async fn sign(&self, submitter: &Submitter, job: i64) -> Result<B256, SubmitError> {
        let call = Call { to: CALLEE, data: SELECTOR.into(), value: U256::ZERO };
        let gas = submitter.simulate(&call).await?;
        submitter.sign_and_store(Errand::Job(job), &call, gas, async |_| Ok(())).await
    }

    async fn send(&self, submitter: &Submitter, job: i64) -> Tx {
        let hash = self.sign(submitter, job).await.expect("signed");
        let tx = self.store.transaction_by_hash(hash).await.expect("query").expect("stored");
        submitter.broadcast(&tx).await.expect("sent");
        tx
    }

    async fn tx(&self, id: i64) -> Tx {
        self.store.transaction(id).await.expect("query").expect("transaction")
    }

    /// One look at every live transaction, as the service takes it; gives what could not be done.
    async fn turn(&self, submitter: &Submitter) -> Vec<Held> {
        let live = self.store.live_transactions(CHAIN, self.key.address()).await.expect("live");
        let head = self.client.head().await.expect("head").block.number;
        let standing = submitter.standing(&live, head).await.expect("standing");
        let mut held = Vec::new();
        for tx in &live {
            let wish = if tx.errand.is_some() { Wish::Push } else { Wish::Cancel };
            match submitter.follow(tx, standing, wish).await {
                Ok(Some(change)) => self.store_change(tx.id, &change).await,
                Ok(None) => {}
                Err(SubmitError::Chain(ChainError::Held(why))) => held.push(*why),
                Err(other) => panic!("{other}"),
            }
        }
        let repaired = submitter.repair(&live, standing).await.expect("repair");
        for id in repaired.given_up {
            self.store_change(id, &Change::Dropped).await;
        }
        held
    }

    async fn store_change(&self, id: i64, change: &Change) {
        let mut write = self.store.write().await.expect("write");
        submit::store_change(&mut write, id, change).await.expect("stored");
        write.commit().await.expect("commit");
    }

    /// Turns and blocks until everything is final, a minute each.
    async fn settle(&self, submitter: &Submitter) {
        for _ in 0..12 {
            self.turn(submitter).await;
            self.mine(1).await;
            self.clock.advance(MINUTE);
        }
        let live = self.store.live_transactions(CHAIN, self.key.address()).await.expect("live");
        assert!(live.is_empty(), "{live:?}");
    }

    async fn is_final(&self, id: i64) {
        let tx = self.tx(id).await;
        assert!(tx.state == TxState::Final && tx.mined.is_some_and(|mined| mined.ok), "{tx:?}");
    }
}

fn why(result: Result<B256, SubmitError>) -> Held {
    match result {
        Err(SubmitError::Chain(ChainError::Held(held))) => *held,
        other => panic!("{other:?}"),
    }
}

/// openzeppelin-relayer #683, #818: a nonce that was taken and never sent jams all that come after it.
#[tokio::test]
async fn what_is_not_sent_takes_no_nonce() {
    let mut desk = Desk::new().await;
    let job = desk.job(1).await;
    // Too dear now.
    desk.base_fee(2000 * GWEI).await;
    let error = desk.sign(&desk.submitter(), job).await.expect_err("too dear");
    assert!(matches!(error, SubmitError::Chain(ChainError::FeeAboveCap { .. })), "{error}");
    desk.base_fee(GWEI).await;
    // Too poor.
    desk.rich(U256::from(1000)).await;
    let held = why(desk.sign(&desk.submitter(), job).await);
    let Held::Balance { balance, need, .. } = held else { panic!("{held}") };
    assert!(balance == U256::from(1000) && need > balance, "{held}");
    desk.rich(U256::from(u128::MAX)).await;
    // More gas than is allowed, by a limit that is found out in simulation.
    desk.config.max_gas = 21_000;
    assert!(matches!(why(desk.sign(&desk.submitter(), job).await), Held::GasAboveCap { cap: 21_000, .. }));
    desk.config.max_gas = 1 << 24;
    assert!(desk.store.transactions_of(Errand::Job(job)).await.expect("query").is_empty());
    // After all that the first nonce is the first.
    let submitter = desk.submitter();
    let tx = desk.send(&submitter, job).await;
    assert_eq!(tx.nonce, 0);
    desk.settle(&submitter).await;
    desk.is_final(tx.id).await;
}

/// openzeppelin-relayer #843, boundless #958: a crash between storing and sending.
#[tokio::test]
async fn what_was_signed_before_a_crash_is_sent_after_it() {
    let desk = Desk::new().await;
    let job = desk.job(1).await;
    let hash = desk.sign(&desk.submitter(), job).await.expect("signed");
    let after = desk.submitter();
    desk.turn(&after).await;
    desk.mine(1).await;
    desk.turn(&after).await;
    let tx = desk.store.transaction_by_hash(hash).await.expect("query").expect("stored");
    assert_eq!((tx.state, tx.attempts.len(), desk.nonce().await), (TxState::Included, 1, 1));
}

/// alloy #2385, rrelayer #36: "nonce too low" is taken for a lost transaction, though it is our own that was mined.
#[tokio::test]
async fn a_nonce_that_is_too_low_is_looked_for_among_our_own_hashes() {
    let desk = Desk::new().await;
    let job = desk.job(1).await;
    let hash = desk.sign(&desk.submitter(), job).await.expect("signed");
    let tx = desk.store.transaction_by_hash(hash).await.expect("query").expect("stored");
    // It was sent, and the process died before it could store that.
    desk.client.send(&tx.attempts[0].raw).await.expect("sent");
    desk.mine(5).await;
    let after = desk.submitter();
    after.broadcast(&tx).await.expect("the node's nonce too low is no error");
    assert_eq!(desk.tx(tx.id).await.state, TxState::Signed);
    for expected in [TxState::Included, TxState::Final] {
        desk.turn(&after).await;
        assert_eq!(desk.tx(tx.id).await.state, expected);
    }
    assert_eq!(desk.nonce().await, 1, "it was sent once");
}

/// boundless #394: the node's mempool has forgotten what was sent, and nobody sends it again.
#[tokio::test]
async fn what_vanished_from_the_mempool_is_sent_again() {
    let desk = Desk::new().await;
    let submitter = desk.submitter();
    let first = desk.send(&submitter, desk.job(1).await).await;
    let second = desk.send(&submitter, desk.job(2).await).await;
    desk.forget_mempool().await;
    desk.mine(1).await;
    desk.turn(&submitter).await;
    desk.mine(1).await;
    assert_eq!(desk.nonce().await, 0, "it isn't sent all the time");
    desk.settle(&submitter).await;
    desk.is_final(first.id).await;
    desk.is_final(second.id).await;
    assert_eq!(desk.nonce().await, 2);
}

/// The lesson on nonces, one direction: what is below ours is nobody's.
#[tokio::test]
async fn a_gap_below_our_nonces_is_filled() {
    let desk = Desk::new().await;
    let submitter = desk.submitter();
    let first = desk.send(&submitter, desk.job(1).await).await;
    let second = desk.send(&submitter, desk.job(2).await).await;
    // The row is given up, and the network has forgotten it: nothing would ever be mined again.
    desk.store_change(first.id, &Change::Dropped).await;
    desk.forget_mempool().await;
    desk.settle(&submitter).await;
    desk.is_final(second.id).await;
    let all = desk.store.list_transactions(&TxFilter { limit: 10, ..TxFilter::default() }).await.expect("transactions");
    let filler = all
        .entries
        .iter()
        .map(|entry| &entry.tx)
        .find(|tx| tx.nonce == first.nonce && tx.state == TxState::Final)
        .expect("filler");
    assert!(filler.errand.is_none() && filler.mined.is_some_and(|mined| mined.gas_used == 21_000), "{filler:?}");
    assert_eq!(desk.nonce().await, 2);
}

/// The same direction, if a node told a nonce out of this world: it is not filled up to there.
#[tokio::test]
async fn a_nonce_far_above_the_accounts_is_given_up() {
    let desk = Desk::new().await;
    let submitter = desk.submitter();
    let job = desk.job(1).await;
    desk.raw("anvil_setNonce", serde_json::json!([desk.key.address(), U256::from(1000)])).await;
    let lost = desk.send(&submitter, job).await;
    desk.forget_mempool().await;
    desk.raw("anvil_setNonce", serde_json::json!([desk.key.address(), U256::ZERO])).await;
    desk.turn(&submitter).await;
    desk.clock.advance(2 * MINUTE);
    desk.turn(&submitter).await;
    assert_eq!((lost.nonce, desk.tx(lost.id).await.state), (1000, TxState::Dropped));
    let again = desk.send(&submitter, job).await;
    assert_eq!(again.nonce, 0);
    desk.settle(&submitter).await;
    desk.is_final(again.id).await;
}

/// The other direction: the account went on without us.
#[tokio::test]
async fn a_chain_nonce_ahead_of_ours_is_caught_up_with() {
    let desk = Desk::new().await;
    let submitter = desk.submitter();
    let job = desk.job(1).await;
    let lost = desk.send(&submitter, job).await;
    desk.forget_mempool().await;
    desk.automine(true).await;
    let wallet = Wallet::new(desk.client.clone(), desk.key.clone(), desk.config.clone());
    for _ in 0..3 {
        wallet.call("a payment", Address::repeat_byte(1), Default::default(), U256::from(1)).await.expect("payment");
    }
    desk.automine(false).await;
    desk.turn(&submitter).await;
    assert_eq!(desk.tx(lost.id).await.state, TxState::Broadcast, "one look is not enough");
    desk.mine(3).await;
    desk.turn(&submitter).await;
    desk.turn(&submitter).await;
    assert_eq!(desk.tx(lost.id).await.state, TxState::Dropped);
    let again = desk.send(&submitter, job).await;
    assert_eq!(again.nonce, 3);
    desk.settle(&submitter).await;
    desk.is_final(again.id).await;
}

#[tokio::test]
async fn a_stuck_first_in_line_is_told_with_its_numbers_and_not_forgotten() {
    let mut desk = Desk::new().await;
    desk.base_fee(GWEI).await;
    desk.config.max_fee = 4 * GWEI;
    let submitter = desk.submitter();
    let first = desk.send(&submitter, desk.job(1).await).await;
    let second = desk.send(&submitter, desk.job(2).await).await;
    let offered = first.attempts[0].max_fee;
    // Gas gets dearer than may be paid.
    desk.base_fee(50 * GWEI).await;
    desk.clock.advance(MINUTE);
    let held = desk.turn(&submitter).await;
    let [Held::Stuck { nonce: 0, age_s: 60, behind: 1, max_fee, base_fee, .. }] = held[..] else { panic!("{held:?}") };
    assert_eq!((max_fee, base_fee), (offered, 50 * GWEI));
    let said = held[0].to_string();
    assert!(said.contains("with 1 behind it") && said.contains("the base fee is 50 gwei"), "{said}");
    assert!(said.contains("submit.max_fee_gwei = 4 leaves no room"), "{said}");
    let same = desk.tx(first.id).await.attempts.len();
    for _ in 0..3 {
        desk.clock.advance(MINUTE);
        desk.turn(&submitter).await;
    }
    assert_eq!((desk.tx(first.id).await.attempts.len(), same), (1, 1), "no bump goes over the cap");
    assert_eq!(desk.tx(second.id).await.attempts.len(), 1, "those behind it are not bumped in vain");
    // Even if the network has forgotten both, they are mined once gas is cheap again.
    desk.forget_mempool().await;
    desk.base_fee(GWEI).await;
    desk.settle(&submitter).await;
    desk.is_final(first.id).await;
    desk.is_final(second.id).await;
}

#[tokio::test]
async fn a_bump_pays_more_and_either_version_may_be_mined() {
    let mut desk = Desk::new().await;
    desk.base_fee(GWEI).await;
    desk.config.max_fee = 20 * GWEI;
    let submitter = desk.submitter();
    let tx = desk.send(&submitter, desk.job(1).await).await;
    desk.base_fee(8 * GWEI).await;
    desk.clock.advance(MINUTE);
    assert_eq!(desk.turn(&submitter).await, []);
    let bumped = desk.tx(tx.id).await;
    let fees: Vec<u128> = bumped.attempts.iter().map(|attempt| attempt.max_fee).collect();
    assert!(fees.len() == 2 && fees[1] * 100 >= fees[0] * 113 && fees[1] <= 20 * GWEI, "{fees:?}");
    desk.settle(&submitter).await;
    desk.is_final(tx.id).await;
    assert_eq!(desk.nonce().await, 1);
}

#[tokio::test]
async fn the_operator_bumps_and_cancels() {
    let desk = Desk::new().await;
    let submitter = desk.submitter();
    let (first, second) =
        (desk.send(&submitter, desk.job(1).await).await, desk.send(&submitter, desk.job(2).await).await);
    let mut write = desk.store.write().await.expect("write");
    write.want(first.id, Wanted::Bump).await.expect("asked");
    write.want(second.id, Wanted::Cancel).await.expect("asked");
    write.commit().await.expect("commit");
    desk.turn(&submitter).await;
    desk.turn(&submitter).await;
    let (first, second) = (desk.tx(first.id).await, desk.tx(second.id).await);
    assert_eq!((first.attempts.len(), first.wanted), (2, None), "bumped once");
    assert_eq!(second.attempts.len(), 2);
    assert!(submit::is_cancellation(&second, &second.attempts[1]));
    assert!(!submit::is_cancellation(&first, &first.attempts[1]));
    desk.settle(&submitter).await;
    desk.is_final(first.id).await;
    assert_eq!(desk.tx(second.id).await.mined.expect("mined").gas_used, 21_000);
}

#[tokio::test]
async fn over_a_limit_nothing_is_signed_and_a_restart_forgets_no_spending() {
    let mut desk = Desk::new().await;
    desk.base_fee(GWEI).await;
    let submitter = desk.submitter();
    let tx = desk.send(&submitter, desk.job(1).await).await;
    let worst = |tx: &Tx| U256::from(tx.attempts[0].gas_limit) * U256::from(tx.attempts[0].max_fee);
    // Room for one and a half, counted at their worst.
    let limit = worst(&tx) * U256::from(3) / U256::from(2);
    desk.limits = SpendLimits { hour: Some(limit), day: None };
    let job = desk.job(2).await;
    let submitter = desk.submitter();
    let held = why(desk.sign(&submitter, job).await);
    let Held::OverLimit { window: "hour", spent, .. } = held else { panic!("{held}") };
    assert_eq!(spent, worst(&tx));
    assert_eq!(submitter.left().await.expect("left"), (Some(limit - worst(&tx)), None));
    assert!(desk.store.transactions_of(Errand::Job(job)).await.expect("query").is_empty());
    assert_eq!(desk.store.next_nonce(CHAIN, desk.key.address(), 0).await.expect("nonce"), 1);

    // Mined for less than its worst: there is room, after a restart, too.
    desk.mine(1).await;
    desk.turn(&submitter).await;
    let mined = desk.tx(tx.id).await.mined.expect("mined");
    let paid = U256::from(mined.gas_used) * U256::from(mined.gas_price);
    assert!(paid < worst(&tx) && !paid.is_zero());
    assert_eq!(desk.submitter().left().await.expect("left"), (Some(limit - paid), None));
    let second = desk.send(&desk.submitter(), job).await;
    assert_eq!(second.nonce, 1);

    // An hour later the first no longer counts, the second under way still does.
    desk.clock.advance(61 * MINUTE);
    assert_eq!(desk.submitter().left().await.expect("left"), (Some(limit - worst(&second)), None));

    // A bump that the limit has no room for is not signed; the transaction is told and kept.
    desk.base_fee(300 * GWEI).await;
    let held = desk.turn(&desk.submitter()).await;
    assert!(matches!(&held[..], [Held::Stuck { why, .. }] if why.contains("limit of")), "{held:?}");
    assert_eq!(desk.tx(second.id).await.attempts.len(), 1);
}

/// hyperlane #8243: what was final is gone, and nobody looks.
#[tokio::test]
async fn a_final_transaction_whose_block_is_undone_is_sent_again() {
    let desk = Desk::new().await;
    desk.mine(3).await;
    let snapshot = desk.raw("evm_snapshot", serde_json::json!([])).await;
    let submitter = desk.submitter();
    let tx = desk.send(&submitter, desk.job(1).await).await;
    desk.mine(4).await;
    desk.turn(&submitter).await;
    desk.turn(&submitter).await;
    desk.is_final(tx.id).await;
    desk.raw("evm_revert", serde_json::json!([snapshot])).await;
    desk.automine(false).await;
    let mut write = desk.store.write().await.expect("write");
    write.reopen_above(CHAIN, 3).await.expect("reopened");
    write.commit().await.expect("commit");
    desk.turn(&submitter).await;
    assert_eq!(desk.tx(tx.id).await.state, TxState::Signed);
    desk.settle(&submitter).await;
    desk.is_final(tx.id).await;
    assert_eq!(desk.nonce().await, 1);
    drop((desk.dir, desk.chain));
}
