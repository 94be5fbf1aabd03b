//! The store's promises.

use zugzwang::{
    chain::types::{Address, B256, U256},
    store::{Answer, Errand, JobKey, Mined, Signed, Spent, State, Store, StoreError, TxState, Wanted},
};

use super::{CHAIN, Ground, SIGNER, block, key, on_both, signed_as, with_job};

on_both! {
    what_is_committed_survives_and_the_rest_does_not,
    no_job_is_proved_without_its_proof,
    a_game_is_due_at_its_time_and_claimed_by_one_live_transaction,
    a_nonce_is_a_row_with_its_signed_bytes,
    spending_counts_each_transaction_once_and_undone_blocks_are_under_way_again,
    a_reset_chain_and_a_second_daemon_are_refused,
    the_oldest_jobs_of_a_state_are_read_and_no_more,
    undoing_goes_back_to_the_ancestor,
}

async fn what_is_committed_survives_and_the_rest_does_not(ground: Ground) {
    let store = ground.open().await;
    let mut write = store.write().await.expect("write");
    write.ask(&key(1), block(5)).await.expect("ask");
    write.ask(&key(1), block(5)).await.expect("ask again is the same row");
    write.advance(CHAIN, block(5), 64).await.expect("advance");
    write.commit().await.expect("commit");
    let mut write = store.write().await.expect("write");
    write.ask(&key(3), block(6)).await.expect("ask");
    write.advance(CHAIN, block(6), 64).await.expect("advance");
    drop(write);
    store.close().await;
    drop(store);

    let store = ground.open().await;
    assert_eq!(store.cursor(CHAIN).await.expect("cursor"), Some(block(5)));
    let jobs = store.jobs().await.expect("jobs");
    assert_eq!(jobs.len(), 1);
    assert_eq!((jobs[0].key, jobs[0].state), (key(1), State::Seen));
}

async fn no_job_is_proved_without_its_proof(ground: Ground) {
    let store = ground.open().await;
    let job = with_job(&store).await;
    for state in [State::Proved, State::Submitted, State::Included, State::Final] {
        let mut write = store.write().await.expect("write");
        assert!(matches!(write.set_state(job.id, state, "").await, Err(StoreError::Database(_))), "{state}");
    }
    let answer = Answer { outputs: vec![[3; 32], [4; 32]], proof: vec![1, 2, 3] };
    let mut write = store.write().await.expect("write");
    write.set_proved(job.id, &answer, 1234).await.expect("proved");
    write.set_state(job.id, State::Submitted, "").await.expect("submitted");
    write.commit().await.expect("commit");
    assert_eq!(store.answer(job.id).await.expect("answer"), Some(answer));
}

async fn a_game_is_due_at_its_time_and_claimed_by_one_live_transaction(ground: Ground) {
    let store = ground.open().await;
    let (contract, game) = (Address::repeat_byte(9), U256::MAX);
    let due = async |now| store.due(CHAIN, contract, now).await.expect("due");
    let mut write = store.write().await.expect("write");
    write.watch(CHAIN, contract, game, 5, Some(100)).await.expect("watch");
    write.commit().await.expect("commit");
    assert_eq!(due(99).await, []);
    let watched = due(100).await[0];
    assert_eq!((watched.subject, watched.claimed), (game, false));
    assert_eq!(store.watched_by_id(watched.id).await.expect("row"), (contract, game));

    let claim = Some(Errand::Claim(watched.id));
    let mut write = store.write().await.expect("write");
    write.take_nonce(CHAIN, SIGNER, 0, claim, &signed_as(1)).await.expect("sign").expect("free");
    write.commit().await.expect("commit");
    assert!(due(100).await[0].claimed);
    assert_eq!(store.transactions_of(Errand::Claim(watched.id)).await.expect("transactions")[0].errand, claim);
    let mut write = store.write().await.expect("write");
    let second = write.take_nonce(CHAIN, SIGNER, 1, claim, &signed_as(2)).await;
    assert!(matches!(second, Err(StoreError::Database(_))));
    drop(write);

    // An end in block 7 needs no more looks, until that block is undone.
    let mut write = store.write().await.expect("write");
    write.watch(CHAIN, contract, game, 7, None).await.expect("watch");
    write.look_above(CHAIN, 7).await.expect("nothing above");
    write.commit().await.expect("commit");
    assert_eq!(due(u64::MAX).await, []);
    let mut write = store.write().await.expect("write");
    write.look_above(CHAIN, 6).await.expect("undo");
    write.commit().await.expect("commit");
    assert_eq!(due(0).await.len(), 1);
}

