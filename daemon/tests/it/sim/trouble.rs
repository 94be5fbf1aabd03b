//! What users do, and what goes wrong: with endpoints, the chain, fees, clocks and keys.

use alloy::{
    consensus::{SignableTransaction, TxEip1559},
    eips::eip2718::Encodable2718,
    network::TxSignerSync,
    primitives::TxKind,
    signers::local::PrivateKeySigner,
};
use serde_json::{Value, json};
use zugzwang::chain::types::{Address, B256, U256};

use super::{
    chain::{Item, Signed},
    desk::{CHAIN, Deed},
    gate::{Fault, answered},
    life::signer,
    node::{self, Failure, TIP},
    world::{BROKEN, World},
};

/// Milliseconds after which the daemon's HTTP client gives up.
const TIME_OUT: u64 = 10_000;
/// The market's fee, and what a spike makes of it; the daemon's cap is 1,000 gwei.
const FEE: u128 = 10_000_000_000;
/// Somebody else who answers.
const RIVAL: Address = Address::repeat_byte(0x77);

/// A node that a daemon asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) mode: Mode,
    /// Sets apart one trouble from the next.
    turn: u64,
}

/// What is wrong with an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    #[default]
    Well,
    Down,
    Throttles,
    /// It is so many blocks behind.
    Lags(u64),
    /// It stays at a block, which may have left the chain, or never was on it.
    Stands(B256),
    /// It has no receipts.
    Forgets,
    /// It takes transactions and tells nobody of them.
    Swallows,
    /// It says "nonce too low" to every transaction.
    MistakesNonces,
    /// It leaves out logs, or makes them up.
    LiesAboutLogs,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Answered,
    /// Answered after so many milliseconds.
    Late(u64),
    LostOnTheWay,
    AnswerLost,
    /// It arrives twice; the second answer comes back.
    Twice,
    Status(u16),
    Internal,
}

/// What is healed some time later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Endpoint { daemon: usize, endpoint: usize, turn: u64 },
    Fees,
}

impl World {
    /// What becomes of a request that is sent now.
    pub(super) fn fate(&mut self, daemon: usize, endpoint: usize, request: &Value) -> Fate {
        if self.calm {
            return Fate::Answered;
        }
        match self.endpoints[daemon][endpoint].mode {
            Mode::Down => return Fate::LostOnTheWay,
            Mode::Throttles => return Fate::Status(429),
            _ => {}
        }
        if !self.dice.permille(self.plan.rpc_permille) {
            return Fate::Answered;
        }
        let late = self.dice.between(1_000..=9_000);
        let sends = request["method"] == json!("eth_sendRawTransaction");
        self.dice.weighted(&[
            (3, Fate::Late(late)),
            (3, Fate::LostOnTheWay),
            (if sends { 8 } else { 3 }, Fate::AnswerLost),
            (if sends { 4 } else { 1 }, Fate::Twice),
            (1, Fate::Status(429)),
            (1, Fate::Status(502)),
            (1, Fate::Internal),
        ])
    }

    /// A request reaches its node: what comes back, and after how many milliseconds.
    pub(super) fn served(
        &mut self,
        daemon: usize,
        endpoint: usize,
        request: &Value,
        fate: Fate,
    ) -> (Result<Value, Fault>, u64) {
        let soon = self.dice.between(2..=40);
        match fate {
            Fate::Answered => (Ok(self.said(daemon, endpoint, request)), soon),
            Fate::Late(ms) => (Ok(self.said(daemon, endpoint, request)), ms),
            Fate::LostOnTheWay => (Err(BROKEN), if soon > 20 { TIME_OUT } else { soon }),
            Fate::AnswerLost => {
                self.said(daemon, endpoint, request);
                (Err(BROKEN), if soon > 20 { TIME_OUT } else { soon })
            }
            Fate::Twice => {
                self.said(daemon, endpoint, request);
                (Ok(self.said(daemon, endpoint, request)), soon)
            }
            Fate::Status(status) => (Err(Fault::Status(status)), soon),
            Fate::Internal => {
                let fails = &mut |_: &str, _: &Value| Err(Failure::new(-32603, "internal error"));
                (Ok(answered(request, fails)), soon)
            }
        }
    }

