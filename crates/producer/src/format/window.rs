//! The input as a window that moves on: bytes stay until their row was given out, so that a row can be kept as it was sent.

use std::io::{self, BufRead};

use super::{Encoding, Unreadable, position::Position, utf16};

/// How much is taken from the input at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// The unread beginning of the rest of the input, in UTF-8 or GB 18030.
pub(super) struct Window<R> {
    input: R,
    encoding: Encoding,
    /// A byte order mark told the encoding; nothing outranks it.
    is_marked: bool,
    transcoder: Option<utf16::Transcoder>,
    held: Vec<u8>,
    start: usize,
    ended: bool,
    position: Position,
}

/// What looking for the end of something came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It is the next so many bytes.
    Bytes(usize),
    /// The input ended before it did.
    Ended,
    /// It is larger than it may be.
    TooLarge,
}

impl<R: BufRead> Window<R> {
    pub(super) const fn new(input: R) -> Self {
        Self {
            input,
            encoding: Encoding::Utf8,
            is_marked: false,
            transcoder: None,
            held: Vec::new(),
            start: 0,
            ended: false,
            position: Position::START,
        }
    }

    /// Finds out the encoding: a byte order mark outranks what was stated, and without either zero bytes may tell UTF-16.
    pub(super) fn detect_encoding(&mut self, stated: Option<Encoding>) -> io::Result<()> {
        self.fill_to(4)?;
        let marked = Encoding::from_mark(self.bytes());
        let encoding = marked
            .map(|(encoding, _)| encoding)
            .or(stated)
            .or_else(|| Encoding::from_zero_bytes(self.bytes()));
        self.start += marked.map_or(0, |(_, mark_bytes)| mark_bytes);
        self.encoding = encoding.unwrap_or(Encoding::Utf8);
        self.is_marked = marked.is_some();
        let order = match self.encoding {
            Encoding::Utf8 | Encoding::Gb18030 => return Ok(()),
            Encoding::Utf16Le => utf16::ByteOrder::Little,
            Encoding::Utf16Be => utf16::ByteOrder::Big,
        };
        let sent = std::mem::take(&mut self.held);
        let mut transcoder = utf16::Transcoder::new(order);
        transcoder.transcode(&sent[self.start..], &mut self.held);
        self.start = 0;
        if self.ended {
            transcoder.finish(&mut self.held);
        }
        self.transcoder = Some(transcoder);
        Ok(())
    }

    /// Takes the word of a declaration inside of the body, which could be read so far.
    ///
    /// Who declares UTF-16 in bytes that are none (a text that was written as UTF-8 later) means what the bytes are.
    pub(super) fn declare_encoding(&mut self, declared: Encoding) {
        if declared == Encoding::Gb18030 && self.transcoder.is_none() && !self.is_marked {
            self.encoding = declared;
        }
    }

    /// Takes in one more piece of the input; after an interruption, none.
    fn fill(&mut self) -> io::Result<()> {
        self.held.drain(..self.start);
        self.start = 0;
        let available = match self.input.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error),
        };
        let piece = &available[..available.len().min(CHUNK_BYTES)];
        let piece_bytes = piece.len();
        match &mut self.transcoder {
            None => self.held.extend_from_slice(piece),
            Some(transcoder) if piece.is_empty() => transcoder.finish(&mut self.held),
            Some(transcoder) => transcoder.transcode(piece, &mut self.held),
        }
        self.input.consume(piece_bytes);
        self.ended = piece_bytes == 0;
        Ok(())
    }

    /// Takes in pieces until so many bytes are held, or all that there are.
    pub(super) fn fill_to(&mut self, bytes: usize) -> io::Result<()> {
        while !self.ended && self.bytes().len() < bytes {
            self.fill()?;
        }
        Ok(())
    }

    /// The length of what begins here, by `length_of(held, ended)`; as long as that sees no end, more is taken in.
    ///
    /// What is held doubles each time, so that looking again costs no more than looking once did.
    pub(super) fn find(&mut self, max_bytes: usize, length_of: impl Fn(&[u8], bool) -> Option<usize>) -> io::Result<Found> {
        loop {
            let held_bytes = self.bytes().len();
            match length_of(self.bytes(), self.ended) {
                Some(bytes) if bytes > max_bytes => return Ok(Found::TooLarge),
                Some(bytes) => return Ok(Found::Bytes(bytes)),
                None if self.ended && held_bytes <= max_bytes => return Ok(Found::Ended),
                None if held_bytes > max_bytes => return Ok(Found::TooLarge),
                None => self.fill_to((held_bytes * 2).clamp(held_bytes + 1, max_bytes + 1))?,
            }
        }
    }

    /// Skips white space (the same in JSON and XML) and returns the byte after it; `None` at the end.
    pub(super) fn skip_white_space(&mut self) -> io::Result<Option<u8>> {
        loop {
            let is_white_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
            if let Some(blank_bytes) = self.bytes().iter().position(|byte| !is_white_space(byte)) {
                self.skip(blank_bytes);
                return Ok(self.bytes().first().copied());
            }
            self.skip(self.bytes().len());
            if self.ended {
                return Ok(None);
            }
            self.fill()?;
        }
    }
}

impl<R> Window<R> {
    /// What is held and not skipped yet.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.held[self.start..]
    }

    /// Where the window begins.
    pub(super) const fn position(&self) -> Position {
        self.position
    }

    pub(super) const fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Moves the window on by bytes that it holds.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.position = self.position.after(&self.held[self.start..self.start + bytes]);
        self.start += bytes;
    }

    /// The next bytes, as they were sent, as a row that cannot be read.
    pub(super) fn unreadable(&self, bytes: usize, problem: impl Into<String>) -> Unreadable {
        Unreadable {
            bytes: self.encoding.restore(&self.bytes()[..bytes]),
            problem: problem.into(),
        }
    }

    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        self.held.capacity()
    }
}
