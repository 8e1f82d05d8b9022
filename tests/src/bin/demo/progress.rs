//! Progress: a bar where somebody watches a terminal, plain lines elsewhere.

use std::{
    cell::Cell,
    io::{IsTerminal, stderr},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

/// How far one piece of work is.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    what: &'static str,
    done: Cell<u64>,
    total: u64,
}

/// So many lines a piece of work prints where there is no terminal.
const LINES: u64 = 4;

impl Progress {
    /// Of so many reports.
    pub(crate) fn reports(what: &'static str, total: usize) -> Self {
        Self::new(what, total as u64, "{prefix:>10} [{bar:40}] {pos:>5}/{len} reports  {elapsed}")
    }

    /// Of so many steps.
    pub(crate) fn steps(what: &'static str, total: u64) -> Self {
        Self::new(what, total, "{prefix:>10} [{bar:40}] {pos}/{len}  {wide_msg}")
    }

    fn new(what: &'static str, total: u64, template: &str) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::new(total).with_style(style.progress_chars("=> ")).with_prefix(what);
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self {
            bar,
            what,
            done: Cell::new(0),
            total,
        }
    }

    /// One step is done.
    pub(crate) fn step(&self, message: &str) {
        self.done.set(self.done.get() + 1);
        match &self.bar {
            Some(bar) => {
                bar.set_message(message.to_owned());
                bar.inc(1);
            }
            None => println!("{}: {message}", self.what),
        }
    }

    /// So many more are done.
    pub(crate) fn advance(&self, more: usize) {
        self.move_to(self.done.get() + more as u64);
    }

    /// So many are done in all.
    pub(crate) fn set(&self, done: i64) {
        self.move_to(u64::try_from(done).unwrap_or(0));
    }

    fn move_to(&self, done: u64) {
        let quarters = |done: u64| done * LINES / self.total.max(1);
        if self.bar.is_none() && quarters(done) > quarters(self.done.get()) {
            println!("{}: {done} of {} reports", self.what, self.total);
        }
        self.done.set(done);
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        }
    }

    /// The work is done.
    pub(crate) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish();
            // The bar leaves its line open.
            eprintln!();
        }
    }
}
