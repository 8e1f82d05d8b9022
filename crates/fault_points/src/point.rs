//! Places between two lines.

/// A place at which a process can be made to die or to freeze.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Point {
    /// A row of a body or file was read; nothing is queued.
    ReportReceived,
    /// A report is queued for the broker.
    ReportQueued,
    /// The broker has acknowledged all reports of a request, which is not answered yet.
    ReportsAcknowledged,
    /// A row of a file is queued, and others follow.
    RowImported,
    /// An employee is queued, and others follow.
    RosterWritten,
    /// The broker has acknowledged employees; whether others wrote about them meanwhile is not looked at yet.
    RosterAcknowledged,
    /// An enriched score is queued, the next report is not mapped yet.
    OutputQueued,
    /// A dead letter is queued.
    LetterQueued,
    /// Outputs are acknowledged, the group does not have their position yet.
    BeforePositions,
    /// The group was told a position.
    AfterPositions,
    /// The mapper has got partitions and does not read them yet.
    MapperAssigned,
    /// The mapper has to give partitions up and has recorded nothing yet.
    MapperRevoked,
    /// The sink has got partitions and does not read them yet.
    SinkAssigned,
    /// The sink has to give partitions up.
    SinkRevoked,
    /// A batch is collected, and its transaction has not begun.
    BatchTaken,
    /// The compare-and-set of the position is done, nothing else of the transaction is.
    PositionMoved,
    /// Results that had to be judged are written; counts are not, nor, in PostgreSQL, first records.
    RowsWritten,
    /// Before the commit, which PostgreSQL is sent together with first records and counts.
    BeforeCommit,
    /// The database has committed, the sink does not know it.
    AfterCommit,
    /// The desk has judged letters that it read, and the transaction that takes them in has not begun.
    LettersTaken,
    /// The database has the letters, the desk does not know it.
    LettersKept,
    /// What the directory has learnt made letters ready to be sent, which the database knows.
    RedrivesAsked,
    /// The broker has copies of letters, the database does not know it.
    CopiesSent,
    /// The database knows it.
    CopiesTold,
    /// A person's decision was made by what stands; nothing is written.
    DecisionMade,
    /// The broker has a person's decision; what others decided meanwhile is not looked at yet.
    DecisionWritten,
    /// Nothing lies between a person's decision and what it was made by; no report of its result is sent again yet.
    DecisionVerified,
    /// A letter expects that its report is sent again, which is not done.
    CopyExpected,
    /// A repair has made some results anew; others may follow, and counts are not corrected.
    ResultsRebuilt,
    /// A repair has corrected the counts of fates; letters that are wrongly closed still are.
    FatesCorrected,
    /// A repair has sent a lost report again, and others follow.
    LostReportSent,
    /// The broker has the letters of a replay, and no score of it.
    ReplayLettersWritten,
    /// A score of a replay is queued, and others follow.
    ReplayedScoreQueued,
    /// A row of a source's list is queued as a report, and others follow.
    ListedRowQueued,
    /// The withdrawal of what a source's list does not have is queued, and others follow.
    WithdrawalQueued,
}

impl Point {
    /// Those on the way of a report into the file.
    pub const PIPELINE: [Self; 19] = [
        Self::ReportReceived,
        Self::ReportQueued,
        Self::ReportsAcknowledged,
        Self::RowImported,
        Self::RosterWritten,
        Self::RosterAcknowledged,
        Self::OutputQueued,
        Self::LetterQueued,
        Self::BeforePositions,
        Self::AfterPositions,
        Self::MapperAssigned,
        Self::MapperRevoked,
        Self::SinkAssigned,
        Self::SinkRevoked,
        Self::BatchTaken,
        Self::PositionMoved,
        Self::RowsWritten,
        Self::BeforeCommit,
        Self::AfterCommit,
    ];

    /// Those of the desk.
    pub const DESK: [Self; 5] = [
        Self::LettersTaken,
        Self::LettersKept,
        Self::RedrivesAsked,
        Self::CopiesSent,
        Self::CopiesTold,
    ];

    /// Those of a command that decides whose a result is.
    pub const DECISION: [Self; 4] = [
        Self::DecisionMade,
        Self::DecisionWritten,
        Self::DecisionVerified,
        Self::CopyExpected,
    ];

    /// Those of commands that put right what differs.
    pub const MENDING: [Self; 7] = [
        Self::ResultsRebuilt,
        Self::FatesCorrected,
        Self::LostReportSent,
        Self::ReplayLettersWritten,
        Self::ReplayedScoreQueued,
        Self::ListedRowQueued,
        Self::WithdrawalQueued,
    ];

    /// All there are.
    pub fn all() -> impl Iterator<Item = Self> {
        let of_processes = Self::PIPELINE.into_iter().chain(Self::DESK);
        of_processes.chain(Self::DECISION).chain(Self::MENDING)
    }

    /// Its name in the environment.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReportReceived => "report_received",
            Self::ReportQueued => "report_queued",
            Self::ReportsAcknowledged => "reports_acknowledged",
            Self::RowImported => "row_imported",
            Self::RosterWritten => "roster_written",
            Self::RosterAcknowledged => "roster_acknowledged",
            Self::OutputQueued => "output_queued",
            Self::LetterQueued => "letter_queued",
            Self::BeforePositions => "before_positions",
            Self::AfterPositions => "after_positions",
            Self::MapperAssigned => "mapper_assigned",
            Self::MapperRevoked => "mapper_revoked",
            Self::SinkAssigned => "sink_assigned",
            Self::SinkRevoked => "sink_revoked",
            Self::BatchTaken => "batch_taken",
            Self::PositionMoved => "position_moved",
            Self::RowsWritten => "rows_written",
            Self::BeforeCommit => "before_commit",
            Self::AfterCommit => "after_commit",
            Self::LettersTaken => "letters_taken",
            Self::LettersKept => "letters_kept",
            Self::RedrivesAsked => "redrives_asked",
            Self::CopiesSent => "copies_sent",
            Self::CopiesTold => "copies_told",
            Self::DecisionMade => "decision_made",
            Self::DecisionWritten => "decision_written",
            Self::DecisionVerified => "decision_verified",
            Self::CopyExpected => "copy_expected",
            Self::ResultsRebuilt => "results_rebuilt",
            Self::FatesCorrected => "fates_corrected",
            Self::LostReportSent => "lost_report_sent",
            Self::ReplayLettersWritten => "replay_letters_written",
            Self::ReplayedScoreQueued => "replayed_score_queued",
            Self::ListedRowQueued => "listed_row_queued",
            Self::WithdrawalQueued => "withdrawal_queued",
        }
    }
}
