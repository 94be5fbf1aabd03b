//! Tests over several crates; the library's front page says which.

mod chain;
mod contest;
mod digits;
mod fraud;
mod games;
mod integers;
mod lending;
mod mutations;
mod rules;
mod steps;
mod table;
mod text;
mod tidy;
