//! The daemon against a real local chain, mostly with a stand-in for the prover and a verifier contract
//! that knows it: what is tested is everything else. `process` and `whole` prove in earnest.

mod api;
mod budget;
mod chaos;
mod claims;
mod demo_web;
mod demos;
mod deploys;
mod dice;
mod faults;
mod feed;
mod fleet;
mod guard;
mod keys;
mod load;
mod logs;
mod market;
mod operator;
mod oracle;
mod play;
mod private;
mod process;
mod rpc;
mod servers;
mod sim;
mod soak;
mod spectators;
mod stage;
mod store;
mod submit;
mod whole;
mod world;
mod worlds;
mod worlds_shown;
