//! The five bytes before every datum.

use scoresync_kafka::{FrameError, HEADER_BYTES, split_frame};

use super::{Cost, Target, prefixes::strict_prefixes};

/// A value is its frame and its datum, and nothing in between is lost or made up; what ends inside of its frame is refused.
pub const WIRE_FRAME: Target = Target {
    name: "wire_frame",
    check,
    costs: &[Cost {
        read,
        multiple: 0,
        constant_bytes: 0,
    }],
};

fn read(value: &[u8]) {
    // Whatever comes of it.
    let _ = split_frame(Some(value));
}

fn check(value: &[u8]) -> bool {
    match split_frame(Some(value)) {
        Ok((schema_id, datum)) => {
            let joined = [&[0][..], &schema_id.to_be_bytes(), datum].concat();
            assert_eq!(joined, value, "frame and datum are not the value");
            let frame = &value[..HEADER_BYTES];
            assert!(
                strict_prefixes(frame).all(|prefix| split_frame(Some(prefix)).is_err()),
                "half a frame is taken for a whole one"
            );
            true
        }
        Err(error) => {
            let expected = match value {
                [] => FrameError::Empty,
                [0, ..] => FrameError::Truncated,
                _ => FrameError::WrongMagic,
            };
            assert_eq!(error, expected, "the wrong fault is told");
            assert!(value.len() < HEADER_BYTES || value[0] != 0, "a framed value is refused");
            false
        }
    }
}
