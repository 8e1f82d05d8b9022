//! A schema of its own in a shared PostgreSQL, so that no two installations see each other's records.

use std::thread;

use anyhow::{Context, anyhow};
use tokio_postgres::NoTls;

/// A schema; dropped with all that is in it when this is dropped.
#[derive(Debug)]
pub(crate) struct Schema {
    server_url: String,
    name: String,
    is_kept: bool,
}

impl Schema {
    /// Makes an empty one; the name has to be of letters, digits and underscores.
    pub(crate) fn create(server_url: &str, name: String) -> anyhow::Result<Self> {
        execute(server_url, format!("CREATE SCHEMA {name}"))?;
        Ok(Self {
            server_url: server_url.to_owned(),
            name,
            is_kept: false,
        })
    }

    /// The address under which everything lands in the schema.
    pub(crate) fn url(&self) -> String {
        let separator = if self.server_url.contains('?') { '&' } else { '?' };
        format!("{}{separator}options=-c%20search_path%3D{}", self.server_url, self.name)
    }

    /// Lets it stay.
    pub(crate) fn keep(&mut self) {
        self.is_kept = true;
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        if !self.is_kept {
            // A schema that stays behind harms nobody but the one who looks for it.
            let _ = execute(&self.server_url, format!("DROP SCHEMA {} CASCADE", self.name));
        }
    }
}

/// On a thread and a runtime of its own: the caller may be inside of one, which must not be blocked on.
fn execute(url: &str, sql: String) -> anyhow::Result<()> {
    let url = url.to_owned();
    let work = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await.context("connect to PostgreSQL")?;
            tokio::spawn(connection);
            client.batch_execute(&sql).await.context("make or drop a schema")
        })
    });
    work.join().map_err(|_| anyhow!("the thread that works on a schema panicked"))?
}
