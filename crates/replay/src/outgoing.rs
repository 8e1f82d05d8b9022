//! What would be sent, on disk, in the order in which it would be.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    marker::PhantomData,
    path::Path,
};

use scoresync_domain::ResultId;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

/// An enriched score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Output {
    pub(crate) result: [u8; 16],
    /// How often its report was tried before, where it was a dead letter.
    pub(crate) attempts: u32,
    pub(crate) traceparent: Option<String>,
    /// As it stands in the topic.
    pub(crate) value: Vec<u8>,
}

impl Output {
    pub(crate) fn about(result_id: ResultId, value: Vec<u8>) -> Self {
        Self {
            result: *result_id.as_uuid().as_bytes(),
            attempts: 0,
            traceparent: None,
            value,
        }
    }

    pub(crate) const fn result_id(&self) -> ResultId {
        ResultId::from_uuid(Uuid::from_bytes(self.result))
    }
}

/// The dead letter of a report that was filed and can be filed no longer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Letter {
    /// Generation, partition and offset of the report.
    pub(crate) origin: (i32, i32, i64),
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) traceparent: Option<String>,
    /// Which try it is.
    pub(crate) attempt: u32,
}

/// A file without a name.
pub(crate) struct Outgoing<T> {
    file: BufWriter<File>,
    pub(crate) count: u64,
    kind: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> Outgoing<T> {
    pub(crate) fn new(folder: &Path) -> io::Result<Self> {
        Ok(Self {
            file: BufWriter::new(tempfile::tempfile_in(folder)?),
            count: 0,
            kind: PhantomData,
        })
    }

    pub(crate) fn put(&mut self, output: &T) -> io::Result<()> {
        let bytes = postcard::to_stdvec(output).map_err(io::Error::other)?;
        self.file
            .write_all(&u32::try_from(bytes.len()).map_err(io::Error::other)?.to_le_bytes())?;
        self.file.write_all(&bytes)?;
        self.count += 1;
        Ok(())
    }

    /// All of it, from the beginning; can be read again.
    pub(crate) fn read(&mut self) -> io::Result<impl Iterator<Item = io::Result<T>> + use<T>> {
        self.file.flush()?;
        let mut file = self.file.get_ref().try_clone()?;
        file.seek(SeekFrom::Start(0))?;
        let (mut file, mut left) = (BufReader::new(file), self.count);
        Ok(std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            Some(next(&mut file))
        }))
    }
}

fn next<T: DeserializeOwned>(file: &mut impl Read) -> io::Result<T> {
    let mut length = [0; 4];
    file.read_exact(&mut length)?;
    let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
    file.read_exact(&mut bytes)?;
    postcard::from_bytes(&bytes).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_read_in_its_order_and_again() {
        let output = |number: u8| Output {
            attempts: number.into(),
            ..Output::about(ResultId::from_key("academy", [number.to_string().as_str()]), vec![number; 9])
        };
        let mut outgoing = Outgoing::new(&std::env::temp_dir()).unwrap();
        for number in 0..200 {
            outgoing.put(&output(number)).unwrap();
        }
        for _ in 0..2 {
            let read: Vec<Output> = outgoing.read().unwrap().map(Result::unwrap).collect();
            assert_eq!(read, (0..200).map(output).collect::<Vec<_>>());
        }
    }
}
