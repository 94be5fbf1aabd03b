//! What the demo shows: lines, boards, and a line that moves while something takes its time.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::out;

/// Standard output, unless only the result is wanted.
#[derive(Clone, Debug)]
pub(super) struct Screen {
    quiet: bool,
}

/// A line that moves until it is dropped. Shown on a terminal only.
#[derive(Debug)]
pub(super) struct Waiting {
    bar: ProgressBar,
    who: String,
}

impl Screen {
    pub(super) fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    pub(super) fn say(&self, line: &str) {
        if !self.quiet {
            out::line(line);
        }
    }

    pub(super) fn board(&self, board: &str) {
        self.say(board);
    }

    pub(super) fn ask(&self, question: &str) {
        out::part(question);
    }

    pub(super) fn wait(&self, who: &str) -> Waiting {
        let bar = if self.quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        bar.set_message(who.to_owned());
        Waiting { bar, who: who.to_owned() }
    }
}

impl Waiting {
    pub(super) fn phase(&self, phase: &str) {
        let (who, _) = self.who.split_once(':').unwrap_or((&self.who, ""));
        self.bar.set_message(format!("{who}: {phase}"));
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
