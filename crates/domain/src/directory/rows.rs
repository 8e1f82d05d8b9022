//! Where packed employees are kept: strings of bytes, one behind the other in chunks.
//!
//! A removed row leaves its bytes behind as waste. A chunk of waste alone is given back at once; for the rest, [`Rows::wasteful`] names the
//! chunk whose rows should move elsewhere. Knows nothing of what the bytes mean.

use super::{
    index::Index,
    packing::{self, Reader},
};

/// Rows by their numbers: the chunk in the upper bits, the place in it in the lower ones.
#[derive(Default)]
pub(super) struct Rows {
    chunks: Vec<Chunk>,
    /// Places in `chunks` that can be used again.
    vacant: Vec<u32>,
    /// The chunk that new rows are added to.
    open: Option<u32>,
    bytes: usize,
    waste_bytes: usize,
}

/// Rows, each behind the double of its length, plus one where it is waste; padded to multiples of [`UNIT`].
#[derive(Default)]
pub(super) struct Chunk {
    bytes: Vec<u8>,
    waste_bytes: usize,
}

const UNIT: usize = 4;
const PLACE_BITS: u32 = 16;
/// A row that is longer has a chunk of its own. Tests fill and clear many.
const CHUNK_BYTES: usize = if cfg!(test) { 512 } else { UNIT << PLACE_BITS };
/// The highest numbers are not rows'.
const MOST_CHUNKS: usize = (Index::LIMIT >> PLACE_BITS) as usize;
const WASTE: u8 = 1;

impl Rows {
    #[inline]
    pub(super) fn get(&self, number: u32) -> &[u8] {
        let (chunk, start) = split(number);
        row_at(&self.chunks[chunk].bytes[start..])
    }

    pub(super) fn add(&mut self, row: &[u8]) -> u32 {
        let bytes = padded_bytes(row.len());
        let chunk = self.chunk_with_room(bytes);
        let open = &mut self.chunks[chunk as usize].bytes;
        let start = open.len();
        packing::put_number(open, row.len() as u64 * 2);
        open.extend_from_slice(row);
        open.resize(start + bytes, 0);
        self.bytes += bytes;
        (chunk << PLACE_BITS) | (start / UNIT) as u32
    }

    pub(super) fn remove(&mut self, number: u32) {
        let (chunk, start) = split(number);
        let bytes = padded_bytes(self.get(number).len());
        let held = &mut self.chunks[chunk];
        held.bytes[start] |= WASTE;
        held.waste_bytes += bytes;
        self.waste_bytes += bytes;
        if held.waste_bytes == held.bytes.len() {
            self.clear(chunk as u32);
            self.give_back(chunk as u32);
        }
    }

    /// Puts a row in the place of another one, whose number it has afterwards if it is as long.
    pub(super) fn replace(&mut self, number: u32, row: &[u8]) -> u32 {
        if self.get(number).len() != row.len() {
            self.remove(number);
            return self.add(row);
        }
        let (chunk, start) = split(number);
        let end = start + padded_bytes(row.len());
        let held = &mut self.chunks[chunk].bytes[start..end];
        let header_bytes = packing::number_bytes(row.len() as u64 * 2);
        held[header_bytes..header_bytes + row.len()].copy_from_slice(row);
        number
    }

    /// The chunk with most waste, if there is so much waste that its rows should move.
    pub(super) fn wasteful(&self) -> Option<u32> {
        let used_bytes = self.bytes - self.waste_bytes;
        if self.waste_bytes <= used_bytes / 4 + CHUNK_BYTES {
            return None;
        }
        let (chunk, _) = self.chunks.iter().enumerate().max_by_key(|(_, chunk)| chunk.waste_bytes)?;
        Some(chunk as u32)
    }

    /// Takes a chunk out, so that its rows can be added again. Their numbers stay unused until [`Self::give_back`].
    pub(super) fn clear(&mut self, chunk: u32) -> Chunk {
        let cleared = std::mem::take(&mut self.chunks[chunk as usize]);
        self.bytes -= cleared.bytes.len();
        self.waste_bytes -= cleared.waste_bytes;
        if self.open == Some(chunk) {
            self.open = None;
        }
        cleared
    }

    /// Lets a cleared chunk's numbers be used again.
    pub(super) fn give_back(&mut self, chunk: u32) {
        self.vacant.push(chunk);
        if self.vacant.len() == self.chunks.len() {
            *self = Self::default();
        }
    }

    /// All rows, in no order.
    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &[u8])> {
        (0..).zip(&self.chunks).flat_map(|(place, chunk)| chunk.rows(place))
    }

    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.bytes.capacity()).sum()
    }

    fn chunk_with_room(&mut self, bytes: usize) -> u32 {
        if let Some(open) = self.open
            && self.chunks[open as usize].bytes.len() + bytes <= CHUNK_BYTES
        {
            return open;
        }
        let chunk = Chunk {
            bytes: Vec::with_capacity(bytes.max(CHUNK_BYTES)),
            waste_bytes: 0,
        };
        let place = match self.vacant.pop() {
            Some(place) => {
                self.chunks[place as usize] = chunk;
                place
            }
            None => {
                assert!(self.chunks.len() < MOST_CHUNKS, "the directory's rows take more than 16 GB");
                self.chunks.push(chunk);
                (self.chunks.len() - 1) as u32
            }
        };
        self.open = Some(place);
        place
    }
}

impl Chunk {
    /// Its rows, with the numbers that they have if it is the `place`th chunk.
    pub(super) fn rows(&self, place: u32) -> impl Iterator<Item = (u32, &[u8])> {
        let mut start = 0;
        let all = std::iter::from_fn(move || {
            let header = self.bytes.get(start)?;
            let row = row_at(&self.bytes[start..]);
            let number = (place << PLACE_BITS) | (start / UNIT) as u32;
            start += padded_bytes(row.len());
            Some((header & WASTE == 0, number, row))
        });
        all.filter_map(|(is_used, number, row)| is_used.then_some((number, row)))
    }
}

const fn split(number: u32) -> (usize, usize) {
    let place = number & ((1 << PLACE_BITS) - 1);
    ((number >> PLACE_BITS) as usize, place as usize * UNIT)
}

/// With its header and what fills up the last unit.
fn padded_bytes(row_bytes: usize) -> usize {
    (packing::number_bytes(row_bytes as u64 * 2) + row_bytes).next_multiple_of(UNIT)
}

#[inline]
fn row_at(bytes: &[u8]) -> &[u8] {
    let mut reader = Reader(bytes);
    let row_bytes = reader.number() / 2;
    reader.bytes(row_bytes as usize)
}
