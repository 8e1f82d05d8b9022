//! The first contact with the brokers. Why a login or a certificate is refused, the client library tells in events alone; whoever only waits
//! for the answer to a call hears that no broker can be reached.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use rdkafka::{
    ClientContext,
    client::Client,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseProducer, DeliveryResult, Producer, ProducerContext},
};

use crate::{
    client,
    error::{Error, Kind},
    settings::KafkaSettings,
};

/// How long brokers may take to answer.
const LIMIT: Duration = Duration::from_secs(10);
/// How long the first attempt waits; each further one waits twice as long.
const FIRST_ATTEMPT: Duration = Duration::from_millis(500);

/// How long to listen after a failed attempt: a poll without time hears of one event alone, and that is often a line of the log.
const LISTEN: Duration = Duration::from_millis(20);

/// A client that asks brokers and hears why they cannot be asked.
pub(crate) struct FirstContact {
    client: BaseProducer<Listener>,
}

impl FirstContact {
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// Settings that the client refuses.
    pub(crate) fn new(kafka: &KafkaSettings) -> Result<Self, Error> {
        let client = client::base(kafka)?.create_with_context(Listener::default());
        Ok(Self {
            client: client.map_err(Error::client("make a client"))?,
        })
    }

    /// Asks until there is an answer; `ask` is told how long it may wait for it.
    ///
    /// # Errors
    /// What `ask` says of a failure that lasts, and [`Error::Unreachable`] with what the client library said meanwhile.
    pub(crate) fn ask<T>(&self, mut ask: impl FnMut(&Client<Listener>, Duration) -> Result<T, Error>) -> Result<T, Error> {
        let (begun, mut attempt) = (Instant::now(), FIRST_ATTEMPT);
        loop {
            let error = match ask(self.client.client(), attempt) {
                Err(error) if error.kind() == Kind::Transient => error,
                outcome => return outcome,
            };
            self.client.poll(LISTEN);
            let left = LIMIT.saturating_sub(begun.elapsed());
            match self.client.context().heard() {
                Some(heard) if heard.is_refusal() || left.is_zero() => return Err(heard.explain(&error)),
                None if left.is_zero() => return Err(error),
                Some(_) | None => {}
            }
            attempt = (attempt * 2).min(left);
        }
    }
}

/// Remembers the most telling thing that the client library said.
#[derive(Default)]
pub(crate) struct Listener(Mutex<Option<Heard>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Heard {
    code: RDKafkaErrorCode,
    reason: String,
}

impl Listener {
    fn heard(&self) -> Option<Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for Listener {
    /// What matters comes as an error, too.
    fn log(&self, _: rdkafka::config::RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, error: KafkaError, reason: &str) {
        let Some(code) = error.rdkafka_error_code() else { return };
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.as_ref().is_none_or(|before| weight(before.code) <= weight(code)) {
            *heard = Some(Heard {
                code,
                reason: without_times(reason).to_owned(),
            });
        }
    }
}

impl ProducerContext for Listener {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}

/// A refusal tells more than that a connection broke off after it, and that more than its consequence.
fn weight(code: RDKafkaErrorCode) -> u8 {
    if code == RDKafkaErrorCode::AllBrokersDown {
        0
    } else {
        1 + u8::from(advice(code).is_some())
    }
}

/// How long it took and how often it was said differ each time, and whoever is told again and again wants to hear what is new.
fn without_times(reason: &str) -> &str {
    reason.split(" (after ").next().unwrap_or(reason)
}

/// What a person can do about it, where brokers are there and refuse us or we them.
fn advice(code: RDKafkaErrorCode) -> Option<&'static str> {
    if code == RDKafkaErrorCode::Authentication {
        Some("check mechanism, username and password in [kafka.security], and that the broker knows the user for that mechanism")
    } else if code == RDKafkaErrorCode::SSL {
        Some("check protocol and ca_file in [kafka.security], and that kafka.brokers names each broker as its certificate does")
    } else {
        None
    }
}

impl Heard {
    fn is_refusal(&self) -> bool {
        advice(self.code).is_some()
    }

    fn explain(self, error: &Error) -> Error {
        let advice = advice(self.code).map(|advice| format!("; {advice}")).unwrap_or_default();
        Error::Unreachable(format!("{error}: {}{advice}", self.reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_not_forgotten_over_what_follows_from_it() {
        let listener = Listener::default();
        for (code, reason) in [
            (RDKafkaErrorCode::BrokerTransportFailure, "disconnected (after 3ms in state UP)"),
            (
                RDKafkaErrorCode::Authentication,
                "invalid credentials (after 5ms in state AUTH_REQ)",
            ),
            (RDKafkaErrorCode::BrokerTransportFailure, "disconnected"),
            (RDKafkaErrorCode::AllBrokersDown, "1/1 brokers are down"),
        ] {
            listener.error(KafkaError::Global(code), reason);
        }
        let heard = listener.heard().unwrap();
        assert!(heard.is_refusal());
        assert_eq!(heard.reason, "invalid credentials");
        let told = heard.explain(&Error::Describe("no answer".to_owned())).to_string();
        assert!(told.contains("no answer: invalid credentials; check mechanism, username"), "{told}");
    }

    #[test]
    fn brokers_that_are_away_are_no_refusal() {
        let listener = Listener::default();
        listener.error(KafkaError::Global(RDKafkaErrorCode::AllBrokersDown), "1/1 brokers are down");
        listener.error(KafkaError::Global(RDKafkaErrorCode::BrokerTransportFailure), "Connection refused");
        let heard = listener.heard().unwrap();
        assert!(!heard.is_refusal());
        assert_eq!(heard.reason, "Connection refused");
    }
}
