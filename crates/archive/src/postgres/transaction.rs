//! Transactions of whoever writes, on a connection that is kept between them. What is asked without waiting travels together, the beginning
//! and the end of a transaction, too.

use std::{ops::Deref, sync::PoisonError};

use deadpool_postgres::{Client, ClientWrapper};

use super::PostgresArchive;
use crate::error::Failure;

/// Every statement sees what was committed before it: waiting for a lock and then reading relies on that.
///
/// What is sent together with it does its work even where it fails, each statement as a transaction of its own. So the first of them, which
/// all others wait for, asks for [`IS_BEGUN`].
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL scoresync.is_begun = 'yes'";

/// Holds in a transaction that [`BEGIN`] began, and nowhere else.
pub(super) const IS_BEGUN: &str = "current_setting('scoresync.is_begun', true) = 'yes'";

/// A transaction that is open until its work ends it.
pub(super) struct Transaction<'c>(&'c ClientWrapper);

/// How a transaction ends whose work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Commit,
    RollBack,
}

/// That a transaction was ended.
pub(super) struct Ended(());

/// Why nothing came of a transaction.
enum Broken {
    /// It was not begun.
    NotBegun(Failure),
    Begun(Failure),
}

impl Transaction<'_> {
    /// Where anything failed that was sent before, a commit is a rollback.
    pub(super) async fn end(&self, end: End) -> Result<Ended, Failure> {
        let sql = match end {
            End::Commit => "COMMIT",
            End::RollBack => "ROLLBACK",
        };
        self.batch_execute(sql).await?;
        Ok(Ended(()))
    }
}

impl Deref for Transaction<'_> {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        self.0
    }
}

impl PostgresArchive {
    /// Does some work in one transaction, which it ends. Where it fails, the transaction is rolled back before that is told: the runtime may
    /// not go on.
    ///
    /// A connection is kept for the next time, and need not be asked first whether it answers: one that does not begin is replaced. Whatever
    /// is dropped in between ends its connection and so its transaction.
    pub(super) async fn transact<T>(&self, work: impl AsyncFn(&Transaction<'_>) -> Result<(T, Ended), Failure>) -> Result<T, Failure> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(client) = kept {
            let done = run(&client, BEGIN, &work).await;
            if !matches!(done, Err(Broken::NotBegun(_))) {
                return self.settle(client, done).await;
            }
        }
        let client = Client::take(self.client().await?);
        let done = run(&client, BEGIN, &work).await;
        self.settle(client, done).await
    }

    async fn settle<T>(&self, client: ClientWrapper, done: Result<T, Broken>) -> Result<T, Failure> {
        let is_usable = match &done {
            Ok(_) => true,
            // Decided by us, between whole answers of the server. After an error of the server's own there may be one answer more than the
            // driver expects: it takes a COPY that fails at once for two.
            Err(Broken::Begun(failure)) => {
                let rolled_back = Transaction(&client).end(End::RollBack).await;
                rolled_back.is_ok() && matches!(failure, Failure::Decided(_))
            }
            Err(Broken::NotBegun(_)) => false,
        };
        if is_usable {
            *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(client);
        }
        done.map_err(|broken| match broken {
            Broken::NotBegun(failure) | Broken::Begun(failure) => failure,
        })
    }
}

async fn run<T>(
    client: &ClientWrapper,
    begin: &str,
    work: &impl AsyncFn(&Transaction<'_>) -> Result<(T, Ended), Failure>,
) -> Result<T, Broken> {
    let transaction = Transaction(client);
    let begin = async {
        let begun = client.batch_execute(begin).await;
        begun.map_err(|error| Broken::NotBegun(error.into()))
    };
    let work = async { work(&transaction).await.map_err(Broken::Begun) };
    let ((), (done, Ended(()))) = tokio::try_join!(biased; begin, work)?;
    Ok(done)
}

#[cfg(test)]
mod tests {
    use deadpool_postgres::{Manager, Pool};
    use tokio_postgres::NoTls;

    use super::{super::apply::move_positions, *};
    use crate::{TopicPartition, batch::PositionMove};

    const URL: &str = "SCORESYNC_ARCHIVE__POSTGRES__URL";

    /// It hides an archive's.
    const POSITION: &str = "CREATE TEMPORARY TABLE consumer_position
            (topic text, generation int4, partition int4, next_offset int8, schemas text);
        INSERT INTO consumer_position VALUES ('t', 1, 0, 5, '')";

    #[tokio::test]
    async fn a_position_moves_in_a_transaction_and_not_beside_one_that_could_not_begin() {
        let url = std::env::var(URL).unwrap_or_else(|_| panic!("set {URL} to a PostgreSQL database"));
        let pool = Pool::builder(Manager::new(url.parse().unwrap(), NoTls)).build().unwrap();
        let client = Client::take(pool.get().await.unwrap());
        client.batch_execute(POSITION).await.unwrap();
        let partition = TopicPartition {
            topic: "t".to_owned(),
            generation: 1,
            partition: 0,
        };
        let move_on = async |begin: &str, expected_offset| {
            let moving = async |transaction: &Transaction<'_>| {
                let position = PositionMove {
                    partition: &partition,
                    expected_offset,
                    next_offset: expected_offset + 3,
                    schemas: "",
                };
                move_positions(transaction, vec![position]).await?;
                Ok(((), transaction.end(End::Commit).await?))
            };
            let done = run(&client, begin, &moving).await;
            let position = client.query_one("SELECT next_offset FROM consumer_position", &[]).await.unwrap();
            (done.is_ok(), position.get::<_, i64>(0))
        };
        assert_eq!(move_on(BEGIN, 5).await, (true, 8));
        // The statement is prepared, and sent before the answer to the beginning is there.
        assert_eq!(move_on("SELECT 1 / 0", 8).await, (false, 8));
        assert_eq!(move_on(BEGIN, 8).await, (true, 11));
    }
}
