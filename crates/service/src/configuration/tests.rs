//! The file and the environment, and everything that can be wrong with them.

use std::{collections::BTreeMap, fs, net::SocketAddr};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::*;
use crate::{AdminSettings, LogFormat, LogSettings, NOT_SETTINGS, Secret, ShutdownSettings, redacted_dump};

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    kafka: Kafka,
    database: Option<Database>,
    #[serde(default)]
    sources: BTreeMap<String, Source>,
    #[serde(default)]
    admin: AdminSettings,
    #[serde(default)]
    log: LogSettings,
    #[serde(default)]
    shutdown: ShutdownSettings,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Kafka {
    brokers: Vec<String>,
    #[serde(default)]
    client_id: String,
    linger_ms: Option<u16>,
    #[serde(default)]
    dev: bool,
    password: Option<Secret>,
    #[serde(default)]
    security: Security,
    #[serde(default)]
    librdkafka: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Source {
    token: Secret,
}

#[derive(Debug, Deserialize, Serialize)]
struct Database {
    #[serde(deserialize_with = "crate::connection_url")]
    url: String,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case", tag = "mechanism")]
enum Security {
    #[default]
    None,
    Scram {
        password: Secret,
    },
}

const BROKERS: &str = "[kafka]\nbrokers = ['a.example:9092']\n";

fn write(folder: &TempDir, text: &str) -> PathBuf {
    let path = folder.path().join("scoresync.toml");
    fs::write(&path, text).unwrap();
    path
}

fn load_text(text: &str, environment: &[(&str, &str)]) -> Result<Settings, ConfigurationError> {
    let folder = TempDir::new().unwrap();
    load_with(Some(&write(&folder, text)), environment.iter().copied())
}

fn problems(text: &str, environment: &[(&str, &str)]) -> Vec<Problem> {
    match load_text(text, environment) {
        Err(ConfigurationError::Problems(problems)) => problems,
        other => panic!("{text}: {other:?}"),
    }
}

/// Exactly these settings are wrong, and the error says so with these words.
fn check_problems(text: &str, environment: &[(&str, &str)], expected: &[(&str, &str)]) {
    let problems = problems(text, environment);
    let settings: Vec<&str> = problems.iter().map(|problem| problem.setting.as_str()).collect();
    assert_eq!(
        settings,
        expected.iter().map(|(setting, _)| *setting).collect::<Vec<_>>(),
        "{problems:?}"
    );
    for (problem, (_, words)) in problems.iter().zip(expected) {
        assert!(problem.to_string().contains(words), "{words} in {problem}");
    }
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_defaults() {
    let text = "log.filter = 'warn'\nlog.format = 'json'\n[kafka]\nbrokers = ['a.example:9092']\nlinger_ms = 5\n";
    let settings = load_text(text, &[("SCORESYNC_LOG__FILTER", "debug"), ("SCORESYNC_KAFKA__LINGER_MS", "7")]).unwrap();
    assert_eq!((settings.log.filter.as_str(), settings.log.format), ("debug", LogFormat::Json));
    assert_eq!(settings.kafka.linger_ms, Some(7));
    assert_eq!(settings.kafka.brokers, ["a.example:9092"]);
    assert_eq!(settings.admin.listen, "127.0.0.1:9090".parse::<SocketAddr>().unwrap());
    assert_eq!(settings.shutdown.deadline_seconds.get(), 30);
}

#[test]
fn all_can_come_from_the_environment() {
    let environment = [
        ("SCORESYNC_KAFKA__BROKERS", "['a.example:9092', 'b.example:9092']"),
        ("SCORESYNC_KAFKA__CLIENT_ID", "00123"),
        ("SCORESYNC_KAFKA__DEV", "true"),
        ("SCORESYNC_KAFKA__PASSWORD", "0080411"),
        ("SCORESYNC_ADMIN__LISTEN", "[::1]:9999"),
        ("SCORESYNC_LOG__FORMAT", "json"),
        ("SCORESYNC_SHUTDOWN__DEADLINE_SECONDS", "5"),
        ("PATH", "/bin"),
    ];
    let settings: Settings = load_with(None, environment).unwrap();
    assert_eq!(settings.kafka.brokers, ["a.example:9092", "b.example:9092"]);
    assert_eq!(settings.kafka.client_id, "00123");
    assert!(settings.kafka.dev);
    assert_eq!(settings.kafka.password.unwrap().expose(), "0080411");
    assert_eq!(settings.admin.listen, "[::1]:9999".parse::<SocketAddr>().unwrap());
    assert_eq!(settings.log.format, LogFormat::Json);
    assert_eq!(settings.shutdown.deadline_seconds.get(), 5);
}

#[test]
fn variables_reach_keys_that_no_variable_can_spell() {
    let text = format!("{BROKERS}[kafka.librdkafka]\n'socket.timeout.ms' = '1'\n[sources.Acme-LMS]\ntoken = {{ file = '/nowhere' }}\n");
    let environment = [
        ("SCORESYNC_KAFKA__LIBRDKAFKA__SOCKET_TIMEOUT_MS", "2"),
        ("SCORESYNC_SOURCES__ACME_LMS__TOKEN", "tr0ub4dor"),
    ];
    let settings = load_text(&text, &environment).unwrap();
    assert_eq!(
        settings.kafka.librdkafka,
        BTreeMap::from([("socket.timeout.ms".to_owned(), "2".to_owned())])
    );
    assert_eq!(settings.sources["Acme-LMS"].token.expose(), "tr0ub4dor");
}

#[test]
fn a_misspelt_setting_is_an_error_wherever_it_stands() {
    let known = "no such setting, known here: one of `brokers`, `client_id`";
    check_problems(&format!("{BROKERS}broker = 'x'"), &[], &[("`kafka.broker`", known)]);
    check_problems(BROKERS, &[("SCORESYNC_KAFKA__BROKER", "x")], &[("`kafka.broker`", known)]);
    check_problems(
        BROKERS,
        &[("SCORESYNC_KAFKA__BROKER", "x")],
        &[("`kafka.broker`", "variable SCORESYNC_KAFKA__BROKER:")],
    );
    check_problems(
        BROKERS,
        &[("SCORESYNC_KAFKA_BROKERS", "x")],
        &[("`kafka_brokers`", "variable SCORESYNC_KAFKA_BROKERS:")],
    );
    check_problems(
        BROKERS,
        &[("SCORESYNC_CONFIGURATION", "x")],
        &[("`configuration`", "no such setting")],
    );
}

#[test]
fn variables_of_the_command_itself_are_no_settings() {
    assert!(load_text(BROKERS, &NOT_SETTINGS.map(|name| (name, "x"))).is_ok());
}

#[test]
fn all_problems_are_listed_at_once() {
    let text = "admim = 1\n[kafka]\nbrokers = 'a.example'\nlinger_ms = 70000\n[log]\nformat = 'xml'\n[shutdown]\ndeadline_seconds = 0\n";
    let expected = [
        ("`admim`", "no such setting"),
        ("`kafka.brokers`", "expected a sequence, found text"),
        ("`kafka.linger_ms`", "expected u16, found a value that is out of its range"),
        ("`log.format`", "expected `text` or `json`"),
        ("`shutdown.deadline_seconds`", "expected a nonzero u32"),
    ];
    check_problems(text, &[], &expected);
    let expected = [
        ("`kafka.linger_ms`", "expected u16, found a value that is out of its range"),
        ("`kafka.brokers`", "required and not set"),
    ];
    check_problems("[kafka]\nlinger_ms = 70000", &[], &expected);
    let error = load_text("[kafka]\nlinger_ms = 70000", &[]).unwrap_err().to_string();
    assert!(
        error.contains("scoresync.toml or as SCORESYNC_KAFKA__BROKERS: it is required"),
        "{error}"
    );
    assert_eq!(error.lines().count(), 3, "{error}");
}

#[test]
fn variables_that_contradict_each_other_are_an_error() {
    let environment = [("SCORESYNC_LOG__FILTER", "info"), ("SCORESYNC_LOG__FILTER__LEVEL", "info")];
    check_problems(BROKERS, &environment, &[("`log.filter.level`", "another variable sets the same")]);
    let environment = [("SCORESYNC_LOG__FILTER", "info"), ("SCORESYNC_LOG__filter", "warn")];
    check_problems(BROKERS, &environment, &[("`log.filter`", "another variable sets the same")]);
}

#[test]
fn a_value_that_is_no_unicode_is_an_error_and_no_panic() {
    use std::os::unix::ffi::OsStringExt;
    let environment = [(OsString::from("SCORESYNC_LOG__FILTER"), OsString::from_vec(vec![0x69, 0xff]))];
    let folder = TempDir::new().unwrap();
    let error = load_with::<Settings, _, _>(Some(&write(&folder, BROKERS)), environment)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("`log.filter` in the environment variable SCORESYNC_LOG__FILTER: its value is not valid UTF-8"),
        "{error}"
    );
}

#[test]
fn a_secret_in_the_file_is_refused_even_where_a_variable_hides_it() {
    let text = format!("{BROKERS}password = 'tr0ub4dor'\n[sources.lms]\ntoken = 'tr0ub4dor'\n");
    let advice = "write { file = \"path\" } or set SCORESYNC_KAFKA__PASSWORD";
    let token = "write { file = \"path\" } or set SCORESYNC_SOURCES__LMS__TOKEN";
    check_problems(&text, &[], &[("`kafka.password`", advice), ("`sources.lms.token`", token)]);
    let hiding = [("SCORESYNC_KAFKA__PASSWORD", "other"), ("SCORESYNC_SOURCES__LMS__TOKEN", "other")];
    check_problems(&text, &hiding, &[("`kafka.password`", advice), ("`sources.lms.token`", token)]);
}

#[test]
fn a_secret_is_read_from_its_file_without_the_newline() {
    let folder = TempDir::new().unwrap();
    let secret = folder.path().join("password");
    fs::write(&secret, " tr0ub4dor \r\n").unwrap();
    let text = format!(
        "{BROKERS}password = {{ file = '{0}' }}\nsecurity = {{ mechanism = 'scram', password.file = '{0}' }}\n",
        secret.display()
    );
    let settings = load_text(&text, &[]).unwrap();
    assert_eq!(settings.kafka.password.unwrap().expose(), " tr0ub4dor ");
    assert!(matches!(settings.kafka.security, Security::Scram { password } if password.expose() == " tr0ub4dor "));
    let path = secret.to_str().unwrap();
    let settings = load_text(BROKERS, &[("SCORESYNC_KAFKA__PASSWORD__FILE", path)]).unwrap();
    assert_eq!(settings.kafka.password.unwrap().expose(), " tr0ub4dor ");
}

#[test]
fn a_secret_that_cannot_be_read_is_a_clear_error() {
    let secret = |written: &str| format!("{BROKERS}password = {written}");
    let missing = "cannot read the secret's file /nowhere/password: No such file";
    check_problems(&secret("{ file = '/nowhere/password' }"), &[], &[("`kafka.password`", missing)]);
    for odd in [
        "{ file = 80411 }",
        "{ flie = 'x' }",
        "{ file = 'x', mode = 1 }",
        "80411",
        "['x']",
        "true",
    ] {
        check_problems(
            &secret(odd),
            &[],
            &[("`kafka.password`", "expected a secret: text from the environment, or")],
        );
    }
    check_problems(
        BROKERS,
        &[("SCORESYNC_KAFKA__PASSWORD", "")],
        &[("`kafka.password`", "the secret is empty")],
    );
    let hidden_by_serde = [
        ("SCORESYNC_KAFKA__SECURITY__MECHANISM", "scram"),
        ("SCORESYNC_KAFKA__SECURITY__PASSWORD", "x"),
    ];
    check_problems(BROKERS, &hidden_by_serde, &[("`kafka.security`", "only read from a file")]);
}

#[test]
fn no_error_shows_a_value() {
    let canary = "tr0ub4dor";
    for text in [
        format!("{BROKERS}password = '{canary}'"),
        format!("{BROKERS}password = {canary}"),
        format!("{BROKERS}password = '{canary}"),
        format!("{BROKERS}linger_ms = '{canary}'"),
        format!("{BROKERS}security = {{ mechanism = 'scram', password = '{canary}' }}"),
        format!("{BROKERS}[log]\nformat = '{canary}'"),
        format!("{BROKERS}[admin]\nlisten = '{canary}'"),
        format!("{BROKERS}[sources]\nlms = '{canary}'"),
    ] {
        let error = format!("{:?}", chain(&load_text(&text, &[]).unwrap_err()));
        assert!(!error.contains(canary), "{error}");
    }
}

fn chain(error: &dyn std::error::Error) -> Vec<String> {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_file_that_is_missing_or_no_toml_is_named_with_line_and_column() {
    let error = load_with::<Settings, _, _>(Some(Path::new("/nowhere/scoresync.toml")), [("A", "b")]).unwrap_err();
    assert!(error.to_string().contains("/nowhere/scoresync.toml"), "{error}");
    let error = load_text("[kafka]\nbrokers = ['a.example'\nlinger_ms = 5\n", &[]).unwrap_err();
    assert!(matches!(error, ConfigurationError::NoToml { line: 3, .. }), "{error}");
    let error = load_text("[kafka]\nlinger_ms = 5\n  linger_ms = 6\n", &[]).unwrap_err();
    assert!(matches!(error, ConfigurationError::NoToml { line: 3, column: 3, .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("scoresync.toml is not valid TOML: line 3, column 3: duplicate key"),
        "{error}"
    );
}

#[test]
fn what_was_loaded_is_dumped_without_secrets() {
    let settings = load_text(BROKERS, &[("SCORESYNC_KAFKA__PASSWORD", "tr0ub4dor")]).unwrap();
    let dump = redacted_dump(&settings).unwrap();
    assert!(
        dump.contains("password = \"[redacted]\"") && dump.contains("listen = \"127.0.0.1:9090\""),
        "{dump}"
    );
    assert!(!dump.contains("tr0ub4dor"), "{dump}");
}

#[test]
fn an_address_with_a_password_is_taken_from_the_environment_alone() {
    let with_password = "postgresql://filer:tr0ub4dor@db.example/files";
    let variable = ("SCORESYNC_DATABASE__URL", with_password);
    let settings = load_text(BROKERS, &[variable]).unwrap();
    assert_eq!(settings.database.unwrap().url, with_password);
    for (address, is_taken) in [
        ("postgresql://filer@db.example/files", true),
        (with_password, false),
        ("postgresql://db.example/files?user=filer&password=tr0ub4dor", false),
        ("postgresql://db.example/files?user=filer&pass%77ord=tr0ub4dor", false),
        ("host=db.example user=filer password=tr0ub4dor", false),
        ("host=db.example user=filer password = tr0ub4dor", false),
        ("host=db.example user=filer", false),
    ] {
        let text = format!("{BROKERS}[database]\nurl = '{address}'\n");
        if is_taken {
            assert_eq!(load_text(&text, &[]).unwrap().database.unwrap().url, address);
            continue;
        }
        // Also where the environment hides it.
        for environment in [&[][..], &[variable]] {
            check_problems(&text, environment, &[("`database.url`", "`database.password`")]);
            let said = problems(&text, environment)[0].to_string();
            assert!(said.contains("SCORESYNC_DATABASE__URL") && !said.contains("tr0ub4dor"), "{said}");
        }
    }
}

#[test]
fn an_address_in_any_form_of_the_driver_is_taken_from_the_environment_and_shown_only_as_far_as_it_is_no_secret() {
    for address in ["host=db.example user=filer password = tr0ub4dor", "host=db.example user=tr0ub4dor"] {
        let settings = load_text(BROKERS, &[("SCORESYNC_DATABASE__URL", address)]).unwrap();
        let dump = redacted_dump(&settings).unwrap();
        assert!(dump.contains("url = \"[redacted]\"") && !dump.contains("tr0ub4dor"), "{dump}");
    }
}

#[test]
fn what_is_no_address_is_refused_wherever_it_stands() {
    let expected = [("`database.url`", "expected an address: postgresql://")];
    check_problems(&format!("{BROKERS}[database]\nurl = 'tr0ub4dor'\n"), &[], &expected);
    check_problems(BROKERS, &[("SCORESYNC_DATABASE__URL", "tr0ub4dor")], &expected);
}
