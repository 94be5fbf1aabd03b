//! Inputs that nobody meant, a great many of them: made from good ones by a seed, so that whatever breaks something can be
//! made again. `make fuzz-daemon` runs a million of each kind, `make test` a few thousand.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

/// Longest input.
const LONGEST: usize = 100_000;
/// Checks of the watchdog, a second apart, through which one input may last.
const PATIENCE: u32 = 60;
/// By how much the process may grow, in MiB. Single inputs are far smaller.
const MOST_GROWTH: u64 = 1024;

/// Texts on which parsers of all kinds stumble.
const TOKENS: [&str; 28] = [
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    "[[[[[[[[[[[[[[[[",
    ":",
    ",",
    "=",
    "\n",
    "\r\n",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "\u{1f409}",
    "-1",
    "0x",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999999999999999999999",
    "1e999",
    "NaN",
    "0.1",
    "true",
    "null",
    "%00",
    "\\ud800",
];

/// SplitMix64.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 if there is none.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

fn number(variable: &str, without: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) if !text.is_empty() => text.parse().expect("a number"),
        _ => without,
    }
}

/// Gives `take` one input after another, `few` of them or as many as `ZUGZWANG_FUZZ` says. It says whether the input was a good
/// one. It must neither panic nor go on for ever nor eat all memory, and some inputs must be good and some not.
pub(crate) fn check(name: &str, few: u64, corpus: &[Vec<u8>], mut take: impl FnMut(&[u8]) -> bool) {
    let (inputs, seed) = (number("ZUGZWANG_FUZZ", few), number("ZUGZWANG_SEED", 1));
    let watchdog = Watchdog::start(name, seed);
    let before = peak_mib();
    let (mut good, mut longest) = (0u64, 0);
    for input in 0..inputs {
        // Each input by a seed of its own.
        let mut dice = Dice(seed.wrapping_mul(0x2545_f491_4f6c_dd1d).wrapping_add(input));
        let bytes = if input < corpus.len() as u64 { corpus[input as usize].clone() } else { made(&mut dice, corpus) };
        longest = longest.max(bytes.len());
        watchdog.begins(input, &bytes);
        match catch_unwind(AssertUnwindSafe(|| take(&bytes))) {
            Ok(is_good) => good += u64::from(is_good),
            Err(_) => panic!("{name}: input {input} of seed {seed} panics: {}", bytes.escape_ascii()),
        }
    }
    drop(watchdog);
    let growth = peak_mib().saturating_sub(before);
    println!(
        "| fuzz: {name} | {inputs} inputs of seed {seed}, up to {longest} bytes: {good} good ones, no panic, no hang; {growth} MiB more at the peak |"
    );
    assert!(good > 0 && good < inputs, "{name}: {good} of {inputs} inputs are good: that tries nothing");
    assert!(growth < MOST_GROWTH, "{name}: {growth} MiB");
}

/// Most are good inputs with a few changes; some are noise, a few are very long.
fn made(dice: &mut Dice, corpus: &[Vec<u8>]) -> Vec<u8> {
    if dice.below(16) == 0 {
        let length = dice.below(300);
        return (0..length).map(|_| dice.next() as u8).collect();
    }
    let mut bytes = corpus[dice.below(corpus.len())].clone();
    for _ in 0..=dice.below(6) {
        change(dice, &mut bytes, corpus);
    }
    if dice.below(4000) == 0 {
        let chunk = bytes.clone();
        while !chunk.is_empty() && bytes.len() < LONGEST {
            bytes.extend_from_slice(&chunk);
        }
    }
    bytes.truncate(LONGEST);
    bytes
}

fn change(dice: &mut Dice, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    let at = dice.below(bytes.len() + 1);
    let end = at + dice.below((bytes.len() - at).min(64) + 1);
    match dice.below(8) {
        0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
        1 if at < bytes.len() => bytes[at] = dice.next() as u8,
        2 => _ = bytes.drain(at..end),
        3 => {
            let piece = bytes[at..end].to_vec();
            let to = dice.below(bytes.len() + 1);
            bytes.splice(to..to, piece);
        }
        4 => {
            let other = &corpus[dice.below(corpus.len())];
            let from = dice.below(other.len() + 1);
            let to = from + dice.below((other.len() - from).min(200) + 1);
            bytes.splice(at..end, other[from..to].iter().copied());
        }
        5 => bytes.truncate(at),
        _ => _ = bytes.splice(at..end.min(at + dice.below(4)), TOKENS[dice.below(TOKENS.len())].bytes()),
    }
}

/// Ends the process if one input goes on for ever, and says which.
struct Watchdog {
    at: Arc<AtomicU64>,
    bytes: Arc<Mutex<Vec<u8>>>,
    over: Arc<AtomicBool>,
}

impl Watchdog {
    fn start(name: &str, seed: u64) -> Self {
        let dog = Self { at: Arc::default(), bytes: Arc::default(), over: Arc::default() };
        let (at, bytes, over, name) = (dog.at.clone(), dog.bytes.clone(), dog.over.clone(), name.to_owned());
        std::thread::spawn(move || {
            let (mut last, mut still) = (0, 0);
            while !over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_secs(1));
                let now = at.load(Ordering::Relaxed);
                still = if now == last { still + 1 } else { 0 };
                last = now;
                if still >= PATIENCE {
                    let bytes = bytes.lock().expect("bytes").clone();
                    eprintln!("{name}: input {now} of seed {seed} doesn't come to an end: {}", bytes.escape_ascii());
                    std::process::abort();
                }
            }
        });
        dog
    }

    fn begins(&self, input: u64, bytes: &[u8]) {
        bytes.clone_into(&mut self.bytes.lock().expect("bytes"));
        self.at.store(input, Ordering::Relaxed);
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// The most memory that the process has had, as the kernel says; 0 where it says nothing.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}
