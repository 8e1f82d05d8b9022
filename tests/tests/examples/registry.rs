//! The real decoder, asking a registry that knows one schema under the id 1.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
};

use scoresync_kafka::{DecodeError, Decoder, Record, Registry, RegistrySettings};
use serde_json::json;
use tokio::runtime::Runtime;

/// Id of the one schema.
pub(crate) const SCHEMA_ID: u32 = 1;
const SUBJECT: &str = "example-value";

/// A decoder with its registry.
pub(crate) struct ExampleDecoder<R> {
    decoder: Decoder<R>,
    _runtime: Runtime,
}

impl<R: Record> ExampleDecoder<R> {
    pub(crate) fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let settings = RegistrySettings {
            url: format!("http://{}", listener.local_addr().unwrap()),
            ..RegistrySettings::default()
        };
        std::thread::spawn(move || listener.incoming().for_each(|connection| answer(connection.unwrap(), R::SCHEMA)));
        Self {
            decoder: Decoder::new(SUBJECT.to_owned(), Registry::new(&settings).unwrap(), runtime.handle().clone()),
            _runtime: runtime,
        }
    }

    pub(crate) fn decode<'a>(&mut self, value: &'a [u8]) -> Result<R::Borrowed<'a>, DecodeError> {
        self.decoder.decode(Some(value))
    }
}

/// Answers one request in Confluent's registry interface.
fn answer(mut connection: TcpStream, schema: &str) {
    let mut lines = BufReader::new(connection.try_clone().unwrap()).lines().map_while(Result::ok);
    let request = lines.next().unwrap_or_default();
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let body = match request.split(' ').nth(1) {
        Some("/subjects/example-value/versions") => json!([1]),
        Some("/subjects/example-value/versions/1") => json!({"subject": SUBJECT, "id": SCHEMA_ID, "version": 1, "schema": schema}),
        other => panic!("the decoder asked for {other:?}"),
    };
    let body = body.to_string();
    write!(
        connection,
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
}