    /// What the node says.
    fn said(&mut self, daemon: usize, endpoint: usize, request: &Value) -> Value {
        let mode = self.endpoints[daemon][endpoint].mode;
        let top = match mode {
            Mode::Lags(blocks) => {
                let number = self.chain.head().number.saturating_sub(blocks);
                self.chain.below(self.chain.head, number).map_or(self.chain.head, |block| block.hash)
            }
            Mode::Stands(hash) => hash,
            _ => self.chain.head,
        };
        let chain = &mut self.chain;
        answered(request, &mut |method, params| {
            let sends = method == "eth_sendRawTransaction";
            match mode {
                Mode::Forgets if method == "eth_getTransactionReceipt" => return Ok(Value::Null),
                Mode::MistakesNonces if sends => {
                    return Err(Failure::new(-32000, "nonce too low: next nonce 99, tx nonce 98"));
                }
                Mode::Swallows if sends => {
                    let raw = params.get(0).and_then(|raw| raw.as_str()?.parse::<zugzwang::chain::types::Bytes>().ok());
                    if let Some(tx) = raw.and_then(|raw| Signed::decode(&raw).ok()) {
                        return Ok(json!(tx.hash));
                    }
                }
                Mode::LiesAboutLogs if method == "eth_getLogs" => {
                    let mut said = node::answer(chain, top, method, params)?;
                    if let Some(logs) = said.as_array_mut() {
                        logs.pop();
                    }
                    return Ok(said);
                }
                _ => {}
            }
            node::answer(chain, top, method, params)
        })
    }

    /// The next block.
    pub(super) fn mine(&mut self) {
        let left_out = if self.calm { 0 } else { 150 };
        let (head, seconds, fee) = (self.chain.head, self.seconds(), self.base_fee);
        let block = self.chain.build(head, seconds, fee, left_out, &mut self.dice);
        self.chain.adopt(block, |_| false);
        let head = self.chain.head().clone();
        self.note(format_args!("block {} {} with {} transactions", head.number, head.hash, head.txs.len()));
    }

    /// The blocks above an ancestor are replaced by at least as many others.
    fn reorganise(&mut self, depth: u64) {
        let height = self.chain.head().number;
        let depth = depth.min(height);
        if depth == 0 {
            return;
        }
        let (head, loses) = (self.chain.head, if self.plan.lossy_pool { 200 } else { 0 });
        let Some(ancestor) = self.chain.below(head, height - depth).map(|block| block.hash) else { return };
        let mut lost: Vec<B256> = Vec::new();
        for block in self.chain.line(head).take_while(|block| block.hash != ancestor) {
            lost.extend(block.txs.iter().map(|tx| tx.item.hash()).filter(|_| self.dice.permille(loses)));
        }
        self.note(format_args!("a reorganisation of {depth} blocks, {} transactions lost", lost.len()));
        self.count("reorgs");
        let mut again: Vec<Deed> = Vec::new();
        self.chain.adopt(ancestor, |item| {
            let is_lost = lost.contains(&item.hash());
            if let (true, Item::Deed(_, deed)) = (is_lost, item) {
                again.push(deed.clone());
            }
            is_lost
        });
        // A user whose question is gone asks another one.
        for mut deed in again {
            if let Deed::Ask { salt, .. } = &mut deed {
                *salt = self.dice.word();
                self.chain.announce(deed);
            }
        }
        let longer = self.dice.between(0..=2);
        for nth in 0..depth + longer {
            let (head, fee) = (self.chain.head, self.base_fee);
            let time = self.seconds().saturating_sub(depth + longer - nth);
            let block = self.chain.build(head, time, fee, 300, &mut self.dice);
            self.chain.adopt(block, |_| false);
        }
    }

