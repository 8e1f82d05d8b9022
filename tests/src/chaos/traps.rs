//! A round for each error of `crates/fault_points` that shows it: the checker must notice, or its silence means nothing.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::StreamExt;
use scoresync_fault_points::Bug;

use super::{BUG, CRASH, FREEZE, Field, Lingers, Owners, Plan, Player, Round, Schedule, Stage, checker::Class, faults::Fault};

/// Whether a crash or a freeze meets what an error spoils is a matter of moments: a trap is set so often until it is sprung.
const SEEDS: std::ops::RangeInclusive<u64> = 77..=79;
/// Rounds at a time, which break nothing around the processes.
const SIDE_BY_SIDE: usize = 4;

/// What shows a bug, and which broken promises it shows itself by.
struct Trap {
    bug: Bug,
    seconds: u64,
    lingers: Option<Lingers>,
    owners: Owners,
    players: Vec<Player>,
    strikes: Vec<(u64, Fault)>,
    classes: &'static [Class],
    /// Whether scoresync's own audit names what comes of it, too. Of what never came to `scores.raw`, or was mapped wrongly, it knows nothing.
    is_in_books: bool,
}

impl Trap {
    /// The round, with the error in it.
    fn plan(&self, seed: u64) -> Plan {
        Plan {
            arming: vec![(BUG.to_owned(), self.bug.as_str().to_owned())],
            ..self.control(seed)
        }
    }

    /// The round without the error, in which nothing must be found.
    fn control(&self, seed: u64) -> Plan {
        Plan {
            seed,
            duration: Duration::from_secs(self.seconds),
            rows: 60 * usize::try_from(self.seconds).unwrap_or(1),
            owners: self.owners,
            players: self.players.clone(),
            schedule: Schedule::of(&self.strikes),
            arming: Vec::new(),
            lingers: self.lingers,
        }
    }

    fn new(bug: Bug, seconds: u64, classes: &'static [Class]) -> Self {
        Self {
            bug,
            seconds,
            lingers: None,
            owners: Owners::Disputed,
            players: Player::usual(),
            strikes: Vec::new(),
            classes,
            is_in_books: true,
        }
    }

    const fn unseen_in_books(mut self) -> Self {
        self.is_in_books = false;
        self
    }

    fn with_strike(mut self, at: u64, fault: Fault) -> Self {
        self.strikes.push((at, fault));
        self
    }

    /// The first process of a stage, when it starts for the first time.
    fn with_armed(mut self, stage: Stage, variable: &str, value: &str) -> Self {
        if let Some(player) = self.players.iter_mut().find(|player| player.stage == stage) {
            player.arming.push((variable.to_owned(), value.to_owned()));
        }
        self
    }

    /// Who is alone has all partitions.
    fn with_one(mut self, stage: Stage) -> Self {
        self.players.retain(|player| player.stage != stage || !player.name.ends_with("-2"));
        self
    }

    /// A batch with somebody else's result in it would be withheld at first, whatever position it was for.
    fn undisputed(mut self) -> Self {
        self.owners = Owners::Undisputed;
        self
    }

    fn lingering(mut self, lingers: Lingers) -> Self {
        self.lingers = Some(lingers);
        self
    }
}

fn trap(bug: Bug) -> Trap {
    let trap = |seconds, classes| Trap::new(bug, seconds, classes);
    match bug {
        Bug::PositionBeforeRows => {
            trap(8, &[Class::Lost, Class::Fates])
                .with_one(Stage::Sink)
                .with_armed(Stage::Sink, CRASH, "before_commit:6")
        }
        Bug::SeekToGroupOffset => trap(8, &[Class::Fates])
            .with_one(Stage::Sink)
            .with_armed(Stage::Sink, CRASH, "after_commit:6"),
        Bug::NoCompareAndSet => trap(26, &[Class::Fates, Class::Position])
            .with_armed(Stage::Sink, FREEZE, "batch_taken:6")
            .with_strike(1, Fault::Woken(Stage::Sink))
            .undisputed(),
        Bug::AnswerBeforeAcknowledgement => trap(8, &[Class::Lost])
            .lingering(Lingers::Stage(Stage::Producer))
            .with_armed(Stage::Producer, CRASH, "report_queued:150")
            .unseen_in_books(),
        Bug::AutoCommit => {
            trap(8, &[Class::Lost])
                .lingering(Lingers::Stage(Stage::Mapper))
                .with_armed(Stage::Mapper, CRASH, "output_queued:60")
        }
        Bug::DroppedWithoutSettling => trap(6, &[Class::Lost]).lingering(Lingers::Commands).unseen_in_books(),
        Bug::ReportPassedOver => trap(6, &[Class::Lost]),
        Bug::LetterErrorSwallowed => trap(10, &[Class::Lost]).with_strike(3, Fault::LettersRefused),
        Bug::FailedBatchSkipped => trap(14, &[Class::Fates, Class::Lost]).with_strike(3, Fault::Locked(8)),
        Bug::NoVersionGuard => trap(6, &[Class::Record]),
        Bug::ClockAsRevision => trap(6, &[Class::Garbled, Class::Record]).unseen_in_books(),
        Bug::FirstMatchOnAmbiguity | Bug::UnknownNumberFallsThrough | Bug::ZeroAsMissing => trap(6, &[Class::Letter]).unseen_in_books(),
        Bug::OwnerChangedSilently => trap(6, &[Class::Record, Class::History]),
        Bug::IdentifierInLog => trap(6, &[Class::Leak]).unseen_in_books(),
        Bug::TruncatedDecoded => trap(10, &[Class::Letter]).unseen_in_books(),
    }
}

