//! What can break around and inside the pipeline.

use std::time::Duration;

use rand::{RngExt, rngs::Xoshiro256PlusPlus};
use scoresync_fault_points::Point;

use super::{fleet::Stage, frail_link::Weather};
use crate::stack::Part;

/// Somebody whom a link leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Neighbour {
    /// The broker.
    Kafka,
    /// The schema registry.
    Registry,
    /// The database.
    Postgres,
}

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A process is killed.
    Killed(Stage),
    /// A process stands still for longer than its group and its database wait.
    Frozen(Stage),
    /// A process dies at a certain place in its code, the so manieth time that it comes by.
    Crashed(Point, u64),
    /// A process stands still at a certain place for longer than its group and its database wait, then goes on as if nothing had been.
    FrozenAt(Point, u64),
    /// A process's clock is an hour ahead and an hour behind in turn.
    ClockJumps(Stage),
    /// A process that was started to freeze stands still for longer than its group and its database wait, then goes on.
    Woken(Stage),
    /// The broker refuses every dead letter.
    LettersRefused,
    /// A member joins or leaves every three seconds.
    Storm(Stage),
    /// A part of the surroundings is killed, and comes back.
    PartKilled(Part),
    /// A part of the surroundings stands still.
    PartFrozen(Part),
    /// A network fails.
    Network(Neighbour, Weather),
    /// Somebody holds a lock on the training records for so many seconds.
    Locked(u64),
    /// So many of the further brokers are killed, and come back: one takes leaders with it, two leave too few replicas to write to.
    BrokersKilled(usize),
    /// No byte is left on the disk of a part of the surroundings.
    DiskFull(Part),
    /// The database ends every session, again and again, some of them during a commit.
    SessionsEnded,
}

impl Fault {
    /// What it is called in tables.
    #[must_use]
    pub fn class(&self) -> String {
        match self {
            Self::Killed(stage) => format!("{stage} killed"),
            Self::Frozen(stage) => format!("{stage} frozen"),
            Self::Crashed(point, _) => format!("crash at {}", point.as_str()),
            Self::FrozenAt(point, _) => format!("frozen at {}", point.as_str()),
            Self::ClockJumps(stage) => format!("clock of {stage} jumps"),
            Self::Woken(stage) => format!("{stage} woken"),
            Self::LettersRefused => "letters refused".to_owned(),
            Self::Storm(stage) => format!("{stage}s join and leave"),
            Self::PartKilled(part) => format!("{part:?} killed").to_lowercase(),
            Self::PartFrozen(part) => format!("{part:?} frozen").to_lowercase(),
            Self::Network(neighbour, weather) => {
                let weather = match weather {
                    Weather::Fair => "fair",
                    Weather::Slow(_) => "slow",
                    Weather::Lossy => "lossy",
                    Weather::Cut => "cut off",
                    Weather::Down => "down",
                    Weather::Answers(head) => head,
                    Weather::Babbles => "babbles",
                };
                format!("{neighbour:?}: {weather}").to_lowercase()
            }
            Self::Locked(seconds) => format!("records locked for {seconds} s"),
            Self::BrokersKilled(count) => format!("{count} of 3 brokers killed"),
            Self::DiskFull(part) => format!("{part:?}: disk full").to_lowercase(),
            Self::SessionsEnded => "sessions ended".to_owned(),
        }
    }

    /// How long it lasts.
    #[must_use]
    pub const fn duration(&self) -> Duration {
        Duration::from_secs(match self {
            Self::Killed(_) => 1,
            Self::LettersRefused => 3,
            Self::Frozen(_) | Self::FrozenAt(..) | Self::Woken(_) => 13,
            Self::Crashed(..) => 12,
            Self::Storm(_) | Self::ClockJumps(_) => 12,
            Self::PartKilled(_) => 2,
            Self::PartFrozen(_) => 6,
            Self::Network(_, Weather::Cut) => 8,
            Self::Network(..) => 5,
            Self::Locked(seconds) => *seconds,
            Self::SessionsEnded => 3,
            Self::BrokersKilled(_) | Self::DiskFull(_) => 10,
        })
    }

