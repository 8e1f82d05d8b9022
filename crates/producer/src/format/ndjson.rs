//! NDJSON: one JSON object per line, where each line stands and falls alone.

use std::io::BufRead;

use super::{
    Limits,
    json_object::{ObjectReader, Problem},
    row::{NextRow, ReadRow, Stop},
    window::{Found, Window},
};

/// The rows of an NDJSON body.
pub(super) struct NdjsonRows<R> {
    window: Window<R>,
    objects: ObjectReader,
    max_line_bytes: usize,
}

impl<R: BufRead> NdjsonRows<R> {
    pub(super) fn new(window: Window<R>, limits: Limits) -> Self {
        Self {
            window,
            objects: ObjectReader::new(limits),
            max_line_bytes: limits.max_row_bytes,
        }
    }

    pub(super) fn next_row(&mut self) -> NextRow {
        while let Some(bytes) = self.next_line()? {
            let line = without_line_end(&self.window.bytes()[..bytes]);
            let line_bytes = line.len();
            if line_bytes > self.max_line_bytes {
                return Err(self.too_long());
            }
            if line.trim_ascii().is_empty() {
                self.window.skip(bytes);
                continue;
            }
            let content = self
                .objects
                .read(line)
                .map_err(|problem| self.window.unreadable(line_bytes, sentence(problem)));
            let line = self.window.position().line;
            self.window.skip(bytes);
            return Ok(Some(ReadRow { line, content }));
        }
        Ok(None)
    }

    /// The length of the next line with its end; `None` where there is none.
    fn next_line(&mut self) -> Result<Option<usize>, Stop> {
        let line_end_bytes = 2;
        let found = self.window.find(self.max_line_bytes + line_end_bytes, |bytes, ended| {
            let whole = memchr::memchr(b'\n', bytes).map(|end| end + 1);
            whole.or_else(|| (ended && !bytes.is_empty()).then_some(bytes.len()))
        })?;
        match found {
            Found::Bytes(bytes) => Ok(Some(bytes)),
            Found::Ended => Ok(None),
            Found::TooLarge => Err(self.too_long()),
        }
    }

    fn too_long(&self) -> Stop {
        let message = format!(
            "the line is longer than the {} bytes that a row may have; nothing from it on was read",
            self.max_line_bytes
        );
        Stop::too_large(self.window.position(), message)
    }

    #[cfg(test)]
    pub(super) const fn window(&self) -> &Window<R> {
        &self.window
    }
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn sentence(problem: Problem) -> String {
    match problem {
        Problem::Unreadable(sentence) => sentence,
        Problem::NotJson { message, .. } => format!("the line is no JSON object: {message}"),
    }
}
