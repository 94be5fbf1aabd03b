//! The daemon against a real local chain, with a stand-in for the prover and a verifier contract
//! that knows it: what is tested is everything else.

mod faults;
mod play;
mod process;
mod world;
