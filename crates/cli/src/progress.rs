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

fn styled(bar: ProgressBar, template: &str, name: &str) -> ProgressBar {
    let bar = bar.with_prefix(name.to_owned());
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
