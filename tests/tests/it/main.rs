//! Tests over several crates; the library's front page says which.

mod chain;
mod digits;
mod fraud;
mod games;
mod integers;
mod mutations;
mod rules;
mod table;
mod text;
mod tidy;
