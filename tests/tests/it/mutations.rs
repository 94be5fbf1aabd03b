//! Every single-word change of a valid calldata is refused on chain.

use std::{collections::BTreeMap, sync::Arc};

use alloy::primitives::{U256, uint};
use zugzwang::chain::{
    bytecode,
    types::{Address, Bytes},
};

use crate::table::{Table, prove};

/// Order of the scalar field.
const R: U256 = uint!(0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001_U256);
/// Order of the base field.
const P: U256 = uint!(0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47_U256);
/// Calls under way at a time.
const WORKERS: usize = 3;

/// What a word is replaced by, if there is room for it.
type Change = fn(U256) -> Option<U256>;

const CHANGES: [(&str, Change); 8] = [
    ("plus 1", |w| Some(w.wrapping_add(U256::from(1)))),
    ("minus 1", |w| Some(w.wrapping_sub(U256::from(1)))),
    ("zero", |_| Some(U256::ZERO)),
    ("r", |_| Some(R)),
    ("p", |_| Some(P)),
    ("all ones", |_| Some(U256::MAX)),
    // The same number modulo the field.
    ("plus r", |w| w.checked_add(R)),
    ("plus p", |w| w.checked_add(P)),
];

struct Mutant {
    how: &'static str,
    word: usize,
    data: Bytes,
}

fn mutants(calldata: &[u8]) -> Vec<Mutant> {
    assert_eq!(calldata.len() % 32, 4, "whole words behind the selector");
    let words = (calldata.len() - 4) / 32;
    let mutant = |(word, (how, change)): (usize, (&'static str, Change))| {
        let at = 4 + 32 * word..36 + 32 * word;
        let old = U256::from_be_slice(&calldata[at.clone()]);
        let new = change(old).filter(|new| *new != old)?;
        let mut data = calldata.to_vec();
        data[at].copy_from_slice(&new.to_be_bytes::<32>());
        Some(Mutant { how, word, data: data.into() })
    };
    (0..words).flat_map(|word| CHANGES.map(|change| (word, change))).filter_map(mutant).collect()
}

/// Calls `to` with every mutant; counts by change and by what the contract said.
async fn check(
    what: &str,
    table: &Arc<Table>,
    from: Address,
    to: Address,
    calldata: &[u8],
    accepts: fn(&[u8]) -> bool,
) {
    let accepted = |answer: &Result<Bytes, String>| answer.as_ref().is_ok_and(|bytes| accepts(bytes));
    let honest = table.call(from, to, calldata.to_vec().into()).await;
    assert!(accepted(&honest), "{what}: the unchanged call is refused: {honest:?}");

    let mutants = Arc::new(mutants(calldata));
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let (table, mutants) = (table.clone(), mutants.clone());
            tokio::spawn(async move {
                let mut answers = Vec::new();
                for mutant in mutants.iter().skip(worker).step_by(WORKERS) {
                    let answer = table.call(from, to, mutant.data.clone()).await;
                    let taken = answer.as_ref().is_ok_and(|bytes| accepts(bytes));
                    assert!(!taken, "accepted with word {} {}", mutant.word, mutant.how);
                    let said = match answer {
                        Ok(_) => "answers no".to_owned(),
                        Err(why) => why.split(':').next().unwrap_or_default().to_owned(),
                    };
                    answers.push((mutant.how, said));
                }
                answers
            })
        })
        .collect();
    let (mut changes, mut said) = (BTreeMap::<_, usize>::new(), BTreeMap::<_, usize>::new());
    for worker in workers {
        for (how, why) in worker.await.unwrap_or_else(|e| panic!("{what}: {e}")) {
            *changes.entry(how).or_default() += 1;
            *said.entry(why).or_default() += 1;
        }
    }
    let words = (calldata.len() - 4) / 32;
    println!("{what}: all {} changes of one of {words} words are refused: {changes:?}; {said:?}", mutants.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_word_of_a_valid_call_can_be_changed() {
    let table = Arc::new(Table::new().await);
    let npc = table.npc.address();
    let game = table.game(&table.arena, table.offer).await;
    let question = table.question(&table.arena, game, npc).await;
    let proof = prove(table.prover, &question);

    let verify = bytecode::verify_call(&proof.bytes, &proof.instances);
    let yes = |answer: &[u8]| answer.len() == 32 && answer[..31] == [0; 31] && answer[31] == 1;
    check("verifyProof", &table, npc, table.verifier, &verify, yes).await;

    let play = table.arena.play_npc(game, 1, proof.instances[2], proof.bytes.clone());
    check("playNpc", &table, npc, play.to, &play.data, |_| true).await;
}
