//! Refusals as RFC 9457 documents: what was wrong and what to do, never a value of a body and never a token.

use axum::{
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};

const MEDIA_TYPE: &str = "application/problem+json";

macro_rules! kinds {
    ($( $(#[$docs:meta])* $kind:ident = $status:ident, $name:literal, $title:literal; )+) => {
        /// Why a request is refused; its name is part of the interface.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind { $( $(#[$docs])* $kind, )+ }

        impl Kind {
            /// The status of the answer.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $( Self::$kind => StatusCode::$status, )+ }
            }

            /// The document's `type`, which never changes between releases.
            pub(crate) const fn urn(self) -> &'static str {
                match self { $( Self::$kind => concat!("urn:scoresync:problem:", $name), )+ }
            }

            /// The document's `title`.
            pub(crate) const fn title(self) -> &'static str {
                match self { $( Self::$kind => $title, )+ }
            }
        }
    };
}

kinds! {
    /// The body is not what its content type says.
    Malformed = BAD_REQUEST, "malformed-body", "the body cannot be read";
    /// The address or the body asks for something that makes no sense.
    Invalid = BAD_REQUEST, "invalid-request", "the request cannot be understood";
    /// There is no bearer token.
    NoToken = UNAUTHORIZED, "no-token", "a token is required";
    /// The token is nobody's.
    UnknownToken = UNAUTHORIZED, "unknown-token", "the token is unknown";
    /// The token lacks a right, or is not for this source.
    Forbidden = FORBIDDEN, "forbidden", "the token does not allow this";
    /// No such source is configured.
    UnknownSource = NOT_FOUND, "unknown-source", "there is no such source";
    /// No such address.
    UnknownAddress = NOT_FOUND, "unknown-address", "there is nothing at this address";
    /// The address takes other methods.
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method-not-allowed", "the address does not take this method";
    /// The body came too slowly.
    TooSlow = REQUEST_TIMEOUT, "too-slow", "the body came too slowly";
    /// The body, a row, or the number of rows is beyond its limit.
    TooLarge = PAYLOAD_TOO_LARGE, "too-large", "more was sent than is allowed";
    /// The content type, its charset, or the content encoding.
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "the body is in a format that is not taken here";
    /// Too much is going on already.
    Busy = TOO_MANY_REQUESTS, "busy", "too much is being received at the moment";
    /// What is said of an employee cannot be recorded.
    InvalidEmployee = BAD_REQUEST, "invalid-employee", "the employee cannot be recorded like this";
    /// Something of a later moment is known of the employee.
    Stale = CONFLICT, "stale-statement", "something later is known already";
    /// No such dead letter.
    UnknownLetter = NOT_FOUND, "unknown-letter", "there is no such letter";
    /// No such decision stands.
    UnknownDecision = NOT_FOUND, "unknown-decision", "no such decision stands";
    /// A decision that makes no sense as things are.
    Undecidable = UNPROCESSABLE_ENTITY, "undecidable", "this cannot be decided as things are";
    /// An error in the program.
    Internal = INTERNAL_SERVER_ERROR, "internal", "the request met an error in the program";
    /// The broker has not acknowledged what was sent.
    NotAcknowledged = SERVICE_UNAVAILABLE, "not-acknowledged", "the broker has not acknowledged what was sent";
    /// Something that the answer needs does not answer.
    Unavailable = SERVICE_UNAVAILABLE, "unavailable", "something that is needed does not answer";
    /// The process is about to end.
    ShuttingDown = SERVICE_UNAVAILABLE, "shutting-down", "the process is shutting down";
}

impl Kind {
    /// After how many seconds the same request may be taken.
    const fn retry_after(self) -> Option<&'static str> {
        match self {
            Self::Busy => Some("1"),
            Self::NotAcknowledged | Self::Unavailable | Self::ShuttingDown => Some("5"),
            Self::Malformed
            | Self::Invalid
            | Self::NoToken
            | Self::UnknownToken
            | Self::Forbidden
            | Self::UnknownSource
            | Self::UnknownAddress
            | Self::MethodNotAllowed
            | Self::TooSlow
            | Self::TooLarge
            | Self::UnsupportedMediaType
            | Self::InvalidEmployee
            | Self::Stale
            | Self::UnknownLetter
            | Self::UnknownDecision
            | Self::Undecidable
            | Self::Internal => None,
        }
    }

    /// What RFC 6750 section 3 wants to be said about the token.
    const fn challenge(self) -> Option<&'static str> {
        match self {
            Self::NoToken => Some("Bearer realm=\"scoresync\""),
            Self::UnknownToken => Some("Bearer realm=\"scoresync\", error=\"invalid_token\""),
            Self::Forbidden => Some("Bearer realm=\"scoresync\", error=\"insufficient_scope\""),
            Self::Malformed
            | Self::Invalid
            | Self::UnknownSource
            | Self::UnknownAddress
            | Self::MethodNotAllowed
            | Self::TooSlow
            | Self::TooLarge
            | Self::UnsupportedMediaType
            | Self::InvalidEmployee
            | Self::Stale
            | Self::Busy
            | Self::UnknownLetter
            | Self::UnknownDecision
            | Self::Undecidable
            | Self::Internal
            | Self::NotAcknowledged
            | Self::Unavailable
            | Self::ShuttingDown => None,
        }
    }

    /// Whether the rest of the request is not waited for.
    const fn ends_connection(self) -> bool {
        matches!(self, Self::TooSlow | Self::ShuttingDown)
    }
}

/// A refusal; as a response it is a document of RFC 9457.
#[derive(Debug)]
pub struct Problem {
    kind: Kind,
    detail: String,
    members: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
    source: Option<String>,
}

/// What a response says to the log: left among its extensions by [`Problem`].
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) kind: Kind,
    /// The configured source that it was about.
    pub(crate) source: Option<String>,
}

impl Problem {
    /// A refusal; `detail` says what to do, in a sentence without values.
    #[must_use]
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            members: Map::new(),
            headers: Vec::new(),
            source: None,
        }
    }

    /// Adds a member to the document.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }

    /// Adds a header to the response.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    /// Names the source for the log. It must be a configured one, as anything else is a value.
    #[must_use]
    pub fn about(mut self, source: &str) -> Self {
        self.source = Some(source.to_owned());
        self
    }

    /// Why it is refused.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut document = Map::new();
        document.insert("type".to_owned(), self.kind.urn().into());
        document.insert("title".to_owned(), self.kind.title().into());
        document.insert("status".to_owned(), self.kind.status().as_u16().into());
        document.insert("detail".to_owned(), self.detail.into());
        document.extend(self.members);
        let mut response = (self.kind.status(), Value::Object(document).to_string()).into_response();
        let mut set = |name, value| drop(response.headers_mut().insert(name, HeaderValue::from_static(value)));
        set(CONTENT_TYPE, MEDIA_TYPE);
        if let Some(seconds) = self.kind.retry_after() {
            set(RETRY_AFTER, seconds);
        }
        if let Some(challenge) = self.kind.challenge() {
            set(WWW_AUTHENTICATE, challenge);
        }
        if self.kind.ends_connection() {
            set(CONNECTION, "close");
        }
        response.headers_mut().extend(self.headers);
        let Self { kind, source, .. } = self;
        response.extensions_mut().insert(Refusal { kind, source });
        response
    }
}
