//! The stages of a process, on threads or as tasks: the end of one is the end of all, and the first failure is the process's.

use std::{
    any::Any,
    future::Future,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use tokio::{
    runtime::Handle,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};
use tracing::error;

use crate::{Shutdown, Unfinished};

/// Any error of a stage (`anyhow::Error` converts into it).
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a stage did not end well.
#[derive(Debug, thiserror::Error)]
pub enum StageFailure {
    /// It gave an error.
    #[error("stage {stage} failed")]
    Failed {
        /// Its name.
        stage: String,
        /// The error.
        source: BoxError,
    },
    /// It panicked.
    #[error("stage {stage} panicked: {message}")]
    Panicked {
        /// Its name.
        stage: String,
        /// What the panic said.
        message: String,
    },
    /// The system did not give it a thread, or there is no runtime for tasks.
    #[error("cannot start stage {stage}")]
    NotStarted {
        /// Its name.
        stage: String,
        /// Why.
        source: io::Error,
    },
}

/// Runs the stages of a process.
#[derive(Debug)]
pub struct Stages {
    shutdown: Shutdown,
    failures: UnboundedReceiver<StageFailure>,
    sender: UnboundedSender<StageFailure>,
}

impl Stages {
    /// No stage yet. Whatever way a stage ends, it asks for `shutdown`, and all stages are to end when it is asked for.
    #[must_use]
    pub fn new(shutdown: Shutdown) -> Self {
        let (sender, failures) = unbounded_channel();
        Self {
            shutdown,
            failures,
            sender,
        }
    }

    /// Starts a stage on a thread of its own. It gets the shutdown that it has to obey.
    pub fn thread<E: Into<BoxError>>(&mut self, name: &str, work: impl FnOnce(Shutdown) -> Result<(), E> + Send + 'static) {
        let (stage, shutdown) = (Stage::new(name, self), self.shutdown.clone());
        let run = move || {
            let outcome = catch_unwind(AssertUnwindSafe(|| work(shutdown).map_err(Into::into)));
            stage.end(outcome);
        };
        if let Err(source) = thread::Builder::new().name(name.to_owned()).spawn(run) {
            self.refuse(name, source);
        }
    }

    /// Starts a stage as a task on the runtime that this is called in.
    pub fn task<E: Into<BoxError>>(&mut self, name: &str, work: impl Future<Output = Result<(), E>> + Send + 'static) {
        let runtime = match Handle::try_current() {
            Ok(runtime) => runtime,
            Err(error) => return self.refuse(name, io::Error::other(error)),
        };
        let (stage, watch) = (Stage::new(name, self), runtime.clone());
        let work = runtime.spawn(async { work.await.map_err(Into::into) });
        watch.spawn(async move {
            // An aborted task belongs to a runtime that ends, and nobody is left to tell.
            match work.await {
                Ok(outcome) => stage.end(Ok(outcome)),
                Err(error) => stage.end(error.try_into_panic().map_or(Ok(Ok(())), Err)),
            }
        });
    }

    /// Waits until all stages have ended; the deadline is the shutdown's business. Each failure was logged when it happened.
    ///
    /// # Errors
    /// The first failure.
    pub async fn finish(mut self) -> Result<(), StageFailure> {
        drop(self.sender);
        let first = self.failures.recv().await;
        while self.failures.recv().await.is_some() {}
        first.map_or(Ok(()), Err)
    }

    fn refuse(&self, name: &str, source: io::Error) {
        let stage = name.to_owned();
        Stage::new(name, self).fail(StageFailure::NotStarted { stage, source });
    }
}

/// Lives as long as the stage works.
struct Stage {
    name: String,
    shutdown: Shutdown,
    /// Dropped before the sender, whose end lets `finish` return.
    _unfinished: Unfinished,
    failures: UnboundedSender<StageFailure>,
}

impl Stage {
    fn new(name: &str, stages: &Stages) -> Self {
        Self {
            name: name.to_owned(),
            shutdown: stages.shutdown.clone(),
            failures: stages.sender.clone(),
            _unfinished: stages.shutdown.unfinished(name),
        }
    }

    fn end(self, outcome: Result<Result<(), BoxError>, Box<dyn Any + Send>>) {
        let stage = self.name.clone();
        match outcome {
            Ok(Ok(())) => {
                self.shutdown.request(format_args!("stage {stage} ended"));
            }
            Ok(Err(source)) => self.fail(StageFailure::Failed { stage, source }),
            Err(panic) => self.fail(StageFailure::Panicked {
                stage,
                message: message(&*panic),
            }),
        }
    }

    fn fail(self, failure: StageFailure) {
        let cause = std::error::Error::source(&failure);
        error!(stage = self.name, cause, "{failure}");
        let cause = failure.to_string();
        // Before the request, so that no failure that follows from it is taken for the first. Whoever dropped `Stages` does not want to know.
        drop(self.failures.send(failure));
        self.shutdown.request(cause);
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "something that is no text".to_owned())
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        time::Duration,
    };

    use super::*;

    type Outcome = Result<(), BoxError>;

    /// Runs a stage that obeys, beside the one under test, as thread and as task; gives the failure and its cause.
    async fn run(start: impl FnOnce(&mut Stages)) -> Option<(String, Option<String>)> {
        let shutdown = Shutdown::from_inside();
        let finished = Arc::new(AtomicBool::new(false));
        let mut stages = Stages::new(shutdown.clone());
        let finishing = finished.clone();
        stages.thread("obedient", move |shutdown| -> Outcome {
            while !shutdown.pause(Duration::from_secs(1)) {}
            finishing.store(true, Ordering::Release);
            Ok(())
        });
        let waiting = shutdown.waiting();
        stages.task("waiting", async {
            waiting.await;
            Ok::<(), BoxError>(())
        });
        start(&mut stages);
        let outcome = tokio::time::timeout(Duration::from_secs(60), stages.finish()).await.unwrap();
        assert!(finished.load(Ordering::Acquire), "the stage beside it was waited for");
        assert_eq!(shutdown.list_unfinished(), "nothing that has a name");
        let describe = |failure: StageFailure| (failure.to_string(), std::error::Error::source(&failure).map(ToString::to_string));
        outcome.err().map(describe)
    }

    #[tokio::test]
    async fn an_error_ends_all_stages_and_is_the_outcome() {
        let failed = Some(("stage mapper failed".to_owned(), Some("no topic".to_owned())));
        let by_thread = run(|stages| stages.thread("mapper", |_| -> Outcome { Err("no topic".into()) })).await;
        assert_eq!(by_thread, failed);
        let by_task = run(|stages| stages.task("mapper", async { Err::<(), _>("no topic") })).await;
        assert_eq!(by_task, failed);
    }

    #[tokio::test]
    async fn a_panic_is_a_failure_with_its_message() {
        let panicked = Some(("stage sink panicked: row 7 is odd".to_owned(), None));
        let by_thread = run(|stages| stages.thread("sink", |_| -> Outcome { panic!("row {} is odd", 7) })).await;
        assert_eq!(by_thread, panicked);
        let by_task = run(|stages| {
            stages.task("sink", async {
                assert!(Handle::try_current().is_err(), "row 7 is odd");
                Ok::<(), BoxError>(())
            });
        });
        assert_eq!(by_task.await, panicked);
    }

    #[tokio::test]
    async fn a_stage_that_ends_well_ends_all_others_well() {
        assert_eq!(run(|stages| stages.thread("import", |_| -> Outcome { Ok(()) })).await, None);
    }

    #[tokio::test]
    async fn of_several_failures_the_first_is_the_outcome() {
        let outcome = run(|stages| {
            stages.thread("later", |shutdown| -> Outcome {
                while !shutdown.pause(Duration::from_secs(1)) {}
                Err("lost its partner".into())
            });
            stages.thread("first", |_| -> Outcome { Err("no topic".into()) });
        });
        assert_eq!(outcome.await.unwrap().0, "stage first failed");
    }

    #[test]
    fn a_task_without_a_runtime_is_a_failure_and_no_panic() {
        let shutdown = Shutdown::from_inside();
        let mut stages = Stages::new(shutdown.clone());
        stages.task("http", async { Ok::<(), BoxError>(()) });
        assert!(shutdown.is_requested());
        let outcome = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(stages.finish());
        assert!(matches!(outcome, Err(StageFailure::NotStarted { .. })));
    }
}
