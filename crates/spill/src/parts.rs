//! Items by their key, in files of which one at a time is enough.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    marker::PhantomData,
    path::Path,
};

use serde::{Serialize, de::DeserializeOwned};

/// So many items are in one file; so many of them are in memory at once.
const TOGETHER: i64 = 50_000;
/// Open files, at most.
const MOST_FILES: i64 = 256;
const BUFFER: usize = 32 << 10;

/// The files. They have no names, and are gone with this.
pub struct Parts<K, T> {
    files: Vec<BufWriter<File>>,
    items: PhantomData<(K, T)>,
}

/// All that is in one file: by key, of each in the order in which it was put.
pub type Part<K, T> = BTreeMap<K, Vec<T>>;

impl<K: Serialize + DeserializeOwned + Ord, T: Serialize + DeserializeOwned> Parts<K, T> {
    /// As many as are good for about so many items.
    ///
    /// # Errors
    /// Where the folder takes no files.
    pub fn new(folder: &Path, items: i64) -> io::Result<Self> {
        let open = |_| Ok(BufWriter::with_capacity(BUFFER, tempfile::tempfile_in(folder)?));
        Ok(Self {
            files: (0..(items / TOGETHER).clamp(1, MOST_FILES)).map(open).collect::<io::Result<_>>()?,
            items: PhantomData,
        })
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.files.len()
    }

    /// Writes an item into a part; whatever has its key belongs into the same.
    ///
    /// # Errors
    /// Where there is no room, or no such part.
    pub fn put(&mut self, part: usize, key: &K, item: &T) -> io::Result<()> {
        let bytes = postcard::to_stdvec(&(key, item)).map_err(io::Error::other)?;
        let file = self.files.get_mut(part).ok_or(io::ErrorKind::InvalidInput)?;
        file.write_all(&u32::try_from(bytes.len()).map_err(io::Error::other)?.to_le_bytes())?;
        file.write_all(&bytes)
    }

    /// One after the other.
    pub fn read(self) -> impl ExactSizeIterator<Item = io::Result<Part<K, T>>> {
        self.files
            .into_iter()
            .map(|file| read(file.into_inner().map_err(io::IntoInnerError::into_error)?))
    }
}

fn read<K: DeserializeOwned + Ord, T: DeserializeOwned>(mut file: File) -> io::Result<Part<K, T>> {
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let mut part = Part::new();
    let mut rest = bytes.as_slice();
    while let Some((length, others)) = rest.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        let (item, others) = others.split_at_checked(length).ok_or(io::ErrorKind::UnexpectedEof)?;
        let (key, item): (K, T) = postcard::from_bytes(item).map_err(io::Error::other)?;
        part.entry(key).or_insert_with(Vec::new).push(item);
        rest = others;
    }
    Ok(part)
}
