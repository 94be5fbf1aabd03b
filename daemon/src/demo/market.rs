//! A prediction market from its opening to the winners' money: bets, a real result that a publisher signs and serves, the
//! daemon that proves what the committed classifier reads in it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Serialize;
use tokio::sync::watch;

use super::{DemoError, screen::Screen, stand::Stand};
use crate::{
    apps::market::{self, Decision, Terms},
    chain::{
        Key, Wallet,
        types::{Bytes, U256, keccak256, random},
    },
    config::{Config, raw::RawFeed},
    feed::{
        Bulletin, Text, file,
        publisher::{Publisher, PublisherConfig},
    },
    prover::{Models, Prove},
    service::Notice,
};

/// The classes of the football model.
pub const CLASSES: [&str; 4] = ["home", "draw", "away", "no result"];
const NO_RESULT: u8 = 3;
/// The bulletin's number in its feed.
const SEQUENCE: u64 = 1;
/// Seconds in which bets are taken, and after which the market expires.
const OPEN: u64 = 600;
const PATIENCE: u64 = 86_400;
/// Who bets on which class, in thousandths of a coin.
const BETS: [(&str, u8, u64); 5] =
    [("Anna", 0, 3000), ("Boris", 1, 1000), ("Chen", 2, 2000), ("Dara", 0, 1000), ("Emil", 2, 500)];

/// How the demo is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// A result as its publisher words it.
    pub text: String,
    /// The folder of the model that reads it.
    pub model: PathBuf,
    /// The least margin that decides.
    pub min_margin: u32,
    /// The anvil binary, where it isn't found by itself.
    pub anvil: Option<PathBuf>,
    /// Where the daemon's files go; a temporary folder if not set.
    pub dir: Option<PathBuf>,
    /// Nothing but the result is printed.
    pub quiet: bool,
}

/// A demo's outcome.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// What the publisher signed.
    pub text: String,
    /// What the classifier read in it.
    pub class: String,
    /// By which margin.
    pub margin: String,
    /// Seconds that the proof took.
    pub prove_s: f64,
    /// Seconds from the signed file to the mined resolution.
    pub answer_s: f64,
    /// Gas of each kind of transaction.
    pub gas: Gas,
    /// Each account's name and winnings in wei, those with nothing left out.
    pub paid: Vec<(String, String)>,
}

/// Gas of each step.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Gas {
    /// Opening a market.
    pub open: u64,
    /// A bet, the last one.
    pub bet: u64,
    /// Resolution by bulletin and proof.
    pub resolve: u64,
    /// A winner's claim, the last one.
    pub claim: u64,
    /// A withdrawal, the last one.
    pub withdraw: u64,
}

/// Runs the demo to its end. `verifier` is the init code of the model's verifier.
pub async fn play(options: Options, prover: Arc<dyn Prove>, verifier: Bytes) -> Result<Summary, DemoError> {
    Stand::with(options.anvil.as_deref(), options.dir.clone(), options.quiet, async |stand, screen| {
        Demo { options: &options, screen, stand }.play(prover, verifier).await
    })
    .await
}

struct Demo<'a> {
    options: &'a Options,
    screen: &'a Screen,
    stand: &'a Stand,
}

