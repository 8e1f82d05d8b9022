//! Connections that have no request in hand: where there are too many, they give way, the longest silent first.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// All connections that are silent at the moment.
#[derive(Debug, Default)]
pub(crate) struct SilentConnections {
    silent: Mutex<Silent>,
    one_fell_silent: Notify,
}

#[derive(Debug, Default)]
struct Silent {
    next: u64,
    /// By the order in which they fell silent.
    connections: BTreeMap<u64, CancellationToken>,
}

/// One connection: silent until it speaks, and again after that.
#[derive(Debug)]
pub(crate) struct Caller {
    all: Arc<SilentConnections>,
    /// Its number among the silent ones; `None` while a request is in hand.
    silent_as: Mutex<Option<u64>>,
    gives_way: CancellationToken,
}

/// For as long as a request is in hand.
#[derive(Debug)]
pub(crate) struct Speaking(Arc<Caller>);

impl SilentConnections {
    pub(crate) fn caller(self: &Arc<Self>) -> Arc<Caller> {
        let caller = Arc::new(Caller {
            all: Arc::clone(self),
            silent_as: Mutex::default(),
            gives_way: CancellationToken::new(),
        });
        caller.fall_silent();
        caller
    }

    /// Tells the connection that has been silent longest, as soon as there is one, to give way.
    pub(crate) async fn let_one_give_way(&self) {
        loop {
            let fell_silent = self.one_fell_silent.notified();
            let longest = lock(&self.silent).connections.pop_first();
            match longest {
                Some((_, gives_way)) => return gives_way.cancel(),
                None => fell_silent.await,
            }
        }
    }
}

impl Caller {
    pub(crate) fn speak(self: &Arc<Self>) -> Speaking {
        self.leave();
        Speaking(Arc::clone(self))
    }

    /// Until this connection is to give way.
    pub(crate) async fn is_to_give_way(&self) {
        self.gives_way.cancelled().await;
    }

    pub(crate) fn is_speaking(&self) -> bool {
        lock(&self.silent_as).is_none()
    }

    fn fall_silent(&self) {
        let mut silent = lock(&self.all.silent);
        let number = silent.next;
        silent.next += 1;
        silent.connections.insert(number, self.gives_way.clone());
        *lock(&self.silent_as) = Some(number);
        drop(silent);
        self.all.one_fell_silent.notify_one();
    }

    fn leave(&self) {
        let number = lock(&self.silent_as).take();
        if let Some(number) = number {
            lock(&self.all.silent).connections.remove(&number);
        }
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Drop for Speaking {
    fn drop(&mut self) {
        self.0.fall_silent();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_longest_silent_gives_way_and_nobody_who_speaks() {
        let all = Arc::new(SilentConnections::default());
        let [first, second, third] = [all.caller(), all.caller(), all.caller()];
        let order = |callers: [&Arc<Caller>; 3]| callers.map(|caller| caller.gives_way.is_cancelled());
        let speaking = first.speak();
        all.let_one_give_way().await;
        assert_eq!(order([&first, &second, &third]), [false, true, false]);
        drop(speaking);
        drop(third);
        all.let_one_give_way().await;
        assert!(first.gives_way.is_cancelled() && !first.is_speaking());
    }

    #[tokio::test]
    async fn while_all_speak_nobody_gives_way_until_one_has_done() {
        let all = Arc::new(SilentConnections::default());
        let caller = all.caller();
        let speaking = caller.speak();
        let (_, ()) = tokio::join!(all.let_one_give_way(), async { drop(speaking) });
        assert!(caller.gives_way.is_cancelled());
    }
}
