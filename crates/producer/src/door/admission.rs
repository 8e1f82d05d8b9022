//! What is decided by the head of a request: who sends, for which source, in which format, and whether there is room.

use std::{sync::Arc, time::Duration};

use axum::http::{
    HeaderMap, HeaderName,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE},
};
use scoresync_domain::Source;
use scoresync_web::{Kind, Problem, Right, Token, Tokens};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::format::{Encoding, Format, FormatSettings};

/// W3C Linked Data Platform 1.0 section 7.1: the types that POST takes here.
const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");

/// How long a request may wait until fewer are being received: not as long as clients wait for `100 Continue` before they send a body all the
/// same (curl: a second), as that would be in the way of the answer.
const SLOT_PATIENCE: Duration = Duration::from_millis(500);

/// The media types of [`Format::ALL`], as a header has them.
const MEDIA_TYPES: &str = "application/json, application/x-ndjson, application/xml, text/csv";

/// One source's way in.
#[derive(Debug)]
pub(super) struct Entrance {
    pub(super) source: Source,
    pub(super) settings: FormatSettings,
}

/// A request that may send its body.
#[derive(Debug)]
pub(super) struct Admission {
    pub(super) entrance: Arc<Entrance>,
    pub(super) format: Format,
    /// The entrance's, and what the content type says.
    pub(super) settings: FormatSettings,
    /// Given back when all of the request's work has ended.
    _slot: OwnedSemaphorePermit,
}

/// Decides who may send what.
#[derive(Debug)]
pub(super) struct Porter {
    pub(super) tokens: Arc<Tokens>,
    pub(super) entrances: Vec<Arc<Entrance>>,
    pub(super) slots: Arc<Semaphore>,
    pub(super) max_body_bytes: u64,
}

impl Porter {
    /// Decides by the head; `least_bytes` is what the body has at least.
    /// A request waits a moment for its slot: many that come at once are short, and whoever is sent away comes again and makes it worse.
    pub(super) async fn admit(&self, source: &str, headers: &HeaderMap, least_bytes: u64) -> Result<Admission, Problem> {
        let token = self.tokens.authorise(headers, Right::Reports)?;
        let entrance = self.entrance(token, source)?;
        let name = &entrance.source.name;
        let (format, settings) = read_content_type(headers, &entrance.settings).map_err(|problem| problem.about(name))?;
        if self.max_bytes(format).is_some_and(|max_bytes| least_bytes > max_bytes) {
            return Err(body_too_large(self.max_body_bytes).about(name));
        }
        let Ok(Ok(slot)) = tokio::time::timeout(SLOT_PATIENCE, Arc::clone(&self.slots).acquire_owned()).await else {
            let detail = "as many requests as door.max_concurrent_requests allows are being received: send this one again later";
            return Err(Problem::new(Kind::Busy, detail).about(name));
        };
        tracing::debug!(source = name, token = token.name(), %format, "receiving reports");
        Ok(Admission {
            entrance,
            format,
            settings,
            _slot: slot,
        })
    }

    /// The greatest body of a format; those whose rows stand alone have none.
    pub(super) fn max_bytes(&self, format: Format) -> Option<u64> {
        match format {
            Format::Json | Format::Xml => Some(self.max_body_bytes),
            Format::Ndjson | Format::Csv => None,
        }
    }

    /// That a source does not exist is told to those who may speak for some: a name that is written wrongly is found at once, and
    /// nobody else can find out which sources there are.
    fn entrance(&self, token: &Token, source: &str) -> Result<Arc<Entrance>, Problem> {
        let entrance = self.entrances.iter().find(|entrance| entrance.source.name == source);
        match entrance {
            Some(entrance) if token.may_speak_for(source) => Ok(Arc::clone(entrance)),
            None if token.may_speak_for_some() => {
                let detail = "no source of this name is configured: check the name in the address, /v1/sources/NAME/reports";
                Err(Problem::new(Kind::UnknownSource, detail))
            }
            Some(_) | None => {
                let detail = "the token may not speak for this source: add the source to the token's `sources` in the configuration";
                Err(Problem::new(Kind::Forbidden, detail))
            }
        }
    }
}

/// The refusal of a body that is larger than it may be.
pub(super) fn body_too_large(max_bytes: u64) -> Problem {
    let detail = format!(
        "a body of JSON or XML may have {max_bytes} bytes (door.max_body_mib): send it in parts, or as NDJSON or CSV, which may have any size"
    );
    Problem::new(Kind::TooLarge, detail).with("max_body_bytes", max_bytes)
}

fn read_content_type(headers: &HeaderMap, settings: &FormatSettings) -> Result<(Format, FormatSettings), Problem> {
    let is_identity = |coding: &[u8]| coding.trim_ascii().eq_ignore_ascii_case(b"identity");
    let mut codings = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    if !codings.all(is_identity) {
        let detail = "compressed bodies are not taken: send the body as it is, without Content-Encoding";
        return Err(unsupported(detail).with_header(ACCEPT_ENCODING, "identity"));
    }
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let format = Format::from_content_type(content_type)
        .ok_or_else(|| unsupported(format!("state the body's format in the header Content-Type, one of: {MEDIA_TYPES}")))?;
    let charset = Encoding::from_content_type(content_type).map_err(|error| unsupported(format!("the charset is not taken: {error}")))?;
    Ok((format, with_charset(format, charset, settings)?))
}

/// JSON is Unicode (RFC 8259 section 8.1), and XML says its encoding itself; CSV has nothing but the charset.
fn with_charset(format: Format, charset: Option<Encoding>, settings: &FormatSettings) -> Result<FormatSettings, Problem> {
    let mut settings = settings.clone();
    match (format, charset) {
        (Format::Json | Format::Ndjson, Some(Encoding::Gb18030)) => {
            return Err(unsupported("JSON is sent in UTF-8: convert the body, or send it as XML or CSV"));
        }
        (Format::Csv, Some(charset)) => settings.csv_encoding = Some(charset),
        (Format::Json | Format::Ndjson | Format::Xml | Format::Csv, _) => {}
    }
    settings
        .check()
        .map_err(|error| unsupported(format!("the charset does not go with the source's settings: {error}")))?;
    Ok(settings)
}

fn unsupported(detail: impl Into<String>) -> Problem {
    let media_types: Vec<_> = Format::ALL.iter().map(|format| format.content_type()).collect();
    Problem::new(Kind::UnsupportedMediaType, detail)
        .with("media_types", media_types)
        .with_header(ACCEPT_POST, MEDIA_TYPES)
}
