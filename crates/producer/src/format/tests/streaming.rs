//! Long bodies in little memory.

use super::*;

const ROWS: u64 = 200_000;

/// Writes a body while it is read; none of it exists before.
struct Generated<F> {
    row: F,
    next: u64,
    piece: Vec<u8>,
    read: usize,
}

impl<F: Fn(u64) -> String> Read for Generated<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.piece.len() && self.next <= ROWS + 1 {
            self.piece = (self.row)(self.next).into_bytes();
            self.read = 0;
            self.next += 1;
        }
        let bytes = (&self.piece[self.read..]).read(buffer)?;
        self.read += bytes;
        Ok(bytes)
    }
}

/// `row(0)` is what comes before the rows, `row(ROWS + 1)` what comes after.
fn check(reading: &Reading, row: impl Fn(u64) -> String) {
    let generated = Generated {
        row,
        next: 0,
        piece: Vec::new(),
        read: 0,
    };
    let mut rows = read_rows(reading.format, &reading.settings, reading.limits, BufReader::new(generated)).unwrap();
    let (mut read, mut most_held_bytes) = (0, 0);
    while let Some(row) = rows.next() {
        read += 1;
        let fields = row.unwrap().content.unwrap();
        assert_eq!(fields.get("n"), Some(Some(read.to_string().as_str())));
        most_held_bytes = most_held_bytes.max(rows.held_bytes());
    }
    assert_eq!(read, ROWS);
    assert!(
        (1..400_000).contains(&most_held_bytes),
        "{} held {most_held_bytes} bytes",
        reading.format
    );
}

fn around(number: u64, before: &str, after: &str, row: impl Fn() -> String) -> String {
    match number {
        0 => before.to_owned(),
        number if number > ROWS => after.to_owned(),
        _ => row(),
    }
}

#[test]
fn a_long_array_is_read_in_little_memory() {
    check(&Reading::of(Format::Json), |number| {
        around(number, "[{\"n\":1}", "]", || {
            if number == 1 {
                " ".to_owned()
            } else {
                format!(", {{\"n\":{number}}}")
            }
        })
    });
}

#[test]
fn a_long_array_inside_of_an_object_is_read_in_little_memory() {
    let reading = Reading::of(Format::Json).set(|settings| settings.json_rows = Some("d.rows".to_owned()));
    check(&reading, |number| {
        around(number, "{\"d\":{\"rows\":[{\"n\":1}", "]}}", || {
            if number == 1 {
                "\n".to_owned()
            } else {
                format!(",{{\"n\":{number}}}")
            }
        })
    });
}

#[test]
fn long_ndjson_is_read_in_little_memory() {
    check(&Reading::of(Format::Ndjson), |number| {
        around(number, "\n", "\n", || format!("{{\"n\":{number}}}\r\n"))
    });
}

#[test]
fn a_long_xml_document_is_read_in_little_memory() {
    check(&Reading::of(Format::Xml), |number| {
        around(number, "<rows>", "</rows>", || format!("<r><n>{number}</n></r>\n"))
    });
}

#[test]
fn long_csv_is_read_in_little_memory() {
    check(&Reading::of(Format::Csv), |number| {
        around(number, "n,分\r\n", "\r\n", || format!("{number},\"甲\"\r\n"))
    });
}

#[test]
fn blank_lines_cost_no_memory() {
    let blank = |number| if number < 3 { "n\r\n".to_owned() } else { "\r\n".repeat(50) };
    let input = || {
        BufReader::new(Generated {
            row: blank,
            next: 2,
            piece: Vec::new(),
            read: 0,
        })
    };
    for format in [Format::Csv, Format::Ndjson] {
        let mut rows = read_rows(format, &FormatSettings::default(), Limits::default(), input().chain(&b"{}"[..])).unwrap();
        while rows.next().is_some() {
            assert!(
                (1..400_000).contains(&rows.held_bytes()),
                "{format} held {} bytes",
                rows.held_bytes()
            );
        }
    }
}
