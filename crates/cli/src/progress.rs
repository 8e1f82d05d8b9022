//! Progress bars on a terminal; nothing where nobody looks.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over bytes, or a spinner where their number is not known. Drawn on standard error, and on terminals alone.
pub(crate) fn bytes_bar(name: &str, total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{prefix} {wide_bar} {bytes}/{total_bytes} {msg} {eta}"),
        None => (ProgressBar::new_spinner(), "{prefix} {spinner} {bytes} {msg}"),
    };
    styled(bar, template, name)
}

/// A spinner with a message.
pub(crate) fn spinner(name: &str) -> ProgressBar {
    styled(ProgressBar::new_spinner(), "{prefix} {spinner} {msg}", name)
}

/// Records that are passed between two changes of what is shown.
const SHOWN_EVERY: u64 = 1_000;

/// A spinner that says how many of what were passed.
pub(crate) struct Counted {
    bar: ProgressBar,
    what: &'static str,
    count: u64,
}

impl Counted {
    pub(crate) fn begin(name: &str) -> Self {
        Self {
            bar: spinner(name),
            what: "",
            count: 0,
        }
    }

    /// One more of these; of others than before it begins anew.
    pub(crate) fn count(&mut self, what: &'static str) {
        if self.what != what {
            (self.what, self.count) = (what, 0);
        }
        self.count += 1;
        if self.count % SHOWN_EVERY == 1 {
            self.bar.set_message(format!("{} {what}", self.count));
        }
    }

    /// Nothing that could be counted.
    pub(crate) fn say(&self, what: &'static str) {
        self.bar.set_message(what);
        self.bar.tick();
    }

    pub(crate) fn end(self) {
        self.bar.finish_and_clear();
    }
}

fn styled(bar: ProgressBar, template: &str, name: &str) -> ProgressBar {
    let bar = bar.with_prefix(name.to_owned());
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