    /// A fork that only one endpoint sees.
    fn fork(&mut self) -> B256 {
        let height = self.chain.head().number;
        let depth = self.dice.between(0..=self.plan.depth.min(height));
        let below = self.chain.below(self.chain.head, height - depth).map_or(self.chain.genesis, |block| block.hash);
        let mut top = below;
        for _ in 0..self.dice.between(0..=depth) {
            let (seconds, fee) = (self.seconds(), self.base_fee);
            top = self.chain.build(top, seconds, fee, 300, &mut self.dice);
        }
        top
    }

    /// Something happens.
    pub(super) fn make_trouble(&mut self) {
        #[derive(Clone, Copy)]
        enum Kind {
            Ask,
            End,
            Refund,
            Rival,
            Reorg,
            TooDeep,
            Endpoint,
            Fees,
            Jump,
            Theft,
            LosePool,
        }
        let plan = self.plan.clone();
        let when = |given: bool, weight: u32| if given { weight } else { 0 };
        let late = self.now * 3 > plan.chaos_ms * 2;
        let kind = self.dice.weighted(&[
            (10, Kind::Ask),
            (1, Kind::End),
            (1, Kind::Refund),
            (when(plan.rivals, 2), Kind::Rival),
            (when(plan.depth > 0, 3), Kind::Reorg),
            (when(plan.too_deep && late, 2), Kind::TooDeep),
            (when(plan.rpc_permille > 0, 5), Kind::Endpoint),
            (when(plan.fee_spikes, 1), Kind::Fees),
            (when(plan.clock_jumps, 1), Kind::Jump),
            (when(plan.stolen_key, 2), Kind::Theft),
            (when(plan.lossy_pool, 1), Kind::LosePool),
        ]);
        match kind {
            Kind::Ask => self.ask(),
            Kind::End => {
                if let Some(subject) = self.some_subject() {
                    self.chain.announce(Deed::End { subject });
                }
            }
            Kind::Refund => {
                if let Some(subject) = self.some_subject() {
                    self.chain.announce(Deed::Refund { subject });
                }
            }
            Kind::Rival => {
                if let Some(subject) = self.some_subject() {
                    self.chain.announce(Deed::Answer { subject, submitter: RIVAL });
                }
            }
            Kind::Reorg => {
                let depth = self.dice.between(1..=plan.depth);
                self.reorganise(depth);
            }
            Kind::TooDeep => {
                self.count("too deep");
                self.reorganise(plan.max_reorg + plan.confirmations + 3);
            }
            Kind::Endpoint => self.break_endpoint(),
            Kind::Fees => {
                self.base_fee =
                    self.dice.weighted(&[(1, 150_000_000_000), (1, 600_000_000_000), (1, 3_000_000_000_000)]);
                let (fee, pause) = (self.base_fee, self.dice.between(5_000..=40_000));
                self.note(format_args!("the base fee rises to {fee}"));
                self.heal_in(pause, Trouble::Fees);
            }
            Kind::Jump => {
                let daemon = self.dice.between(0..=self.daemons.len() as u64 - 1) as usize;
                let forward = self.dice.permille(500);
                let by = i64::try_from(self.dice.between(1_000..=7_200_000)).unwrap_or(0);
                let by = if forward { by } else { -by };
                self.note(format_args!("the clock of daemon {daemon} jumps by {by} ms"));
                self.daemons[daemon].clock.jump(by);
            }
            Kind::Theft => self.steal(),
            Kind::LosePool => {
                let count = self.chain.pool.len();
                self.chain.pool.clear();
                self.note(format_args!("the pool loses {count} transactions"));
            }
        }
    }

    fn some_subject(&mut self) -> Option<u64> {
        let known: Vec<u64> = self.desk().subjects.keys().copied().collect();
        self.dice.pick(&known).copied()
    }

