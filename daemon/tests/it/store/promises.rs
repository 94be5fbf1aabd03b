//! The store's promises.

use zugzwang::{
    chain::types::{Address, B256, U256},
    store::{Answer, Errand, State, Store, StoreError},
};

use super::{CHAIN, Ground, SIGNER, block, key, on_both, signed_as, with_job};

on_both! {
    what_is_committed_survives_and_the_rest_does_not,
    no_job_is_proved_without_its_proof,
    a_game_is_due_at_its_time_and_claimed_by_one_live_transaction,
    a_nonce_is_a_row_with_its_signed_bytes,
    a_reset_chain_and_a_second_daemon_are_refused,
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
    write.sign_next(CHAIN, SIGNER, claim, 0, |_| Ok(signed_as(1))).await.expect("sign");
    write.commit().await.expect("commit");
    assert!(due(100).await[0].claimed);
    assert_eq!(store.transactions_of(Errand::Claim(watched.id)).await.expect("transactions")[0].errand, claim);
    let mut write = store.write().await.expect("write");
    let second = write.sign_next(CHAIN, SIGNER, claim, 0, |_| Ok(signed_as(2))).await;
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

    // A failing signature takes no nonce, nor does a write that is not committed.
    let mut write = store.write().await.expect("write");
    assert!(matches!(write.sign_next(CHAIN, SIGNER, None, 4, |_| Err("no".into())).await, Err(StoreError::Signing(_))));
    drop(write);
    let mut write = store.write().await.expect("write");
    write.sign_next(CHAIN, SIGNER, None, 4, |_| Ok(signed_as(1))).await.expect("sign");
    drop(write);

    let mut write = store.write().await.expect("write");
    let (tx, nonce, _) =
        write.sign_next(CHAIN, SIGNER, Some(Errand::Job(job.id)), 4, |_| Ok(signed_as(1))).await.expect("sign");
    assert_eq!(nonce, 4);
    let (_, nonce, _) = write.sign_next(CHAIN, SIGNER, None, 4, |_| Ok(signed_as(2))).await.expect("sign");
    assert_eq!(nonce, 5, "the chain's nonce lags behind ours");
    write.add_attempt(tx, &signed_as(3)).await.expect("replacement");
    write.commit().await.expect("commit");

    let mut write = store.write().await.expect("write");
    let second = write.sign_next(CHAIN, SIGNER, Some(Errand::Job(job.id)), 4, |_| Ok(signed_as(4))).await;
    assert!(matches!(second, Err(StoreError::Database(_))), "a job has one live transaction");
    drop(write);

    let mut write = store.write().await.expect("write");
    let (_, nonce, _) = write.sign_next(CHAIN, SIGNER, None, 9, |_| Ok(signed_as(5))).await.expect("sign");
    assert_eq!(nonce, 9, "another wallet moved the account on");
    drop(write);

    let live = store.live_transactions(CHAIN, SIGNER).await.expect("live");
    assert_eq!(live.iter().map(|tx| (tx.nonce, tx.attempts.len())).collect::<Vec<_>>(), [(4, 2), (5, 1)]);
    let mut write = store.write().await.expect("write");
    write.set_dropped(tx, "gone").await.expect("drop");
    let (_, nonce, _) =
        write.sign_next(CHAIN, SIGNER, Some(Errand::Job(job.id)), 5, |_| Ok(signed_as(6))).await.expect("sign");
    assert_eq!(nonce, 6);
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
