//! Records as people write them in the examples, into Avro and back: unions plain, times in RFC 3339, decimals and bytes as text.

use apache_avro::{Decimal, Schema, reader::datum::GenericDatumReader, types::Value, writer::datum::GenericDatumWriter};
use scoresync_domain::Timestamp;
use serde_json::{Map, Value as Json, json};

/// The datum of a readable record. Fields that are left out have their default.
pub(crate) fn write(schema: &str, record: &Json) -> Vec<u8> {
    let value = avro(&serde_json::from_str(schema).unwrap(), record);
    let schema = Schema::parse_str(schema).unwrap();
    GenericDatumWriter::builder(&schema)
        .build()
        .unwrap()
        .write_value_to_vec(value)
        .unwrap()
}

/// The readable record of a datum. Fields that have their default are left out.
pub(crate) fn read(schema: &str, mut datum: &[u8]) -> Json {
    let avro_schema = Schema::parse_str(schema).unwrap();
    let value = GenericDatumReader::builder(&avro_schema)
        .build()
        .unwrap()
        .read_value(&mut datum)
        .unwrap();
    assert!(datum.is_empty(), "bytes are left over");
    readable(&serde_json::from_str(schema).unwrap(), value)
}

pub(crate) fn from_hex(text: &str) -> Vec<u8> {
    let digit = |letter: u8| u8::try_from(char::from(letter).to_digit(16).unwrap()).unwrap();
    assert!(text.len().is_multiple_of(2), "half a byte");
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn avro(schema: &Json, json: &Json) -> Value {
    if let Some(branches) = schema.as_array() {
        let is_null = |branch: &Json| branch == "null";
        let position = branches.iter().position(|branch| is_null(branch) == json.is_null()).unwrap();
        return Value::Union(u32::try_from(position).unwrap(), Box::new(avro(&branches[position], json)));
    }
    let text = || json.as_str().unwrap_or_else(|| panic!("text is wanted, not {json}"));
    match (name_of(schema), schema["logicalType"].as_str()) {
        ("record", _) => avro_record(schema, json),
        ("array", _) => Value::Array(json.as_array().unwrap().iter().map(|item| avro(&schema["items"], item)).collect()),
        ("map", _) => {
            let entry = |(name, value): (&String, &Json)| (name.clone(), avro(&schema["values"], value));
            Value::Map(json.as_object().unwrap().iter().map(entry).collect())
        }
        ("string", Some("uuid")) => Value::Uuid(text().parse().unwrap()),
        ("string", _) => Value::String(text().to_owned()),
        ("long", Some("timestamp-millis")) => Value::TimestampMillis(Timestamp::parse_rfc3339(text()).unwrap().as_millis()),
        ("long", _) => Value::Long(json.as_i64().unwrap()),
        ("int", _) => Value::Int(json.as_i64().unwrap().try_into().unwrap()),
        ("boolean", _) => Value::Boolean(json.as_bool().unwrap()),
        ("bytes", Some("decimal")) => Value::Decimal(Decimal::from(shortest(millionths(text())))),
        ("bytes", _) => Value::Bytes(from_hex(text())),
        ("fixed", _) => Value::Fixed(16, from_hex(text())),
        ("null", _) => Value::Null,
        (other, _) => panic!("the schemas have no {other}"),
    }
}

fn avro_record(schema: &Json, json: &Json) -> Value {
    let fields = schema["fields"].as_array().unwrap();
    let given = json.as_object().unwrap();
    for name in given.keys() {
        assert!(fields.iter().any(|field| field["name"] == *name), "there is no field {name}");
    }
    let value = |field: &Json| {
        let name = field["name"].as_str().unwrap();
        let value = given.get(name).or_else(|| field.get("default"));
        (
            name.to_owned(),
            avro(&field["type"], value.unwrap_or_else(|| panic!("{name} has no default"))),
        )
    };
    Value::Record(fields.iter().map(value).collect())
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "of the library's many kinds of value our schemas have these"
)]
fn readable(schema: &Json, value: Value) -> Json {
    match value {
        Value::Union(branch, value) => readable(&schema[branch as usize], *value),
        Value::Record(values) => {
            let fields = schema["fields"].as_array().unwrap().iter().zip(values);
            let written = fields.filter_map(|(field, (name, value))| {
                let json = readable(&field["type"], value);
                (field.get("default") != Some(&json)).then_some((name, json))
            });
            Json::Object(written.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.into_iter().map(|item| readable(&schema["items"], item)).collect(),
        Value::Map(entries) => entries
            .into_iter()
            .map(|(name, value)| (name, readable(&schema["values"], value)))
            .collect(),
        Value::Null => Json::Null,
        Value::Boolean(flag) => json!(flag),
        Value::Int(number) => json!(number),
        Value::Long(number) => json!(number),
        Value::String(text) => json!(text),
        Value::Uuid(uuid) => json!(uuid.to_string()),
        Value::TimestampMillis(millis) => json!(Timestamp::from_millis(millis).to_string()),
        Value::Bytes(bytes) | Value::Fixed(_, bytes) => json!(to_hex(&bytes)),
        Value::Decimal(decimal) => json!(decimal_text(&Vec::<u8>::try_from(decimal).unwrap())),
        other => panic!("the schemas have no {other:?}"),
    }
}

fn name_of(schema: &Json) -> &str {
    schema.as_str().or_else(|| schema["type"].as_str()).unwrap()
}

/// Reads a decimal of at most six places without the product's help.
fn millionths(text: &str) -> i128 {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    assert!(fraction.len() <= 6, "{text} has more than six places");
    sign * format!("{whole}{fraction:0<6}").parse::<i128>().unwrap()
}

fn shortest(number: i128) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let is_sign = |pair: &[u8]| pair[0] == if number < 0 { 255 } else { 0 } && (pair[1] >= 128) == (number < 0);
    let spare = bytes.windows(2).take_while(|pair| is_sign(pair)).count();
    bytes[spare..].to_vec()
}

fn decimal_text(bytes: &[u8]) -> String {
    let negative = bytes[0] >= 128;
    let number = bytes
        .iter()
        .fold(if negative { -1_i128 } else { 0 }, |number, byte| number << 8 | i128::from(*byte));
    let text = format!("{:07}", number.abs());
    let (whole, fraction) = text.split_at(text.len() - 6);
    let number = format!("{whole}.{fraction}");
    let sign = if negative { "-" } else { "" };
    format!("{sign}{}", number.trim_end_matches('0').trim_end_matches('.'))
}

#[test]
fn readable_records_read_back() {
    for text in ["0", "85.5", "100", "-0.000001", "999999999999.999999", "-0.000128", "1000000000000"] {
        assert_eq!(decimal_text(&shortest(millionths(text))), text);
    }
    assert_eq!(shortest(millionths("0.000128")), [0, 128]);
    assert_eq!(from_hex("00ff7a"), [0, 255, 122]);
}