    fn ask(&mut self) {
        let old = if self.dice.permille(500) { self.some_subject() } else { None };
        let subject = old.unwrap_or_else(|| {
            self.next_subject += 1;
            self.next_subject - 1
        });
        // Most have days; some have hardly enough time for a proof.
        let seconds = if self.dice.permille(800) { 1_000_000 } else { self.dice.between(5..=90) };
        let (salt, of_block) = (self.dice.word(), self.dice.permille(300));
        self.chain.announce(Deed::Ask { subject, salt, seconds, of_block, careless: self.plan.careless });
    }

    fn break_endpoint(&mut self) {
        let daemon = self.dice.between(0..=self.daemons.len() as u64 - 1) as usize;
        let endpoint = self.dice.between(0..=self.plan.endpoints as u64 - 1) as usize;
        let (blocks, fork) = (self.dice.between(1..=12), self.fork());
        // One that lies about logs is only found out by others.
        let liar = self.plan.quorum > 1 && self.endpoints[daemon].iter().all(|other| other.mode != Mode::LiesAboutLogs);
        let mode = self.dice.weighted(&[
            (2, Mode::Down),
            (1, Mode::Throttles),
            (2, Mode::Lags(blocks)),
            (1, Mode::Stands(self.chain.head)),
            (2, Mode::Stands(fork)),
            (1, Mode::Forgets),
            (2, Mode::Swallows),
            (2, Mode::MistakesNonces),
            (if liar { 3 } else { 0 }, Mode::LiesAboutLogs),
        ]);
        let pause = self.dice.between(1_000..=20_000);
        let broken = &mut self.endpoints[daemon][endpoint];
        broken.mode = mode;
        broken.turn += 1;
        let turn = broken.turn;
        self.note(format_args!("node {endpoint} of daemon {daemon}: {mode:?} for {pause} ms"));
        self.heal_in(pause, Trouble::Endpoint { daemon, endpoint, turn });
    }

    /// Another wallet uses the daemons' key: it pays somebody, with the next nonce or one that a transaction waits with.
    fn steal(&mut self) {
        let account = signer();
        let nonce = self.chain.head().state.nonce(account);
        let waiting = self.chain.pool.get(&(account, nonce)).map_or((FEE, TIP), |tx| (tx.max_fee, tx.tip));
        let mut payment = TxEip1559 {
            chain_id: CHAIN,
            nonce,
            gas_limit: 21_000,
            max_fee_per_gas: waiting.0 * 2 + self.base_fee,
            max_priority_fee_per_gas: waiting.1 * 2,
            to: TxKind::Call(RIVAL),
            value: U256::from(1),
            access_list: Default::default(),
            input: Default::default(),
        };
        let key = PrivateKeySigner::from_bytes(&super::life::KEY).expect("a key");
        let signature = key.sign_transaction_sync(&mut payment).expect("a signature");
        let raw = payment.into_signed(signature).encoded_2718();
        let tx = Signed::decode(&raw).expect("a transaction");
        self.stolen.push(tx.hash);
        self.count("thefts");
        self.note(format_args!("another wallet uses nonce {nonce}: {}", tx.hash));
        // Refused or not, a wallet doesn't care.
        let _ = self.chain.offer(tx, self.chain.head);
    }

    pub(super) fn heal(&mut self, what: Trouble) {
        match what {
            Trouble::Fees => self.base_fee = FEE,
            Trouble::Endpoint { daemon, endpoint, turn } => {
                let healed = &mut self.endpoints[daemon][endpoint];
                if healed.turn == turn {
                    healed.mode = Mode::Well;
                }
            }
        }
        self.note(format_args!("over: {what:?}"));
    }

    /// From now on nothing goes wrong any more.
    pub(super) fn becomes_calm(&mut self) {
        self.calm = true;
        self.base_fee = FEE;
        for endpoint in self.endpoints.iter_mut().flatten() {
            endpoint.mode = Mode::Well;
        }
        self.note(format_args!("calm"));
    }
}
