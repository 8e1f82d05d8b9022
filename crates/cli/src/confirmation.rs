//! Asking a person before something is done.

use std::io::{BufRead, IsTerminal, Write, stderr, stdin};

use anyhow::bail;

/// Whether it is to be done: said beforehand with `--yes`, or answered on a terminal. Where nobody can answer, it is not, and that is told.
pub(crate) fn is_confirmed(is_said: bool, question: &str) -> anyhow::Result<bool> {
    if is_said {
        return Ok(true);
    }
    if !stdin().is_terminal() {
        bail!("nothing was done, as there is nobody to ask: say --yes");
    }
    let mut asked = stderr().lock();
    write!(asked, "{question} [y/N] ")?;
    asked.flush()?;
    let mut answer = String::new();
    stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