async fn a_nonce_is_a_row_with_its_signed_bytes(ground: Ground) {
    let store = ground.open().await;
    let job = with_job(&store).await;

    let errand = Some(Errand::Job(job.id));

    // What was signed for a write that is not committed takes no nonce.
    let next = async |least| store.next_nonce(CHAIN, SIGNER, least).await.expect("nonce");
    assert_eq!(next(4).await, 4);
    let mut write = store.write().await.expect("write");
    write.take_nonce(CHAIN, SIGNER, 4, None, &signed_as(1)).await.expect("sign").expect("free");
    drop(write);
    assert_eq!(next(4).await, 4);

    let mut write = store.write().await.expect("write");
    let tx = write.take_nonce(CHAIN, SIGNER, 4, errand, &signed_as(1)).await.expect("sign").expect("free");
    assert_eq!(write.take_nonce(CHAIN, SIGNER, 4, None, &signed_as(9)).await.expect("sign"), None, "taken");
    write.take_nonce(CHAIN, SIGNER, 5, None, &signed_as(2)).await.expect("sign").expect("free");
    write.add_attempt(tx, &signed_as(3)).await.expect("replacement");
    write.commit().await.expect("commit");
    assert_eq!(next(4).await, 6, "the chain's nonce lags behind ours");
    assert_eq!(next(9).await, 9, "another wallet moved the account on");

    let mut write = store.write().await.expect("write");
    let second = write.take_nonce(CHAIN, SIGNER, 6, errand, &signed_as(4)).await;
    assert!(matches!(second, Err(StoreError::Database(_))), "a job has one live transaction");
    drop(write);

    let live = store.live_transactions(CHAIN, SIGNER).await.expect("live");
    assert_eq!(live.iter().map(|tx| (tx.nonce, tx.attempts.len())).collect::<Vec<_>>(), [(4, 2), (5, 1)]);
    let newest = store.transaction_by_hash(signed_as(3).hash).await.expect("query").expect("transaction");
    assert_eq!((newest.id, newest.signer, newest.wanted), (tx, SIGNER, None));
    let mut write = store.write().await.expect("write");
    write.want(tx, Wanted::Cancel).await.expect("wish");
    write.commit().await.expect("commit");
    assert_eq!(store.transaction(tx).await.expect("query").expect("transaction").wanted, Some(Wanted::Cancel));
    let mut write = store.write().await.expect("write");
    write.set_dropped(tx, "gone").await.expect("drop");
    write.take_nonce(CHAIN, SIGNER, 6, errand, &signed_as(6)).await.expect("sign").expect("free");
    write.commit().await.expect("commit");
    assert_eq!(store.nonces_from(CHAIN, SIGNER, 0).await.expect("nonces"), [5, 6]);
}

