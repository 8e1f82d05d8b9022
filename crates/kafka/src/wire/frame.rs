//! Confluent's wire format: a zero byte, the schema's id in four bytes, big-endian, then the Avro datum.

/// Bytes before the datum.
pub const HEADER_BYTES: usize = 5;

/// Why a value is not framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// There is no value, or an empty one.
    #[error("the value is empty")]
    Empty,
    /// The first byte is not zero.
    #[error("the value does not begin with the magic byte 0")]
    WrongMagic,
    /// Shorter than its frame.
    #[error("the value ends inside its five-byte frame")]
    Truncated,
}

/// Splits a value into the id of its schema and its datum.
///
/// # Errors
/// A value that is not framed.
pub fn split(value: Option<&[u8]>) -> Result<(u32, &[u8]), FrameError> {
    match value {
        None | Some([]) => Err(FrameError::Empty),
        Some([0, a, b, c, d, datum @ ..]) => Ok((u32::from_be_bytes([*a, *b, *c, *d]), datum)),
        Some([0, ..]) => Err(FrameError::Truncated),
        Some(_) => Err(FrameError::WrongMagic),
    }
}

/// Begins a framed value in an emptied buffer.
pub(crate) fn begin(buffer: &mut Vec<u8>, schema_id: u32) {
    buffer.clear();
    buffer.push(0);
    buffer.extend_from_slice(&schema_id.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_framed_value_is_split() {
        assert_eq!(split(None), Err(FrameError::Empty));
        assert_eq!(split(Some(b"")), Err(FrameError::Empty));
        assert_eq!(split(Some(&[0, 0, 0, 1])), Err(FrameError::Truncated));
        assert_eq!(split(Some(&[1, 0, 0, 0, 1, 9])), Err(FrameError::WrongMagic));
        assert_eq!(split(Some(&[0, 0, 0, 1, 2, 9])), Ok((258, &[9][..])));
    }
}
