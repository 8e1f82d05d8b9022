//! The end of a process: asked for by a signal or from inside, polite until the deadline.

use std::{
    fmt, io,
    num::NonZeroU32,
    ops::ControlFlow,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::signals;

/// `[shutdown]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ShutdownSettings {
    /// How long the stages may take to finish what is in hand. After that the process ends hard, with exit code 1.
    pub deadline_seconds: NonZeroU32,
}

impl Default for ShutdownSettings {
    fn default() -> Self {
        Self {
            deadline_seconds: NonZeroU32::MIN.saturating_add(29),
        }
    }
}

/// Whether this process is to end. Clones share it; threads and tasks both can ask, wait, and ask for the end.
#[derive(Clone)]
pub struct Shutdown(Arc<State>);

struct State {
    /// The same as the token, without its lock.
    is_requested: AtomicBool,
    token: CancellationToken,
    unfinished: Mutex<Vec<String>>,
    /// Wakes the threads that wait on `unfinished`'s lock for the request.
    requested: Condvar,
}

/// Something that must be finished before the process may end. Dropping it says that it is.
#[must_use = "it is finished as soon as it is dropped"]
#[derive(Debug)]
pub struct Unfinished {
    name: String,
    shutdown: Shutdown,
}

impl Shutdown {
    /// A shutdown that only comes from inside, without a deadline: for parts of a process, and tests.
    #[must_use]
    pub fn from_inside() -> Self {
        Self(Arc::new(State {
            is_requested: AtomicBool::new(false),
            token: CancellationToken::new(),
            unfinished: Mutex::default(),
            requested: Condvar::new(),
        }))
    }

    /// The shutdown of this process, once: SIGTERM or SIGINT ask for it; the second of them, or the deadline, end the process with code 1.
    ///
    /// It works on a thread of its own, so that work which blocks all others cannot hold the end up.
    ///
    /// # Errors
    /// The system refuses the thread or the signal handlers.
    pub fn of_process(settings: &ShutdownSettings) -> io::Result<Self> {
        let shutdown = Self::from_inside();
        let deadline = Duration::from_secs(settings.deadline_seconds.get().into());
        signals::obey(shutdown.clone(), deadline)?;
        Ok(shutdown)
    }

    /// Whether the end was asked for. Cheap enough for every record.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.0.is_requested.load(Ordering::Acquire)
    }

    /// The same for whoever is asked whether to go on.
    pub fn flow(&self) -> ControlFlow<()> {
        if self.is_requested() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Asks for the end, and says whether nobody had. The first cause is logged; asking again changes nothing.
    pub fn request(&self, cause: impl fmt::Display) -> bool {
        let guard = self.unfinished_names();
        if self.0.is_requested.swap(true, Ordering::AcqRel) {
            return false;
        }
        info!("shutting down: {cause}; unfinished: {}", list(&guard));
        drop(guard);
        self.0.token.cancel();
        self.0.requested.notify_all();
        true
    }

    /// Until the end is asked for.
    pub async fn wait(&self) {
        self.0.token.cancelled().await;
    }

    /// Like [`wait`](Self::wait), as a future that borrows nothing.
    pub fn waiting(&self) -> impl Future<Output = ()> + Send + 'static {
        self.0.token.clone().cancelled_owned()
    }

    /// Blocks this thread for `time`, or until the end is asked for; says whether it was. For a back-off on a plain thread.
    #[must_use]
    pub fn pause(&self, time: Duration) -> bool {
        let guard = self.unfinished_names();
        drop(self.0.requested.wait_timeout_while(guard, time, |_| !self.is_requested()));
        self.is_requested()
    }

    /// Names something that the end has to wait for. A hard end says which names were left.
    pub fn unfinished(&self, name: impl Into<String>) -> Unfinished {
        let name = name.into();
        self.unfinished_names().push(name.clone());
        Unfinished {
            name,
            shutdown: self.clone(),
        }
    }

    /// The names of what is unfinished, for people.
    pub(crate) fn list_unfinished(&self) -> String {
        list(&self.unfinished_names())
    }

    fn unfinished_names(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.unfinished.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let mut names = self.shutdown.unfinished_names();
        if let Some(position) = names.iter().position(|name| *name == self.name) {
            names.remove(position);
        }
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let requested = self.is_requested();
        write!(
            formatter,
            "Shutdown {{ requested: {requested}, unfinished: {} }}",
            self.list_unfinished()
        )
    }
}

fn list(names: &[String]) -> String {
    match names {
        [] => "nothing that has a name".to_owned(),
        [_, ..] => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Instant};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_request_wakes_a_paused_thread() {
        let shutdown = Shutdown::from_inside();
        let (started, paused) = (Instant::now(), shutdown.clone());
        let thread = thread::spawn(move || paused.pause(LONG));
        shutdown.request("a test");
        assert!(thread.join().unwrap());
        assert!(started.elapsed() < LONG);
        assert!(shutdown.pause(LONG), "a pause after the request does not block");
        assert!(started.elapsed() < LONG);
    }

    #[test]
    fn only_the_first_request_is_the_first() {
        let shutdown = Shutdown::from_inside();
        assert!(shutdown.request("a stage failed"));
        assert!(!shutdown.request("SIGTERM"));
    }

    #[test]
    fn a_pause_without_a_request_takes_its_time() {
        let (started, time) = (Instant::now(), Duration::from_millis(30));
        assert!(!Shutdown::from_inside().pause(time));
        assert!(started.elapsed() >= time);
    }

    #[tokio::test]
    async fn a_request_from_a_thread_wakes_tasks() {
        let shutdown = Shutdown::from_inside();
        let waiting = tokio::spawn(shutdown.waiting());
        assert!(!shutdown.is_requested());
        let inside = shutdown.clone();
        thread::spawn(move || inside.request("a stage failed"));
        tokio::time::timeout(LONG, shutdown.wait()).await.unwrap();
        tokio::time::timeout(LONG, waiting).await.unwrap().unwrap();
        assert!(shutdown.is_requested());
    }

    #[test]
    fn what_is_dropped_is_finished_and_all_else_is_not() {
        let shutdown = Shutdown::from_inside();
        let (mapper, sink, another_sink) = (
            shutdown.unfinished("mapper"),
            shutdown.unfinished("sink"),
            shutdown.unfinished("sink"),
        );
        drop((mapper, another_sink));
        assert_eq!(shutdown.list_unfinished(), "sink");
        drop(sink);
        assert_eq!(shutdown.list_unfinished(), "nothing that has a name");
    }
}
