//! The end of a whole process, with real signals: each test starts itself again as a process of its own and watches how that ends.
#![expect(
    clippy::unwrap_used,
    reason = "the lint takes the steps that the tests share for code of the product"
)]

use std::{
    convert::Infallible,
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, Output, Stdio, exit},
    thread,
    time::{Duration, Instant},
};

use scoresync_service::{BoxError, LogSettings, Shutdown, ShutdownSettings, Stages, start_telemetry};

const IS_CHILD: &str = "SERVICE_TEST_IS_CHILD";
const PATIENCE: Duration = Duration::from_secs(60);
/// Told apart from what the test runner itself would exit with.
const POLITE: i32 = 42;

/// The process under test. Each line that it logs tells how far it is.
struct Process {
    child: Child,
    log: BufReader<std::process::ChildStderr>,
    seen: String,
}

impl Process {
    fn start(test: &str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(IS_CHILD, "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut process = Self {
            child,
            log,
            seen: String::new(),
        };
        process.wait_for("working");
        process
    }

    fn wait_for(&mut self, text: &str) {
        while !self.seen.contains(text) {
            let read = self.log.read_line(&mut self.seen).unwrap();
            assert_ne!(read, 0, "ended without `{text}`: {}", self.seen);
        }
    }

    fn send(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Exit code and log.
    fn end(mut self) -> (Option<i32>, String) {
        let started = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(started.elapsed() < PATIENCE, "still alive: {}", self.seen);
            thread::sleep(Duration::from_millis(5));
        }
        let Output { status, .. } = self.child.wait_with_output().unwrap();
        while self.log.read_line(&mut self.seen).unwrap() > 0 {}
        (status.code(), self.seen)
    }
}

/// Runs stages as a process would, and exits.
fn child(deadline_seconds: u32, add: impl FnOnce(&mut Stages)) -> Infallible {
    start_telemetry(&LogSettings::default()).unwrap();
    let settings = ShutdownSettings {
        deadline_seconds: deadline_seconds.try_into().unwrap(),
    };
    let shutdown = Shutdown::of_process(&settings).unwrap();
    let mut stages = Stages::new(shutdown);
    add(&mut stages);
    tracing::info!("working");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    match runtime.block_on(stages.finish()) {
        Ok(()) => exit(POLITE),
        Err(_) => exit(1),
    }
}

fn is_child() -> bool {
    env::var_os(IS_CHILD).is_some()
}

fn obedient(shutdown: Shutdown) -> Result<(), BoxError> {
    while !shutdown.pause(PATIENCE) {}
    Ok(())
}

/// Asks in vain: `shutdown` is only looked at to show that the request came.
fn stubborn(shutdown: Shutdown) -> Result<(), BoxError> {
    while !shutdown.pause(PATIENCE) {}
    tracing::info!("not listening");
    thread::sleep(PATIENCE);
    Ok(())
}

fn check_polite_end(test: &str, signal: &str) {
    if is_child() {
        child(60, |stages| stages.thread("mapper", obedient));
    }
    let process = Process::start(test);
    process.send(signal);
    let (code, log) = process.end();
    assert_eq!(code, Some(POLITE), "{log}");
    assert!(log.contains(&format!("shutting down: SIG{signal}; unfinished: mapper")), "{log}");
}

#[test]
fn sigterm_lets_the_stages_finish() {
    check_polite_end("sigterm_lets_the_stages_finish", "TERM");
}

#[test]
fn sigint_lets_the_stages_finish() {
    check_polite_end("sigint_lets_the_stages_finish", "INT");
}

#[test]
fn a_second_signal_ends_hard_and_says_what_was_unfinished() {
    if is_child() {
        child(60, |stages| {
            stages.thread("mapper", obedient);
            stages.thread("sink", stubborn);
        });
    }
    let mut process = Process::start("a_second_signal_ends_hard_and_says_what_was_unfinished");
    process.send("TERM");
    process.wait_for("not listening");
    process.send("INT");
    let (code, log) = process.end();
    assert_eq!(code, Some(1), "{log}");
    assert!(
        log.contains("ending hard because a second signal (SIGINT) came; unfinished: sink"),
        "{log}"
    );
}

#[test]
fn the_deadline_ends_hard_even_while_all_threads_block() {
    if is_child() {
        child(1, |stages| stages.thread("sink", stubborn));
    }
    let process = Process::start("the_deadline_ends_hard_even_while_all_threads_block");
    let sent = Instant::now();
    process.send("TERM");
    let (code, log) = process.end();
    assert_eq!(code, Some(1), "{log}");
    assert!(sent.elapsed() >= Duration::from_secs(1), "{:?}", sent.elapsed());
    assert!(
        log.contains("ending hard because the deadline of 1 s passed; unfinished: sink"),
        "{log}"
    );
}

#[test]
fn a_failing_stage_ends_the_process_with_a_failing_code() {
    if is_child() {
        child(60, |stages| {
            stages.thread("mapper", obedient);
            stages.thread("sink", |_| -> Result<(), BoxError> { panic!("row 7 is odd") });
        });
    }
    let (code, log) = Process::start("a_failing_stage_ends_the_process_with_a_failing_code").end();
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("shutting down: stage sink panicked: row 7 is odd"), "{log}");
}

#[test]
fn a_signal_after_a_failure_is_still_polite() {
    if is_child() {
        child(60, |stages| {
            stages.thread("sink", stubborn);
            stages.thread("mapper", |_| -> Result<(), BoxError> { Err("no topic".into()) });
        });
    }
    let mut process = Process::start("a_signal_after_a_failure_is_still_polite");
    process.wait_for("not listening");
    process.send("TERM");
    process.wait_for("SIGTERM came while shutting down already");
    process.send("TERM");
    let (code, log) = process.end();
    assert_eq!(code, Some(1), "{log}");
    assert!(
        log.contains("ending hard because a second signal (SIGTERM) came; unfinished: sink"),
        "{log}"
    );
}
