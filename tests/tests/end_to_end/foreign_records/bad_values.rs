//! Everything that is no score report, with the reason and the sentence that its dead letter has to carry.

use scoresync_kafka::Topic;

use crate::support::{Bytes, Foreign, academy};

/// A record that cannot be decoded.
pub(super) struct BadValue {
    pub(super) record: Bytes,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

const UNDECODABLE: &str = "undecodable";
const MALFORMED: &str = "the value cannot be read: the datum does not follow its schema";

/// A value under a key of its own; the first two keys are no text, and none.
struct BadValues(Vec<BadValue>);

impl BadValues {
    fn add(&mut self, value: Option<Vec<u8>>, reason: &'static str, message: impl Into<String>) {
        let key = match self.0.len() {
            0 => None,
            1 => Some(vec![0xff, 0xfe, 0]),
            2 => Some(Vec::new()),
            number => Some(format!("key-{number}").into_bytes()),
        };
        let record = Bytes {
            key,
            value,
            headers: Vec::new(),
        };
        let message = message.into();
        self.0.push(BadValue { record, reason, message });
    }

    fn unframed(&mut self) {
        let frame = |text: &str| format!("the value is not in Confluent's wire format: {text}");
        self.add(None, UNDECODABLE, frame("the value is empty"));
        self.add(Some(Vec::new()), UNDECODABLE, frame("the value is empty"));
        for wrong in [&b"\x01\0\0\0\x01\0"[..], b"{\"score\": 85}", b"\xff"] {
            self.add(
                Some(wrong.to_vec()),
                UNDECODABLE,
                frame("the value does not begin with the magic byte 0"),
            );
        }
        for length in 1..5 {
            self.add(
                Some(vec![0; length]),
                UNDECODABLE,
                frame("the value ends inside its five-byte frame"),
            );
        }
    }

    /// Every cut through a good value, and whatever can stand behind one.
    fn wrong_length(&mut self, good: &[u8]) {
        for length in 5..good.len() {
            self.add(Some(good[..length].to_vec()), UNDECODABLE, MALFORMED);
        }
        for behind in [&[0][..], b"\n", good] {
            let message = format!("the value cannot be read: {} bytes are left over after the datum", behind.len());
            self.add(Some([good, behind].concat()), UNDECODABLE, message);
        }
    }

    /// Lengths and counts that no record has, a number without end, and text that is none.
    fn wrong_content(&mut self, schema_id: u32) {
        let frame = [&[0][..], &schema_id.to_be_bytes()].concat();
        let source = b"\x0eacademy\x02\x00";
        let endless: &[u8] = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff";
        let many_fields = [&source[..], &zigzag(10_001), &b"\x02a\x00".repeat(10_001), b"\x00\x00"].concat();
        let cases = [
            [&b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f"[..], b"academy"].concat(),
            b"\x01academy".to_vec(),
            endless.to_vec(),
            [&b"\x0eacademy"[..], endless].concat(),
            b"\x0e\xff\xfe\xfdxxxx\x02\x00\x00\x00".to_vec(),
            [&source[..], b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f"].concat(),
            [&source[..], b"\x00\x06"].concat(),
            many_fields,
        ];
        for datum in cases {
            self.add(Some([&frame[..], &datum].concat()), UNDECODABLE, MALFORMED);
        }
    }

    fn wrong_schema(&mut self, good: &[u8], others: [u32; 2], subject: &str) {
        for schema_id in others.into_iter().chain([u32::MAX, 0]) {
            let value = [&[0][..], &schema_id.to_be_bytes(), &good[5..]].concat();
            self.add(
                Some(value),
                "unknown_schema",
                format!("schema id {schema_id} does not belong to {subject}"),
            );
        }
    }
}

/// All of them.
pub(super) async fn bad_values(foreign: &Foreign) -> anyhow::Result<Vec<BadValue>> {
    let good = foreign.encode(&academy::report("X-BAD", &[])).await?;
    let others = [
        foreign.schema_id(Topic::Employees).await?,
        foreign.schema_id(Topic::Enriched).await?,
    ];
    let mut bad = BadValues(Vec::new());
    bad.unframed();
    bad.wrong_length(&good);
    bad.wrong_content(foreign.schema_id(Topic::Raw).await?);
    bad.wrong_schema(&good, others, &format!("{}-value", foreign.name(Topic::Raw)));
    Ok(bad.0)
}

/// A number as Avro writes it.
fn zigzag(number: u64) -> Vec<u8> {
    let mut rest = number << 1;
    let mut bytes = Vec::new();
    while rest >= 0x80 {
        bytes.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}
