//! What a change of readiness logs. A process of its own, as other tests beside it would decide whether the lines are written at all.
#![expect(clippy::unwrap_used, reason = "the lint takes what serves the test for code of the product")]

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use prometheus::Registry;
use scoresync_service::{ProcessMetrics, Readiness};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn only_changes_of_readiness_are_logged() {
    let captured = Captured::default();
    let writer = captured.clone();
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let stage = Readiness::new(ProcessMetrics::register(&Registry::new(), "1.2.3").unwrap()).stage("sink");
    for reason in ["no database", "no database", "no topic", "no topic"] {
        stage.not_ready(reason);
    }
    stage.ready();
    stage.ready();
    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    let expected = [
        ("WARN", "stage sink is not ready: no database"),
        ("WARN", "stage sink is not ready: no topic"),
        ("INFO", "stage sink is ready"),
    ];
    assert_eq!(lines.len(), expected.len(), "{log}");
    for (line, (level, text)) in lines.iter().zip(expected) {
        assert!(line.contains(level) && line.contains(text), "{text} in {line}");
    }
}
