//! One line for people and a code for scripts.

use std::process::ExitCode;

use serde::Serialize;

use super::Output;
use crate::{
    code::{Code, Coded},
    out,
};

/// Why a command failed.
#[derive(Debug)]
pub struct CliError {
    code: Code,
    text: String,
}

impl CliError {
    /// Something that has no code of its own.
    pub(super) fn failed(text: impl Into<String>) -> Self {
        Self::new(Code::FAILED, text)
    }

    /// An argument, or a key of the configuration.
    pub(super) fn config(text: impl Into<String>) -> Self {
        Self::new(Code::ARGUMENT, text)
    }

    /// Model or prover.
    pub(super) fn model(text: impl ToString) -> Self {
        Self::new(Code::MODEL, text.to_string())
    }

    /// Anything with a code.
    pub(super) fn new(code: Code, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    /// Prints the line, in words or as JSON, to standard error, and gives the exit code.
    pub(super) fn report(&self, output: Output) -> ExitCode {
        let text = self.text.replace('\n', " ");
        let line = if output.json { as_json(self.code, &text) } else { format!("zugzwang: {}: {text}", self.code) };
        out::note(&line);
        ExitCode::from(self.code.exit())
    }
}

/// `{"error": {"code": "ZZ-203", …}}` on one line.
fn as_json(code: Code, message: &str) -> String {
    #[derive(Serialize)]
    struct Failure<'a> {
        error: Inner<'a>,
    }
    #[derive(Serialize)]
    struct Inner<'a> {
        code: String,
        message: &'a str,
        exit: u8,
        page: String,
    }
    let failure = Failure { error: Inner { code: code.to_string(), message, exit: code.exit(), page: code.page() } };
    // Strings and numbers alone are never refused.
    serde_json::to_string(&failure).unwrap_or_default()
}

impl std::fmt::Display for CliError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl<E: Coded> From<E> for CliError {
    fn from(error: E) -> Self {
        Self { code: error.code(), text: error.to_string() }
    }
}