/// Makes errors on purpose; gives what became of each: `None` where the checker has caught it, and else what it said.
///
/// # Errors
/// A folder for a round cannot be made.
pub async fn spring(field: &Arc<Field>, bugs: impl IntoIterator<Item = Bug>) -> anyhow::Result<Vec<(Bug, Option<String>)>> {
    // A task for each, or what keeps one round's thread would keep all.
    let rounds = bugs.into_iter().map(|bug| {
        let field = Arc::clone(field);
        async move { (bug, tokio::spawn(async move { miss(&field, trap(bug)).await }).await) }
    });
    let sprung: Vec<_> = futures_util::stream::iter(rounds).buffer_unordered(SIDE_BY_SIDE).collect().await;
    sprung.into_iter().map(|(bug, miss)| Ok((bug, miss??))).collect()
}

/// Plays each different round of the traps without an error in it; gives what was found all the same.
///
/// # Errors
/// A round cannot be played.
pub async fn set_without_errors(field: &Arc<Field>) -> anyhow::Result<Vec<String>> {
    let plans = Bug::ALL.map(|bug| trap(bug).control(*SEEDS.start()));
    let different: BTreeMap<String, Plan> = plans.into_iter().map(|plan| (format!("{plan:?}"), plan)).collect();
    let rounds = different.into_values().map(|plan| {
        let field = Arc::clone(field);
        tokio::spawn(async move {
            let folder = tempfile::Builder::new().prefix("scoresync-chaos.").tempdir()?;
            let outcome = Round::new(&field, folder.path(), &plan).play().await?;
            anyhow::Ok((!outcome.anomalies.is_empty()).then(|| outcome.told(&plan)))
        })
    });
    let mut said = Vec::new();
    let mut played = futures_util::stream::iter(rounds).buffer_unordered(SIDE_BY_SIDE);
    while let Some(round) = played.next().await {
        said.extend(round??);
    }
    Ok(said)
}

/// `None` where it is caught.
async fn miss(field: &Field, trap: Trap) -> anyhow::Result<Option<String>> {
    let mut said = String::new();
    for seed in SEEDS {
        match try_to_catch(field, &trap, seed).await? {
            None => return Ok(None),
            Some(miss) => said = miss,
        }
    }
    Ok(Some(format!("{} is not caught; the last of its rounds: {said}", trap.bug.as_str())))
}

async fn try_to_catch(field: &Field, trap: &Trap, seed: u64) -> anyhow::Result<Option<String>> {
    let plan = &trap.plan(seed);
    let folder = tempfile::Builder::new().prefix("scoresync-chaos.").tempdir()?;
    let outcome = match Round::new(field, folder.path(), plan).play().await {
        Ok(outcome) => outcome,
        Err(error) => return Ok(Some(format!("it could not be played: {error:#}"))),
    };
    let has = |classes: &[Class]| outcome.anomalies.iter().any(|anomaly| classes.contains(&anomaly.class));
    // A pipeline that is only slow has not filed everything either.
    let is_caught = has(trap.classes) && !has(&[Class::Stuck]) && has(&[Class::Books]) == trap.is_in_books;
    let met = outcome.recoveries.iter().filter(|recovery| recovery.has_struck).count();
    let of = outcome.recoveries.len();
    Ok((!is_caught).then(|| {
        format!(
            "crashes at {:?}; {met} of {of} faults met somebody; {}",
            outcome.crashes,
            outcome.told(plan)
        )
    }))
}
