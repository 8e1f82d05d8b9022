//! Errors that are made on purpose.

/// An error that a test build makes when it is told to, and that a check of the promises must notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bug {
    /// The sink records positions with the group as it hands a batch over, and goes on from there.
    PositionBeforeRows,
    /// What is filed last wins.
    NoVersionGuard,
    /// The sink moves positions whatever they were.
    NoCompareAndSet,
    /// The door answers when reports are queued.
    AnswerBeforeAcknowledgement,
    /// The mapper's client records positions by itself as records are delivered.
    AutoCommit,
    /// The mapper is done with every fifth report of a partition, and nothing comes of it.
    ReportPassedOver,
    /// The mapper goes on whether a dead letter is acknowledged or not.
    LetterErrorSwallowed,
    /// The sink records positions with the group after the commit, and goes on from there instead of from the database's.
    SeekToGroupOffset,
    /// An import ends without waiting for the broker.
    DroppedWithoutSettling,
    /// The moment of mapping is taken for the revision.
    ClockAsRevision,
    /// A batch that could not be applied is passed over.
    FailedBatchSkipped,
    /// The first of several candidates gets the report.
    FirstMatchOnAmbiguity,
    /// A number that nobody has leaves it to the phone.
    UnknownNumberFallsThrough,
    /// Whoever is named last is the owner.
    OwnerChangedSilently,
    /// The mapper logs whose report it maps.
    IdentifierInLog,
    /// A score of zero is taken for none.
    ZeroAsMissing,
    /// Fields that are cut off are taken for empty ones.
    TruncatedDecoded,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::PositionBeforeRows,
        Self::NoVersionGuard,
        Self::NoCompareAndSet,
        Self::AnswerBeforeAcknowledgement,
        Self::AutoCommit,
        Self::ReportPassedOver,
        Self::LetterErrorSwallowed,
        Self::SeekToGroupOffset,
        Self::DroppedWithoutSettling,
        Self::ClockAsRevision,
        Self::FailedBatchSkipped,
        Self::FirstMatchOnAmbiguity,
        Self::UnknownNumberFallsThrough,
        Self::OwnerChangedSilently,
        Self::IdentifierInLog,
        Self::ZeroAsMissing,
        Self::TruncatedDecoded,
    ];

    /// Its name in the environment.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PositionBeforeRows => "position_before_rows",
            Self::NoVersionGuard => "no_version_guard",
            Self::NoCompareAndSet => "no_compare_and_set",
            Self::AnswerBeforeAcknowledgement => "answer_before_acknowledgement",
            Self::AutoCommit => "auto_commit",
            Self::ReportPassedOver => "report_passed_over",
            Self::LetterErrorSwallowed => "letter_error_swallowed",
            Self::SeekToGroupOffset => "seek_to_group_offset",
            Self::DroppedWithoutSettling => "dropped_without_settling",
            Self::ClockAsRevision => "clock_as_revision",
            Self::FailedBatchSkipped => "failed_batch_skipped",
            Self::FirstMatchOnAmbiguity => "first_match_on_ambiguity",
            Self::UnknownNumberFallsThrough => "unknown_number_falls_through",
            Self::OwnerChangedSilently => "owner_changed_silently",
            Self::IdentifierInLog => "identifier_in_log",
            Self::ZeroAsMissing => "zero_as_missing",
            Self::TruncatedDecoded => "truncated_decoded",
        }
    }
}