    /// One of those that need one broker and the disk that is there, each kind equally likely.
    pub(super) fn any(dice: &mut Xoshiro256PlusPlus) -> Self {
        let mut below = |number: usize| dice.random_range(0..number as u64) as usize;
        let stage = Stage::ALL[below(3)];
        let neighbours = [Neighbour::Kafka, Neighbour::Registry, Neighbour::Postgres];
        match below(12) {
            0 => Self::Killed(stage),
            1 => Self::Frozen(stage),
            2..=4 => {
                let point = Point::PIPELINE[below(Point::PIPELINE.len())];
                Self::Crashed(point, 1 + below(passes_of(point)) as u64)
            }
            11 => Self::ClockJumps(stage),
            5 => Self::Storm([Stage::Mapper, Stage::Sink][below(2)]),
            6 => Self::PartKilled(Part::ALL[below(3)]),
            7 => Self::PartFrozen(Part::ALL[below(3)]),
            8 => {
                let neighbour = neighbours[below(3)];
                let weathers: &[Weather] = match neighbour {
                    Neighbour::Kafka | Neighbour::Postgres => &NETWORK,
                    Neighbour::Registry => &REGISTRY,
                };
                Self::Network(neighbour, weathers[below(weathers.len())])
            }
            9 => Self::FrozenAt(
                [Point::BatchTaken, Point::PositionMoved, Point::BeforeCommit, Point::OutputQueued][below(4)],
                1 + below(4) as u64,
            ),
            _ => [Self::Locked(8), Self::SessionsEnded, Self::LettersRefused][below(3)],
        }
    }
}

const NETWORK: [Weather; 4] = [
    Weather::Slow(Duration::from_millis(150)),
    Weather::Lossy,
    Weather::Cut,
    Weather::Down,
];
const REGISTRY: [Weather; 8] = [
    Weather::Answers("404 Not Found"),
    Weather::Answers("429 Too Many Requests"),
    Weather::Answers("500 Internal Server Error"),
    Weather::Answers("503 Service Unavailable"),
    Weather::Babbles,
    Weather::Slow(Duration::from_millis(600)),
    Weather::Cut,
    Weather::Down,
];

/// How often something surely comes by a place within seconds.
const fn passes_of(point: Point) -> usize {
    match point {
        Point::MapperAssigned
        | Point::MapperRevoked
        | Point::SinkAssigned
        | Point::SinkRevoked
        | Point::RosterWritten
        | Point::RosterAcknowledged => 1,
        Point::ReportReceived
        | Point::ReportQueued
        | Point::ReportsAcknowledged
        | Point::OutputQueued
        | Point::LetterQueued
        | Point::BeforePositions
        | Point::AfterPositions
        | Point::BatchTaken
        | Point::PositionMoved
        | Point::RowsWritten
        | Point::BeforeCommit
        | Point::AfterCommit
        | Point::RowImported
        | Point::LettersTaken
        | Point::LettersKept
        | Point::RedrivesAsked
        | Point::CopiesSent
        | Point::CopiesTold
        | Point::DecisionMade
        | Point::DecisionWritten
        | Point::DecisionVerified
        | Point::CopyExpected
        | Point::ResultsRebuilt
        | Point::FatesCorrected
        | Point::LostReportSent
        | Point::ReplayLettersWritten
        | Point::ReplayedScoreQueued
        | Point::ListedRowQueued
        | Point::WithdrawalQueued => 20,
    }
}

/// Which command comes by a place that no stage does.
pub(super) const fn command_of(point: Point) -> &'static str {
    if matches!(point, Point::RosterWritten | Point::RosterAcknowledged) {
        "employees"
    } else {
        "import"
    }
}

/// Which process comes by a place; `None` where it is a command's.
#[must_use]
pub fn stage_of(point: Point) -> Option<Stage> {
    match point {
        Point::ReportReceived | Point::ReportQueued | Point::ReportsAcknowledged => Some(Stage::Producer),
        Point::OutputQueued
        | Point::LetterQueued
        | Point::BeforePositions
        | Point::AfterPositions
        | Point::MapperAssigned
        | Point::MapperRevoked => Some(Stage::Mapper),
        Point::SinkAssigned
        | Point::SinkRevoked
        | Point::BatchTaken
        | Point::PositionMoved
        | Point::RowsWritten
        | Point::BeforeCommit
        | Point::AfterCommit => Some(Stage::Sink),
        Point::RowImported | Point::RosterWritten | Point::RosterAcknowledged => None,
        // No desk takes part in these rounds, and nobody decides anything.
        Point::LettersTaken | Point::LettersKept | Point::RedrivesAsked | Point::CopiesSent | Point::CopiesTold => None,
        Point::DecisionMade | Point::DecisionWritten | Point::DecisionVerified | Point::CopyExpected => None,
        // Nothing is put right either.
        Point::ResultsRebuilt | Point::FatesCorrected | Point::LostReportSent => None,
        Point::ReplayLettersWritten | Point::ReplayedScoreQueued | Point::ListedRowQueued | Point::WithdrawalQueued => None,
    }
}
