//! Logs of a process: to the standard error output, for people or as JSON.

use std::{env, io::IsTerminal, panic};

use serde::{Deserialize, Serialize};
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{EnvFilter, filter::ParseError, fmt::MakeWriter, util::SubscriberInitExt};

const FILTER_VARIABLE: &str = "SCORESYNC_LOG";

/// `[log]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSettings {
    /// For people, or for machines.
    pub format: LogFormat,
    /// What is logged: `info`, or `info,scoresync_mapper=debug`. The environment variable `SCORESYNC_LOG` wins.
    pub filter: String,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One line of text.
    #[default]
    Text,
    /// One JSON object in a line.
    Json,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            format: LogFormat::default(),
            filter: "info".to_owned(),
        }
    }
}

/// Why there are no logs.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter cannot be read.
    #[error("cannot read the log filter `{filter}` at `{directive}`; write a level ({LEVELS}) or target=level, separated by commas")]
    Filter {
        /// The whole filter.
        filter: String,
        /// What was not understood.
        directive: String,
    },
    /// Something else writes the logs of this process already.
    #[error("cannot start logging: this process has a logger already")]
    Started(#[source] tracing_subscriber::util::TryInitError),
}

const LEVELS: &str = "off, error, warn, info, debug, trace";

/// Sends the logs of this process, panics included, to the standard error output from now on. Once per process.
///
/// # Errors
/// Refuses a filter that it does not understand, and a second start.
pub fn start_telemetry(settings: &LogSettings) -> Result<(), TelemetryError> {
    let from_environment = env::var(FILTER_VARIABLE).ok().filter(|filter| !filter.is_empty());
    let filter = filter(from_environment.as_deref().unwrap_or(&settings.filter))?;
    subscriber(settings.format, filter, std::io::stderr)
        .try_init()
        .map_err(TelemetryError::Started)?;
    // The default hook writes lines that are no JSON.
    panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    Ok(())
}

/// `EnvFilter` takes a misspelt level (`inof`) for the name of a target and then logs nothing: a lone word has to be a level.
fn filter(text: &str) -> Result<EnvFilter, TelemetryError> {
    let refuse = |directive: &str| TelemetryError::Filter {
        filter: text.to_owned(),
        directive: directive.to_owned(),
    };
    let is_level = |word: &str| !word.is_empty() && word.parse::<LevelFilter>().is_ok();
    if text.contains('[') {
        if text.contains(TELLTALE) {
            return Err(refuse(text));
        }
        return discreet(text).map_err(|_| refuse(text));
    }
    let directives: Vec<&str> = text.split(',').map(str::trim).collect();
    if let Some(odd) = directives
        .iter()
        .find(|directive| !directive.rsplit('=').next().is_some_and(is_level))
    {
        return Err(refuse(odd));
    }
    let heard: Vec<&str> = directives
        .into_iter()
        .filter(|directive| !directive.starts_with(TELLTALE))
        .collect();
    discreet(&heard.join(",")).map_err(|_| refuse(text))
}

/// The client of PostgreSQL logs what statements are given (at `debug`), which is whatever reports say.
const TELLTALE: &str = "tokio_postgres";

/// Whatever is asked for, that client is not heard unless it warns.
fn discreet(text: &str) -> Result<EnvFilter, ParseError> {
    let filter = EnvFilter::builder().parse(text)?;
    let level = filter.max_level_hint().unwrap_or(LevelFilter::TRACE).min(LevelFilter::WARN);
    Ok(filter.add_directive(format!("{TELLTALE}={level}").parse()?))
}

fn subscriber<W>(format: LogFormat, filter: EnvFilter, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    let colours = std::io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    match format {
        LogFormat::Text => Box::new(builder.with_ansi(colours).finish()),
        LogFormat::Json => Box::new(builder.json().flatten_event(true).finish()),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
    };

    use super::*;

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
    fn json_logs_are_one_object_a_line_with_fields_of_their_own() {
        let captured = Captured::default();
        let writer = captured.clone();
        let subscriber = subscriber(LogFormat::Json, filter("info").unwrap(), move || writer.clone());
        tracing::subscriber::with_default(subscriber, || {
            tracing::debug!("not asked for");
            tracing::warn!(stage = "sink", "two\nlines");
        });
        let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
        assert_eq!(log.lines().count(), 1, "{log}");
        let line: serde_json::Value = serde_json::from_str(&log).unwrap();
        assert_eq!(
            (&line["level"], &line["stage"], &line["message"]),
            (&"WARN".into(), &"sink".into(), &"two\nlines".into())
        );
    }

    #[test]
    fn what_statements_are_given_is_logged_at_no_level() {
        for text in [
            "debug",
            "trace",
            "info,scoresync=trace",
            "info,tokio_postgres=debug",
            "info,tokio_postgres::query=trace",
            "trace,[span{x=1}]=trace",
        ] {
            let captured = Captured::default();
            let writer = captured.clone();
            let subscriber = subscriber(LogFormat::Text, filter(text).unwrap(), move || writer.clone());
            tracing::subscriber::with_default(subscriber, || {
                tracing::debug!(target: "tokio_postgres::query", "executing statement s1 with parameters: [13800000001]");
                tracing::warn!(target: "tokio_postgres::connection", "heard");
            });
            let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
            assert!(log.contains("heard") && !log.contains("13800000001"), "{text}: {log}");
        }
        assert!(filter("[span]=trace,tokio_postgres::query=trace").is_err());
        assert_eq!(filter("off").unwrap().max_level_hint(), Some(LevelFilter::OFF));
    }

    #[test]
    fn a_filter_that_would_silently_log_nothing_is_refused() {
        for good in [
            "info",
            "WARN",
            "info,scoresync_kafka=debug",
            "off",
            "info, rdkafka=warn",
            "info,[span{x=1}]=debug",
        ] {
            assert!(filter(good).is_ok(), "{good}");
        }
        for bad in [
            "inof",
            "",
            "info,",
            "info,scoresync_kafka",
            "scoresync_kafka=loud",
            "info,[span=debug",
        ] {
            let error = filter(bad).unwrap_err().to_string();
            assert!(error.starts_with(&format!("cannot read the log filter `{bad}`")), "{error}");
        }
    }
}
