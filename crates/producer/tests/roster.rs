//! Employees on a real Kafka: what is written, by one at a time, and by several at once.

#![expect(clippy::unwrap_used, reason = "what a test builds on fails as a test does")]

#[expect(
    clippy::unwrap_used,
    clippy::expect_used,
    dead_code,
    unreachable_pub,
    reason = "shared with the other tests on a real Kafka"
)]
mod stack;

use std::{
    io::{BufRead as _, BufReader},
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use scoresync_domain::{Identity, IdentityKind, RosterEntry, Timestamp};
use scoresync_producer::{
    BadRows, Format, ImportRosterError, ImportRosterOptions, ImportRosterRun, ImportRosterSummary, LeaversLimit, LockError, RosterExtent,
    RosterLock, RosterRules, RosterSettings, RosterWriter, UpdateOutcome, import_roster, read_roster, roster_writer,
};
use scoresync_service::{ProcessMetrics, Readiness, Shutdown, now_millis};
use stack::{LONG, Stack, run_alone};

fn options(as_of: i64) -> ImportRosterOptions {
    ImportRosterOptions {
        extent: RosterExtent::Some,
        as_of: Timestamp::from_millis(as_of),
        dry_run: false,
        broker_patience: LONG,
    }
}

fn import(stack: &Stack, list: &str, options: &ImportRosterOptions) -> Result<ImportRosterSummary, ImportRosterError> {
    let rules = RosterRules::new(&RosterSettings::default()).unwrap();
    let statements = read_roster(Format::Csv, &rules, list.as_bytes())
        .unwrap()
        .accept(BadRows::Refuse, &rules)
        .unwrap();
    let shutdown = Shutdown::from_inside();
    let mut run = ImportRosterRun {
        observer: &mut |_| {},
        shutdown: &shutdown,
    };
    import_roster(&stack.roster(), statements, options, &mut run)
}

/// Employees 1 to `count`, of a department.
fn list(count: usize, department: &str) -> String {
    let rows = (1..=count).map(|number| format!("E{number},员工{number},{department},1990{number:07}\n"));
    "工号,姓名,部门,手机号\n".to_owned() + &rows.collect::<String>()
}

/// New, changed, left, unchanged, stale.
fn counts(summary: &ImportRosterSummary) -> [usize; 5] {
    [summary.new, summary.changed, summary.left, summary.unchanged, summary.stale]
}

#[test]
fn importing_twice_writes_nothing_the_second_time() {
    let stack = Stack::new();
    let now = now_millis();
    let first = import(&stack, &list(50, "质量部"), &options(now - 3_000)).unwrap();
    assert_eq!(counts(&first), [50, 0, 0, 0, 0]);
    let (employees, records) = stack.employees();
    assert_eq!((employees.len(), records), (50, 50));
    for as_of in [now - 3_000, now - 2_000] {
        let again = import(&stack, &list(50, "质量部"), &options(as_of)).unwrap();
        assert_eq!(counts(&again), [0, 0, 0, 50, 0]);
    }
    let older = import(&stack, &list(50, "生产部"), &options(now - 4_000)).unwrap();
    assert_eq!(counts(&older), [0, 0, 0, 0, 50]);
    assert_eq!(stack.employees(), (employees, 50));
}

#[test]
fn a_full_list_marks_leavers_unless_too_many_are_missing() {
    let stack = Stack::new();
    let now = now_millis();
    import(&stack, &list(20, "质量部"), &options(now - 3_000)).unwrap();
    let full = |count, limit, as_of| {
        let options = ImportRosterOptions {
            extent: RosterExtent::All(limit),
            ..options(as_of)
        };
        import(&stack, &list(count, "质量部"), &options)
    };
    let refused = full(10, LeaversLimit::Share(0.1), now - 2_000).unwrap_err();
    assert!(matches!(refused, ImportRosterError::TooManyLeavers(_)), "{refused}");
    assert_eq!(stack.employees().1, 20);
    assert_eq!(counts(&full(18, LeaversLimit::Share(0.1), now - 2_000).unwrap()), [0, 0, 2, 18, 0]);
    assert_eq!(counts(&full(5, LeaversLimit::None, now - 1_000).unwrap()), [0, 0, 13, 5, 0]);
    let (employees, _) = stack.employees();
    let left = |number: &str| employees[number].left_at.map(Timestamp::as_millis);
    assert_eq!((left("E5"), left("E6"), left("E20")), (None, Some(now - 1_000), Some(now - 2_000)));
    assert_eq!(employees["E20"].identities[0].valid_to, Some(Timestamp::from_millis(now - 2_000)));
}

#[test]
fn a_dry_run_writes_nothing() {
    let stack = Stack::new();
    let dry = ImportRosterOptions {
        dry_run: true,
        ..options(now_millis())
    };
    assert_eq!(counts(&import(&stack, &list(5, "质量部"), &dry).unwrap()), [5, 0, 0, 0, 0]);
    assert_eq!(stack.employees().1, 0);
}

#[test]
fn a_second_import_is_refused_while_one_is_going_on() {
    let stack = Stack::new();
    let first = RosterLock::acquire(&stack.kafka, &stack.topics, &mut || true).unwrap();
    let refused = import(&stack, &list(5, "质量部"), &options(now_millis())).unwrap_err();
    assert!(matches!(refused, ImportRosterError::Lock(LockError::Owned { .. })), "{refused}");
    assert!(first.is_held());
    assert_eq!(stack.employees().1, 0);
    drop(first);
    import(&stack, &list(5, "质量部"), &options(now_millis())).unwrap();
    assert_eq!(stack.employees().1, 5);
}

#[test]
fn whoever_waits_gets_the_lock_when_it_is_free() {
    let stack = Stack::new();
    let first = RosterLock::acquire(&stack.kafka, &stack.topics, &mut || true).unwrap();
    thread::scope(|scope| {
        let second = scope.spawn(|| RosterLock::acquire(&stack.kafka, &stack.topics, &mut || true));
        thread::sleep(Duration::from_millis(1_500));
        drop(first);
        let second = second.join().unwrap().unwrap();
        assert!(second.is_held());
    });
}

/// What a single update says of an employee.
fn update(number: usize, department: &str) -> RosterEntry {
    RosterEntry {
        employee_no: format!("E{number}"),
        name: Some(format!("员工{number}")),
        department: Some(department.to_owned()),
        position: None,
        identities: vec![Identity {
            kind: IdentityKind::Phone,
            system: None,
            value: format!("1990{number:07}"),
            valid_from: None,
            valid_to: None,
        }],
        left_at: None,
        replaced_by: None,
    }
}

/// A writer as another process would have it, ended when the test is over.
fn with_writers<T>(stack: &Stack, count: usize, work: impl FnOnce(&[RosterWriter]) -> T) -> T {
    let shutdown = Shutdown::from_inside();
    let metrics = ProcessMetrics::register(&prometheus::Registry::new(), "0").unwrap();
    let readiness = Readiness::new(metrics);
    thread::scope(|scope| {
        let mut writers = Vec::new();
        for number in 0..count {
            let (writer, follower) = roster_writer();
            writers.push(writer);
            let (shutdown, readiness) = (shutdown.clone(), readiness.stage(&format!("roster-{number}")));
            scope.spawn(move || follower.run(&stack.roster(), &readiness, &shutdown).unwrap());
        }
        let result = work(&writers);
        drop(writers);
        result
    })
}

#[test]
fn an_update_says_what_it_did() {
    let stack = Stack::new();
    let now = now_millis();
    with_writers(&stack, 1, |writers| {
        let put = |department: &str, as_of| {
            let written = writers[0].update(update(1, department), Timestamp::from_millis(as_of));
            stack.runtime.block_on(written).unwrap()
        };
        assert_eq!(put("质量部", now - 3_000), UpdateOutcome::Changed);
        assert_eq!(put("质量部", now - 3_000), UpdateOutcome::Unchanged);
        assert_eq!(put("质量部", now - 1_000), UpdateOutcome::Unchanged);
        assert_eq!(put("生产部", now - 2_000), UpdateOutcome::Stale);
        assert_eq!(put("生产部", now), UpdateOutcome::Changed);
    });
    let (employees, records) = stack.employees();
    // Also the later moment of what was known already.
    assert_eq!(records, 3);
    assert_eq!(employees["E1"].department.as_deref(), Some("生产部"));
}

#[test]
fn a_phone_that_is_given_to_somebody_new_stays_the_first_one_s_for_the_time_before() {
    let stack = Stack::new();
    let now = now_millis();
    let with_phone_of = |number: usize, holder: usize| RosterEntry {
        identities: update(holder, "").identities,
        ..update(number, "质量部")
    };
    with_writers(&stack, 1, |writers| {
        let put = |entry, as_of| {
            let written = writers[0].update(entry, Timestamp::from_millis(as_of));
            assert_eq!(stack.runtime.block_on(written), Ok(UpdateOutcome::Changed));
        };
        put(with_phone_of(1, 1), now - 5_000);
        put(with_phone_of(1, 7), now - 4_000);
        put(with_phone_of(2, 1), now - 3_000);
    });
    // In one list, whichever of the two it names first.
    let list = "工号,手机号\nE3,19900000007\nE1,19900000008\n";
    import(&stack, list, &options(now - 2_000)).unwrap();
    let (employees, _) = stack.employees();
    let dates = |employee_no: &str, place: usize| {
        let identity = &employees[employee_no].identities[place];
        let millis = |date: Option<Timestamp>| date.map(|date| date.as_millis() - now);
        (millis(identity.valid_from), millis(identity.valid_to))
    };
    assert_eq!((dates("E1", 0), dates("E2", 0)), ((None, Some(-4_000)), (Some(-4_000), None)));
    assert_eq!(
        (dates("E1", 1), dates("E3", 0)),
        ((Some(-4_000), Some(-2_000)), (Some(-2_000), None))
    );
}

#[test]
fn an_update_that_cannot_be_a_record_does_not_harm_the_others() {
    let stack = Stack::new();
    with_writers(&stack, 1, |writers| {
        let now = Timestamp::from_millis(now_millis());
        let blank = RosterEntry {
            employee_no: " ".to_owned(),
            ..update(1, "质量部")
        };
        let (bad, good) = stack
            .runtime
            .block_on(async { tokio::join!(writers[0].update(blank, now), writers[0].update(update(2, "质量部"), now)) });
        assert!(bad.is_err());
        assert_eq!(good, Ok(UpdateOutcome::Changed));
    });
}

const ROUNDS: usize = 40;
const PER_ROUND: usize = 30;

/// Two writers say different things of the same employees at the same moment, and imports of all of them meanwhile.
#[test]
fn writers_and_imports_at_once_converge_on_the_newest_statement() {
    let stack = Stack::new();
    let before = now_millis() - 10_000;
    let (all, start) = (ROUNDS * PER_ROUND, Barrier::new(2));
    // Who of the two says the newer thing changes from employee to employee.
    let ahead = |number: usize, writer: usize| i64::try_from(1 + (number + writer) % 2).unwrap();
    with_writers(&stack, 2, |writers| {
        thread::scope(|scope| {
            for (place, writer) in writers.iter().enumerate() {
                let (stack, start) = (&stack, &start);
                scope.spawn(move || {
                    let mut is_all_done = true;
                    for round in 0..ROUNDS {
                        let updates = (1..=PER_ROUND).map(|number| round * PER_ROUND + number).map(|number| {
                            let as_of = Timestamp::from_millis(before + ahead(number, place));
                            writer.update(update(number, &format!("writer {}", ahead(number, place))), as_of)
                        });
                        start.wait();
                        let done = stack.runtime.block_on(futures_util::future::join_all(updates));
                        is_all_done &= done.iter().all(Result::is_ok);
                    }
                    // Later, so that the other one is not left waiting at the start of a round.
                    assert!(is_all_done);
                });
            }
            let importing = scope.spawn(|| {
                import(&stack, &list(all, "an older import"), &options(before)).unwrap();
                import(&stack, &list(all / 3, "a newer import"), &options(before + 3)).unwrap();
            });
            importing.join().unwrap();
        });
    });
    let (employees, records) = stack.employees();
    for number in 1..=all {
        let (department, as_of) = if number <= all / 3 {
            ("a newer import", 3)
        } else {
            ("writer 2", 2)
        };
        let employee = &employees[&format!("E{number}")];
        assert_eq!(employee.department.as_deref(), Some(department), "E{number} of {records} records");
        assert_eq!(employee.as_of.as_millis(), before + as_of, "E{number}");
    }
}

/// Names of the stack whose lock a process of its own holds.
const HOLD: &str = "TEST_HOLD_LOCK_OF";

#[test]
#[ignore = "is run by the test of a killed import, in a process of its own"]
fn holds_the_lock_until_it_is_killed() {
    let names = std::env::var(HOLD).unwrap();
    let stack = Stack::of(&names);
    let _lock = RosterLock::acquire(&stack.kafka, &stack.topics, &mut || true).unwrap();
    println!("held");
    thread::sleep(LONG);
}

#[test]
fn an_import_that_is_killed_frees_the_lock_when_its_session_ends() {
    let stack = Stack::new();
    let mut holder = run_alone("holds_the_lock_until_it_is_killed", &[(HOLD, stack.kafka.group_prefix.as_ref())]);
    let lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert!(
        lines.map_while(Result::ok).any(|line| line.ends_with("held")),
        "the lock was not held"
    );
    holder.kill().unwrap();
    holder.wait().unwrap();
    let begun = Instant::now();
    let lock = RosterLock::acquire(&stack.kafka, &stack.topics, &mut || true).unwrap();
    assert!(lock.is_held());
    // Nobody told the broker that the holder was gone.
    assert!(begun.elapsed() > Duration::from_secs(2), "{:?}", begun.elapsed());
}
