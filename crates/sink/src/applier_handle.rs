//! The applying thread and the way to it: one piece of work at a time.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crate::{
    applier::{Applier, Outcome, Work},
    run::SinkError,
};

/// The applying thread and the way to it.
pub(crate) struct ApplierHandle {
    work: Option<mpsc::SyncSender<Work>>,
    outcomes: mpsc::Receiver<Outcome>,
    thread: Option<JoinHandle<()>>,
    busy_since: Option<Instant>,
}

impl ApplierHandle {
    pub(crate) fn start(applier: Applier) -> Result<Self, SinkError> {
        let (work, taken) = mpsc::sync_channel(1);
        let (tell, outcomes) = mpsc::sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("sink-applier".to_owned())
            .spawn(move || applier.run(&taken, &tell));
        let thread = thread.map_err(SinkError::ApplierStart)?;
        Ok(Self {
            work: Some(work),
            outcomes,
            thread: Some(thread),
            busy_since: None,
        })
    }

    pub(crate) const fn is_busy(&self) -> bool {
        self.busy_since.is_some()
    }

    pub(crate) fn is_busy_for(&self, time: Duration) -> bool {
        self.busy_since.is_some_and(|since| since.elapsed() >= time)
    }

    pub(crate) fn give(&mut self, work: Work) -> Result<(), SinkError> {
        let given = self.work.as_ref().is_some_and(|sender| sender.send(work).is_ok());
        self.busy_since = given.then(Instant::now);
        if given { Ok(()) } else { Err(SinkError::ApplierGone) }
    }

    /// What came of the batch in hand; `None` where there is none, or it takes longer than `patience`.
    pub(crate) fn outcome_within(&mut self, patience: Duration) -> Result<Option<Outcome>, SinkError> {
        if !self.is_busy() {
            return Ok(None);
        }
        match self.outcomes.recv_timeout(patience) {
            Ok(outcome) => {
                self.busy_since = None;
                Ok(Some(outcome))
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(SinkError::ApplierGone),
        }
    }

    /// Waits for the batch in hand. Its statements have time-outs of their own.
    pub(crate) fn drain(&mut self) -> Result<Option<Outcome>, SinkError> {
        if self.busy_since.take().is_none() {
            return Ok(None);
        }
        self.outcomes.recv().map(Some).map_err(|_| SinkError::ApplierGone)
    }
}

impl Drop for ApplierHandle {
    fn drop(&mut self) {
        self.work.take();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that applies batches panicked");
        }
    }
}
