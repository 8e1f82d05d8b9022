//! Where a report first appeared in `scores.raw`.

use std::{fmt, str::FromStr};

/// The first place of a report in the log of raw reports. A redriven copy carries its first origin.
///
/// All reports of one result are in one partition, so the order of origins of one result is the order in which they were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Origin {
    /// Generation of the topic; grows when the topic is replaced by a larger one.
    pub generation: i32,
    /// Partition of the topic.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}/{}", self.generation, self.partition, self.offset)
    }
}

/// The text is not `generation/partition/offset`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("an origin is written generation/partition/offset, three whole numbers from 0")]
pub struct ParseOriginError;

impl FromStr for Origin {
    type Err = ParseOriginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, '/');
        let mut next = || {
            parts
                .next()
                .filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
                .ok_or(ParseOriginError)
        };
        let (generation, partition, offset) = (next()?, next()?, next()?);
        Ok(Self {
            generation: generation.parse().map_err(|_| ParseOriginError)?,
            partition: partition.parse().map_err(|_| ParseOriginError)?,
            offset: offset.parse().map_err(|_| ParseOriginError)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_reads_back_what_it_shows() {
        let origin = Origin {
            generation: 1,
            partition: 3,
            offset: 9_000_000_000,
        };
        assert_eq!(origin.to_string(), "1/3/9000000000");
        assert_eq!(origin.to_string().parse(), Ok(origin));
    }

    #[test]
    fn text_that_is_no_origin_is_refused() {
        for text in ["", "1/2", "1/2/3/4", "1/2/-3", "a/2/3", "1/99999999999/3", "1//3"] {
            assert_eq!(text.parse::<Origin>(), Err(ParseOriginError), "{text}");
        }
    }
}
