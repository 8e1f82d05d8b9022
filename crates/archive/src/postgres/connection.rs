//! Opening the pool: URL, encryption, and what every session is told.

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

use deadpool_postgres::{Client, ClientWrapper, Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use native_tls::{Certificate, TlsConnector};
use postgres_native_tls::MakeTlsConnector;
use tokio_postgres::{
    Config, NoTls,
    config::{Host, SslMode},
};

use super::migrate;
use crate::{
    error::Failure,
    settings::{Access, PostgresSettings, Tls},
};

/// Training records in PostgreSQL.
pub struct PostgresArchive {
    settings: PostgresSettings,
    access: Access,
    pool: Pool,
    /// Of whoever writes, between two transactions.
    pub(super) kept: Mutex<Option<ClientWrapper>>,
}

impl PostgresArchive {
    pub(crate) async fn open(settings: &PostgresSettings, access: Access) -> Result<Self, Failure> {
        let archive = Self::connect(settings, access)?;
        let mut client = archive.client().await?;
        require_utf8(&client).await?;
        match access {
            Access::Writer | Access::Desk => migrate::migrate(&mut client).await?,
            Access::Reader => migrate::require_current(&client).await?,
        }
        Ok(archive)
    }

    /// The same with connections of its own, for a thread that drives them itself.
    pub(crate) fn apart(&self) -> Result<Self, Failure> {
        Self::connect(&self.settings, self.access)
    }

    /// Whether a writer has ever opened it.
    pub(crate) async fn is_prepared(settings: &PostgresSettings) -> Result<bool, Failure> {
        let client = Self::connect(settings, Access::Reader)?.client().await?;
        require_utf8(&client).await?;
        migrate::is_begun(&client).await
    }

    fn connect(settings: &PostgresSettings, access: Access) -> Result<Self, Failure> {
        let mut config = read_url(&settings.url)?;
        if let Some(password) = &settings.password {
            config.password(password.expose());
        }
        let connect_timeout = Duration::from_millis(settings.connect_timeout_ms);
        config
            .application_name("scoresync")
            .connect_timeout(connect_timeout)
            .tcp_user_timeout(Duration::from_millis(settings.statement_timeout_ms))
            .keepalives_idle(Duration::from_secs(10))
            .keepalives_interval(Duration::from_secs(5))
            .keepalives_retries(3);
        let pool = Pool::builder(manager(config, settings)?)
            .max_size(settings.pool_size.max(1))
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts {
                wait: Some(connect_timeout),
                create: Some(connect_timeout),
                recycle: Some(connect_timeout),
            })
            .post_create(told_to_every_session(settings, access))
            .build()
            .map_err(|error| Failure::environment(error.to_string()))?;
        Ok(Self {
            settings: settings.clone(),
            access,
            pool,
            kept: Mutex::default(),
        })
    }

    pub(super) async fn client(&self) -> Result<Client, Failure> {
        Ok(self.pool.get().await?)
    }
}

/// Any other encoding lacks characters that people's names have.
async fn require_utf8(client: &Client) -> Result<(), Failure> {
    let encoding: String = client.query_one("SHOW server_encoding", &[]).await?.try_get(0)?;
    if encoding == "UTF8" {
        return Ok(());
    }
    Err(Failure::environment(format!(
        "its database has the encoding {encoding}, which cannot hold every name; give it one that was made with ENCODING 'UTF8'"
    )))
}

/// The driver's error is not passed on: it may quote a part of a password that was not percent-encoded.
fn read_url(url: &str) -> Result<Config, Failure> {
    url.parse().map_err(|_| {
        Failure::environment(
            "its url cannot be read; write postgresql://user@host:port/database; a password is set by archive.postgres.password",
        )
    })
}

fn manager(mut config: Config, settings: &PostgresSettings) -> Result<Manager, Failure> {
    let tls = settings
        .tls
        .unwrap_or_else(|| if is_this_machine(&config) { Tls::Disable } else { Tls::VerifyFull });
    let recycling = ManagerConfig {
        recycling_method: RecyclingMethod::Verified,
    };
    Ok(match tls {
        Tls::Disable => {
            config.ssl_mode(SslMode::Disable);
            Manager::from_config(config, NoTls, recycling)
        }
        Tls::VerifyFull => {
            config.ssl_mode(SslMode::Require);
            Manager::from_config(config, verify_full(settings.ca_file.as_deref())?, recycling)
        }
    })
}

fn is_this_machine(config: &Config) -> bool {
    let is_loopback = |host: &Host| match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        Host::Unix(_) => true,
    };
    config.get_hosts().iter().all(is_loopback) && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

fn verify_full(ca_file: Option<&Path>) -> Result<MakeTlsConnector, Failure> {
    let mut builder = TlsConnector::builder();
    if let Some(path) = ca_file {
        let unreadable =
            |error: &dyn std::fmt::Display| Failure::environment(format!("its ca_file {} cannot be read ({error})", path.display()));
        let pem = fs::read(PathBuf::from(path)).map_err(|error| unreadable(&error))?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| unreadable(&error))?;
        builder.disable_built_in_roots(true).add_root_certificate(certificate);
    }
    let connector = builder.build().map_err(|error| Failure::environment(error.to_string()))?;
    Ok(MakeTlsConnector::new(connector))
}

/// A commit that was answered must be on disk: where the server was told otherwise, this session is not.
///
/// Every question by key has an index; plans made while a table was young, without it, would be kept until they take seconds.
fn told_to_every_session(settings: &PostgresSettings, access: Access) -> Hook {
    let read_only = match access {
        Access::Writer | Access::Desk => "off",
        Access::Reader => "on",
    };
    let said = format!(
        "SET statement_timeout = {}; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {};
        SET default_transaction_read_only = {read_only}; SET enable_seqscan = off; SET jit = off;
        SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
        settings.statement_timeout_ms, settings.lock_timeout_ms, settings.idle_in_transaction_timeout_ms
    );
    Hook::async_fn(move |client, _| {
        let said = said.clone();
        Box::pin(async move { client.batch_execute(&said).await.map_err(HookError::Backend) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: bool) {
        assert_eq!(read_url(url).map(|config| is_this_machine(&config)).ok(), Some(expected), "{url}");
    }

    #[test]
    fn only_this_machine_may_go_without_encryption_by_itself() {
        check("postgresql://a@localhost/b", true);
        check("postgresql://a@127.0.0.1:5432/b", true);
        check("postgresql://a@[::1]/b", true);
        check("host=/run/postgresql user=a", true);
        check("postgresql://a@records.example/b", false);
        check("postgresql://a@localhost,records.example/b", false);
        check("host=localhost hostaddr=192.0.2.7 user=a", false);
    }

    #[test]
    fn an_unreadable_url_is_not_quoted() {
        match read_url("postgresql://a@host/b?hunter2=1") {
            Err(Failure::Environment(cause)) => assert!(!cause.to_string().contains("hunter2"), "{cause}"),
            other => panic!("{other:?}"),
        }
    }
}