impl Demo<'_> {
    async fn play(&self, prover: Arc<dyn Prove>, verifier: Bytes) -> Result<Summary, DemoError> {
        let (screen, stand) = (self.screen, self.stand);
        let mut gas = Gas::default();
        let made = stand.operator.deploy("the verifier's deployment", verifier).await?;
        screen.say(&format!("verifier:    {} ({} gas)", made.contract, made.mined.gas_used));
        let contract = stand.operator.deploy("the market's deployment", market::creation_code()).await?;
        screen.say(&format!("markets:     {} ({} gas)", contract.contract, contract.mined.gas_used));
        let contract = contract.contract;

        let signer = Key::from_bytes(random())?;
        let feed_id = keccak256("football results");
        let (folder, mirror) = (stand.dir.join("bulletins"), stand.dir.join("mirror"));
        for folder in [&folder, &mirror] {
            std::fs::create_dir_all(folder).map_err(super::file_error(folder))?;
        }
        let publisher = Publisher::bind(PublisherConfig {
            dir: folder.clone(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            publisher: Some(signer.address()),
            feed_id: Some(feed_id),
            every: Duration::from_millis(100),
        })
        .await?;
        let url = format!("http://{}/bulletins", publisher.address());
        screen.say(&format!("publisher:   {} signs football results, served at {url}", signer.address()));
        let (_stop, stopped) = watch::channel(false);
        tokio::spawn(publisher.run(stopped));

        let mut raw = stand.config();
        raw.market.contracts = vec![contract.to_string()];
        raw.market.models = vec![self.options.model.display().to_string()];
        raw.market.feeds = vec![RawFeed {
            publisher: signer.address().to_string(),
            feed: feed_id.to_string(),
            http: vec![url],
            sse: vec![],
            dir: vec![mirror.display().to_string()],
            poll_ms: 200,
        }];
        let mut daemon = stand.run(Config::from_raw(raw)?, Models::of([prover.clone()])).await?;

        let now = stand.client.head().await?.timestamp;
        let terms = Terms {
            publisher: signer.address(),
            feed_id,
            sequence: SEQUENCE,
            close: now + OPEN,
            deadline: now + OPEN + PATIENCE,
            verifier: made.contract,
            model_id: prover.model_id().into(),
            min_margin: self.options.min_margin,
            classes: CLASSES.len() as u8,
            no_result: NO_RESULT,
            question: "Who wins, as bulletin 1 of the feed says?".into(),
        };
        let opener = stand.account(market::words).await?;
        let (id, opened) = opener.open_market(contract, &terms).await?;
        gas.open = opened.mined.gas_used;
        screen.say(&format!(
            "\nmarket {id} opens ({} gas): {} Bets for {OPEN} s, a margin of at least {} decides.",
            gas.open, terms.question, terms.min_margin
        ));
        let bettors = self.bets(contract, id, &mut gas).await?;

        stand.wait_until(terms.close).await?;
        screen.say("\nthe market closes");
        // Another source has one that looks the same, but a stranger signed it.
        let text = Text::new(self.options.text.as_bytes())?;
        let stranger = Bulletin::sign(&Key::from_bytes(random())?, feed_id, SEQUENCE, terms.close, text.clone())?;
        file::write_new(&stranger, &mirror)?;
        let bulletin = Bulletin::sign(&signer, feed_id, SEQUENCE, terms.close, text)?;
        let signed = Instant::now();
        file::write_new(&bulletin, &folder)?;
        screen.say(&format!("the publisher signs bulletin {SEQUENCE}: \"{}\"", self.options.text));

        let (decision, prove_s, used) = self.resolution(&mut daemon, id).await?;
        gas.resolve = used;
        let answer_s = signed.elapsed().as_secs_f64();
        let class = CLASSES.get(usize::from(decision.class)).copied().unwrap_or("?");
        screen.say(&format!(
            "the daemon resolves ({used} gas): class {} = {class}, margin {}; proved in {prove_s:.2} s, mined {answer_s:.2} s after the bulletin was signed\n",
            decision.class, decision.margin
        ));

        let mut paid = Vec::new();
        for (name, wallet) in &bettors {
            match wallet.claim_bets(contract, id).await {
                Ok((amount, claimed)) => {
                    let withdrawn = wallet.withdraw(contract, amount).await?;
                    (gas.claim, gas.withdraw) = (claimed.mined.gas_used, withdrawn.mined.gas_used);
                    screen.say(&format!(
                        "{name} claims {} ({} gas) and withdraws it ({} gas)",
                        coins(amount),
                        gas.claim,
                        gas.withdraw
                    ));
                    paid.push(((*name).to_owned(), amount.to_string()));
                }
                Err(error) if error.to_string().contains("NothingToClaim") => screen.say(&format!("{name} has lost")),
                Err(error) => return Err(error.into()),
            }
        }
        let rest = stand.client.balance(contract).await?;
        screen.say(&format!("left in the contract: {rest} wei, from rounding"));
        Ok(Summary {
            text: self.options.text.clone(),
            class: class.to_owned(),
            margin: decision.margin.to_string(),
            prove_s,
            answer_s,
            gas,
            paid,
        })
    }

    async fn bets(
        &self,
        contract: crate::chain::types::Address,
        market: U256,
        gas: &mut Gas,
    ) -> Result<Vec<(&'static str, Wallet)>, DemoError> {
        let mut bettors = Vec::with_capacity(BETS.len());
        for (name, class, thousandths) in BETS {
            let wallet = self.stand.account(market::words).await?;
            let wei = U256::from(thousandths) * U256::from(10u64).pow(U256::from(15u64));
            gas.bet = wallet.bet(contract, market, class, wei).await?.mined.gas_used;
            let on = CLASSES[usize::from(class)];
            self.screen.say(&format!("{name} bets {} on {on} ({} gas)", coins(wei), gas.bet));
            bettors.push((name, wallet));
        }
        Ok(bettors)
    }

    /// Waits until the daemon has resolved the market; the decision, the proof's seconds and the transaction's gas.
    async fn resolution(
        &self,
        daemon: &mut super::stand::Daemon,
        market: U256,
    ) -> Result<(Decision, f64, u64), DemoError> {
        let waiting = self.screen.wait("daemon: waits for the bulletin");
        let mut prove_s = 0.0;
        loop {
            match daemon.heard().await? {
                Notice::Trouble { what, .. } => self.screen.say(&format!("the daemon says: {what}")),
                Notice::Asked { .. } => waiting.phase("has the bulletin"),
                Notice::Proving { phase, .. } => waiting.phase(&format!("proves: {phase}")),
                Notice::Proved { ms, .. } => {
                    prove_s = ms as f64 / 1000.0;
                    waiting.phase("simulates and submits");
                }
                Notice::Ended { why, .. } => {
                    return Err(DemoError::NoAnswer { what: format!("for market {market}"), why });
                }
                Notice::Mined { hash, gas, .. } => {
                    if let Some(decision) = self.stand.operator.decision_in(hash).await? {
                        return Ok((decision, prove_s, gas));
                    }
                }
                _ => {}
            }
        }
    }
}

/// Wei as coins, for people.
fn coins(wei: U256) -> String {
    let thousandths: u64 = (wei / U256::from(10u64).pow(U256::from(15u64))).saturating_to();
    format!("{}.{:03} coins", thousandths / 1000, thousandths % 1000)
}