async fn spending_counts_each_transaction_once_and_undone_blocks_are_under_way_again(ground: Ground) {
    let store = ground.open().await;
    let version = |name, max_fee| Signed { max_fee, value: U256::from(1000), ..signed_as(name) };
    let total = async |store: &Store, since| {
        let rows = store.spending(CHAIN, SIGNER, since).await.expect("spending");
        let sum = |wanted: fn(&Spent) -> bool| {
            rows.iter().filter(|row| wanted(&row.spent)).map(|row| row.wei.to::<u64>()).sum::<u64>()
        };
        (sum(|spent| *spent == Spent::UnderWay), sum(|spent| matches!(spent, Spent::At(_))))
    };
    let mut write = store.write().await.expect("write");
    let tx = write.take_nonce(CHAIN, SIGNER, 0, None, &version(1, 10)).await.expect("sign").expect("free");
    write.take_nonce(CHAIN, Address::repeat_byte(8), 0, None, &version(9, 10)).await.expect("another key's");
    write.commit().await.expect("commit");
    assert_eq!(total(&store, 0).await, (21_000 * 10 + 1000, 0));

    // A replacement can be mined instead of it, not besides it.
    let mut write = store.write().await.expect("write");
    write.add_attempt(tx, &version(2, 15)).await.expect("replacement");
    write.commit().await.expect("commit");
    assert_eq!(total(&store, 0).await, (21_000 * 15 + 1000, 0));

    let mined = |ok| Mined { block: block(5), ok, gas_used: 20_000, gas_price: 7 };
    for (ok, cost) in [(true, 20_000 * 7 + 1000), (false, 20_000 * 7)] {
        let mut write = store.write().await.expect("write");
        write.set_mined(tx, TxState::Included, mined(ok)).await.expect("mined");
        write.commit().await.expect("commit");
        assert_eq!(total(&store, 0).await, (0, cost));
        assert_eq!(total(&store, i64::MAX).await, (0, 0), "before the window");

        // Undone: all that it may cost is under way again.
        let mut write = store.write().await.expect("write");
        write.set_unmined(tx).await.expect("undone");
        write.commit().await.expect("commit");
        assert_eq!(total(&store, i64::MAX).await, (21_000 * 15 + 1000, 0));
    }
    let mut write = store.write().await.expect("write");
    write.set_mined(tx, TxState::Final, mined(true)).await.expect("final");
    write.commit().await.expect("commit");
    store.close().await;
    drop(store);
    let store = ground.open().await;
    assert_eq!(total(&store, 0).await, (0, 20_000 * 7 + 1000), "a restart forgets nothing");

    // A reorganisation below its block opens even what was final.
    let mut write = store.write().await.expect("write");
    write.reopen_above(CHAIN, 5).await.expect("nothing above");
    write.commit().await.expect("commit");
    assert!(store.live_transactions(CHAIN, SIGNER).await.expect("live").is_empty());
    let mut write = store.write().await.expect("write");
    write.reopen_above(CHAIN, 4).await.expect("reopened");
    write.commit().await.expect("commit");
    let live = store.live_transactions(CHAIN, SIGNER).await.expect("live");
    assert_eq!((live[0].state, live[0].mined), (TxState::Included, Some(mined(true))));
}

async fn a_reset_chain_and_a_second_daemon_are_refused(ground: Ground) {
    let store = ground.open().await;
    assert!(matches!(store.claim_chain(CHAIN, B256::repeat_byte(2)).await, Err(StoreError::OtherChain { .. })));
    assert!(matches!(Store::open(&ground.place).await, Err(StoreError::InUse { .. })));
}

async fn undoing_goes_back_to_the_ancestor(ground: Ground) {
    let store = ground.open().await;
    let mut write = store.write().await.expect("write");
    for number in 1..=10 {
        write.advance(CHAIN, block(number), 4).await.expect("advance");
    }
    write.commit().await.expect("commit");
    let below = store.blocks_below(CHAIN, 10).await.expect("blocks");
    assert_eq!(below.iter().map(|b| b.number).collect::<Vec<_>>(), [9, 8, 7, 6]);
    let mut write = store.write().await.expect("write");
    write.undo_to(CHAIN, block(7)).await.expect("undo");
    write.commit().await.expect("commit");
    assert_eq!(store.cursor(CHAIN).await.expect("cursor"), Some(block(7)));
    assert_eq!(store.blocks_below(CHAIN, 100).await.expect("blocks").len(), 2);
}

/// What waits is read by its age, a few at a time, of the contracts that are asked for, however much there is.
async fn the_oldest_jobs_of_a_state_are_read_and_no_more(ground: Ground) {
    let store = ground.open().await;
    let mut write = store.write().await.expect("write");
    let other = JobKey { contract: Address::repeat_byte(8), ..key(0) };
    for round in 0..20 {
        write.ask(&JobKey { round, ..key(0) }, block(5)).await.expect("ask");
        write.ask(&JobKey { round, ..other }, block(5)).await.expect("ask");
    }
    let first = write.job(&key(0)).await.expect("query").expect("job");
    write.set_state(first.id, State::Moot, "").await.expect("state");
    write.commit().await.expect("commit");
    let rounds = async |state, contracts: &[Address], most| -> Vec<(Address, u64)> {
        let jobs = store.oldest_jobs(CHAIN, state, contracts, most).await.expect("jobs");
        jobs.iter().map(|job| (job.key.contract, job.key.round)).collect()
    };
    let (this, that) = (key(0).contract, other.contract);
    assert_eq!(rounds(State::Seen, &[this], 3).await, [(this, 1), (this, 2), (this, 3)]);
    assert_eq!(rounds(State::Seen, &[this, that], 3).await, [(that, 0), (this, 1), (that, 1)]);
    assert_eq!(rounds(State::Proved, &[this, that], 3).await, []);
    assert_eq!(rounds(State::Seen, &[], 3).await, []);
}
