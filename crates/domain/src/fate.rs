//! What can become of a report, as closed lists: each name is written to topics, tables and metrics.

/// Writes an enum whose variants have a fixed name, with `as_str`, `ALL`, `Display` and `FromStr`.
macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$variant_meta])* $variant,)+ }

        impl $name {
            /// Every member of the list.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name that records, tables and metrics carry.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::fate::UnknownName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|member| member.as_str() == text).ok_or(crate::fate::UnknownName)
            }
        }
    };
}
pub(crate) use named;

/// The text is not in the closed list that was asked.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not one of the names that are known here")]
pub struct UnknownName;

named! {
    /// What became of a report. The sink gives one to every position of `scores.enriched`; the mapper dead-letters.
    Fate {
        /// It changed the training record.
        Filed = "filed",
        /// Its version was known already.
        Duplicate = "duplicate",
        /// Another version that does not win; kept as history.
        Superseded = "superseded",
        /// The sink could not let it count; kept with its reason.
        Refused = "refused",
        /// The mapper could not map or match it.
        DeadLettered = "dead_lettered",
    }
}

named! {
    /// Why the mapper dead-lettered a report (header `scoresync.reason`).
    Reason {
        /// No readable `RawScore`; also an empty or null value.
        Undecodable = "undecodable",
        /// The registry does not know its schema id as one of the subject's.
        UnknownSchema = "unknown_schema",
        /// No source of that name is configured.
        UnknownSource = "unknown_source",
        /// The producer could not read the row; its bytes are in `unparsed`.
        Unparsed = "unparsed",
        /// A required field has no value.
        MissingField = "missing_field",
        /// A field's value cannot be read as what it should be.
        InvalidField = "invalid_field",
        /// A mapped name occurs twice in the record.
        AmbiguousField = "ambiguous_field",
        /// Nobody has the identity.
        UnmatchedEmployee = "unmatched_employee",
        /// More than one employee has the identity.
        AmbiguousEmployee = "ambiguous_employee",
        /// The identities of the report point to different employees.
        ConflictingIdentity = "conflicting_identity",
        /// Its enriched score would be larger than the topic takes.
        TooLarge = "too_large",
    }
}

impl Reason {
    /// Whether the matching gave it: a directory that is read further can come to another answer.
    #[must_use]
    pub const fn depends_on_directory(self) -> bool {
        match self {
            Self::UnmatchedEmployee | Self::AmbiguousEmployee | Self::ConflictingIdentity => true,
            Self::Undecodable
            | Self::UnknownSchema
            | Self::UnknownSource
            | Self::Unparsed
            | Self::MissingField
            | Self::InvalidField
            | Self::AmbiguousField
            | Self::TooLarge => false,
        }
    }
}

named! {
    /// Who wrote a dead letter, as its headers tell.
    LetterFamily {
        /// Our mapper.
        Scoresync = "scoresync",
        /// A connector of Kafka Connect.
        Connect = "connect",
        /// An application of Kafka Streams.
        Streams = "streams",
        /// Spring's recoverer.
        Spring = "spring",
        /// Nobody: the archive refused to file the score.
        Archive = "archive",
        /// Nobody who says so.
        Unknown = "unknown",
    }
}

named! {
    /// What has become of a dead letter.
    LetterState {
        /// Somebody or something has to be mended.
        Open = "open",
        /// Its report is on its way through the pipeline again.
        Redriven = "redriven",
        /// Its report was enriched after all.
        Filed = "filed",
        /// A person decided that it is nothing.
        Discarded = "discarded",
    }
}

named! {
    /// Why the sink let an enriched score not count.
    Refusal {
        /// It names another employee than the record's owner, and nobody decided.
        OwnerChanged = "owner_changed",
        /// The archive's database refused the row.
        Constraint = "constraint",
        /// No readable `EnrichedScore`.
        Undecodable = "undecodable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for reason in Reason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(*reason));
        }
        assert_eq!("lost".parse::<Fate>(), Err(UnknownName));
    }
}
