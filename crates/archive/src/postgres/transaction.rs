//! Transactions of whoever writes, on a connection that is kept between them. What is asked without waiting travels together, the beginning
//! and the end of a transaction, too.

use std::{ops::Deref, sync::PoisonError};

use deadpool_postgres::{Client, ClientWrapper};

use super::PostgresArchive;
use crate::error::Failure;

/// Every statement sees what was committed before it: waiting for a lock and then reading relies on that.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// A transaction that is open until its work ends it.
pub(super) struct Transaction<'c>(&'c ClientWrapper);

/// How a transaction ends whose work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Commit,
    RollBack,
}

/// Why nothing came of a transaction.
enum Broken {
    /// It was not begun.
    NotBegun(Failure),
    Begun(Failure),
}

impl Transaction<'_> {
    /// Where anything failed that was sent before, a commit is a rollback.
    pub(super) async fn end(&self, end: End) -> Result<(), Failure> {
        let sql = match end {
            End::Commit => "COMMIT",
            End::RollBack => "ROLLBACK",
        };
        Ok(self.batch_execute(sql).await?)
    }
}

impl Deref for Transaction<'_> {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        self.0
    }
}

impl PostgresArchive {
    /// Does some work, which ends with [`Transaction::end`], in one transaction. Where it fails, the transaction is rolled back before that is
    /// told: the runtime may not go on.
    ///
    /// A connection is kept for the next time, and need not be asked first whether it answers: one that does not begin is replaced. Whatever
    /// is dropped in between ends its connection and so its transaction.
    pub(super) async fn transact<T>(&self, work: impl AsyncFn(&Transaction<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(client) = kept {
            let done = run(&client, &work).await;
            if !matches!(done, Err(Broken::NotBegun(_))) {
                return self.settle(client, done).await;
            }
        }
        let client = Client::take(self.client().await?);
        let done = run(&client, &work).await;
        self.settle(client, done).await
    }

    async fn settle<T>(&self, client: ClientWrapper, done: Result<T, Broken>) -> Result<T, Failure> {
        let is_usable = match &done {
            Ok(_) => true,
            Err(Broken::NotBegun(_)) => false,
            // Where that fails, too, the connection is broken, and the server does it.
            Err(Broken::Begun(_)) => Transaction(&client).end(End::RollBack).await.is_ok(),
        };
        if is_usable {
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(client);
        }
        done.map_err(|broken| match broken {
            Broken::NotBegun(failure) | Broken::Begun(failure) => failure,
        })
    }
}

async fn run<T>(client: &ClientWrapper, work: &impl AsyncFn(&Transaction<'_>) -> Result<T, Failure>) -> Result<T, Broken> {
    let transaction = Transaction(client);
    let begin = async {
        let begun = client.batch_execute(BEGIN).await;
        begun.map_err(|error| Broken::NotBegun(error.into()))
    };
    let work = async { work(&transaction).await.map_err(Broken::Begun) };
    let ((), done) = tokio::try_join!(biased; begin, work)?;
    Ok(done)
}
