//! The thread that hears the signals of the process and keeps the deadline of its end.

use std::{io, process, sync::mpsc, thread, time::Duration};

use tokio::{
    runtime,
    signal::unix::{Signal, SignalKind, signal},
};
use tracing::{error, info};

use crate::{Exit, Shutdown};

/// How long the exit handlers of libraries may take at a hard end.
const EXIT_HANDLERS_TIME: Duration = Duration::from_secs(2);

/// Starts the thread; on return the signals are heard.
pub(crate) fn obey(shutdown: Shutdown, deadline: Duration) -> io::Result<()> {
    let (started, start) = mpsc::sync_channel(1);
    let listen = move || {
        let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return drop(started.send(Err(error))),
        };
        runtime.block_on(async {
            let signals = Signals::hear();
            let (signals, outcome) = match signals {
                Ok(signals) => (Some(signals), Ok(())),
                Err(error) => (None, Err(error)),
            };
            drop(started.send(outcome));
            if let Some(signals) = signals {
                watch(shutdown, signals, deadline).await;
            }
        });
    };
    thread::Builder::new().name("shutdown".to_owned()).spawn(listen)?;
    start
        .recv()
        .unwrap_or_else(|_| Err(io::Error::other("the thread for signals ended")))
}

/// The request may come from inside: then the first signal is still a polite one.
async fn watch(shutdown: Shutdown, mut signals: Signals, deadline: Duration) {
    let second_signal = async {
        let name = signals.next().await;
        if !shutdown.request(name) {
            info!("{name} came while shutting down already; another signal ends the process hard");
        }
        signals.next().await
    };
    let late = async {
        shutdown.wait().await;
        tokio::time::sleep(deadline).await;
    };
    let cause = tokio::select! {
        name = second_signal => format!("a second signal ({name}) came"),
        () = late => format!("the deadline of {} s passed", deadline.as_secs()),
    };
    end_hard(&shutdown, &cause)
}

/// Exit handlers of C libraries can hang while their threads still run; then the process is aborted.
fn end_hard(shutdown: &Shutdown, cause: &str) -> ! {
    error!("ending hard because {cause}; unfinished: {}", shutdown.list_unfinished());
    drop(thread::Builder::new().spawn(|| {
        thread::sleep(EXIT_HANDLERS_TIME);
        process::abort();
    }));
    process::exit(Exit::Failed.code().into())
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn hear() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
