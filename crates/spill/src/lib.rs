//! What is known about results, on disk: in a file by the hash of the result, so that one file at a time is enough. Memory does not grow with
//! the number of results.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    marker::PhantomData,
    path::{Path, PathBuf},
};

use scoresync_domain::ResultId;
use serde::{Serialize, de::DeserializeOwned};

/// What is written about so many is in one file; so many of them are in memory at once.
const TOGETHER: i64 = 50_000;
/// Open files, at most.
const MOST_FILES: usize = 256;
const BUFFER: usize = 32 << 10;

/// The files. They have no names, and are gone with this.
pub struct Spill<T> {
    files: Vec<BufWriter<File>>,
    items: PhantomData<T>,
}

/// All that is known of the results of one file, of each in the order in which it was put.
pub type Results<T> = BTreeMap<ResultId, Vec<T>>;

impl<T: Serialize + DeserializeOwned> Spill<T> {
    /// For about so many items.
    ///
    /// # Errors
    /// Where the folder takes no files.
    pub fn new(folder: &Path, items: i64) -> io::Result<Self> {
        let files = usize::try_from(items / TOGETHER).unwrap_or(0).clamp(1, MOST_FILES);
        let open = |_| Ok(BufWriter::with_capacity(BUFFER, tempfile::tempfile_in(folder)?));
        Ok(Self {
            files: (0..files).map(open).collect::<io::Result<_>>()?,
            items: PhantomData,
        })
    }

    /// Writes down something about a result.
    ///
    /// # Errors
    /// Where there is no room.
    pub fn put(&mut self, result_id: ResultId, item: &T) -> io::Result<()> {
        let bytes = postcard::to_stdvec(&(result_id.as_uuid().as_bytes(), item)).map_err(io::Error::other)?;
        // The id is a hash itself.
        let number = result_id.as_uuid().as_u128() % self.files.len() as u128;
        let file = &mut self.files[number as usize];
        file.write_all(&u32::try_from(bytes.len()).map_err(io::Error::other)?.to_le_bytes())?;
        file.write_all(&bytes)
    }

    /// One file after the other.
    pub fn read(self) -> impl ExactSizeIterator<Item = io::Result<Results<T>>> {
        self.files
            .into_iter()
            .map(|file| read(file.into_inner().map_err(io::IntoInnerError::into_error)?))
    }
}

/// What the system has for files that may be large: its other folder for files that are needed for a while is in memory on many machines.
#[must_use]
pub fn scratch_folder() -> PathBuf {
    let large = PathBuf::from("/var/tmp");
    if large.is_dir() { large } else { std::env::temp_dir() }
}

fn read<T: DeserializeOwned>(mut file: File) -> io::Result<Results<T>> {
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let mut results = Results::<T>::new();
    let mut rest = bytes.as_slice();
    while let Some((length, others)) = rest.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        let (item, others) = others.split_at_checked(length).ok_or(io::ErrorKind::UnexpectedEof)?;
        let (result_id, item): ([u8; 16], T) = postcard::from_bytes(item).map_err(io::Error::other)?;
        results
            .entry(ResultId::from_uuid(uuid::Uuid::from_bytes(result_id)))
            .or_default()
            .push(item);
        rest = others;
    }
    Ok(results)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_read_by_result() {
        let mut spill = Spill::new(&std::env::temp_dir(), 200_000).unwrap();
        let result = |number: i32| ResultId::from_key("academy", [number.to_string().as_str()]);
        for number in 0..100 {
            spill.put(result(number % 10), &format!("item {number}")).unwrap();
        }
        let files: Vec<Results<String>> = spill.read().map(Result::unwrap).collect();
        assert_eq!(files.len(), 4);
        let all: Results<String> = files.into_iter().flatten().collect();
        assert_eq!((all.len(), all[&result(3)].len()), (10, 10));
        assert_eq!(all[&result(3)][1], "item 13");
    }
}
