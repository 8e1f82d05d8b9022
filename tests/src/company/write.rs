//! Rows as bytes: JSON objects, XML elements, lines of CSV in GB18030. Written by hand, so that they can be damaged.

use std::fmt::Write as _;

use super::row::{Cell, Row};

/// Our names of fields, and what sources with Chinese fields call them.
const CHINESE_NAMES: [(&str, &str); 18] = [
    ("serial", "流水号"),
    ("employee_no", "工号"),
    ("employee_name", "姓名"),
    ("department", "部门"),
    ("phone", "手机号"),
    ("course_id", "课程编号"),
    ("course_title", "课程名称"),
    ("exam_id", "考试编号"),
    ("attempt", "次数"),
    ("exam_score", "分数"),
    ("max_score", "满分"),
    ("passed", "是否合格"),
    ("finish_timestamp", "完成时间"),
    ("revision", "版本"),
    ("status", "状态"),
    ("email", "邮箱"),
    ("position", "岗位"),
    ("replaced_by", "新工号"),
];
/// Before a name that is written as it is, in whatever language the others are.
const AS_IT_IS: &str = "raw:";

const CSV_COLUMNS: [&str; 9] = [
    "serial",
    "employee_no",
    "employee_name",
    "department",
    "course_id",
    "course_title",
    "exam_score",
    "passed",
    "finish_timestamp",
];

/// The Chinese name of a field.
pub(super) fn in_chinese(name: &'static str) -> &'static str {
    CHINESE_NAMES
        .iter()
        .find(|(ours, _)| *ours == name)
        .map_or(name, |(_, theirs)| theirs)
}

/// A JSON object.
pub(super) fn json_object(row: &Row) -> Vec<u8> {
    let mut object = String::new();
    for (name, cell) in &row.cells {
        let name = match name.strip_prefix(AS_IT_IS) {
            Some(name) => name,
            None if row.in_chinese => in_chinese(name),
            None => name,
        };
        object.push(if object.is_empty() { '{' } else { ',' });
        let value = match cell {
            Cell::Text(text) => quoted(text),
            Cell::Number(digits) => digits.clone(),
            Cell::Null => "null".to_owned(),
        };
        // Writing to a `String` does not fail.
        let _ = write!(object, "{}:{value}", quoted(name));
    }
    object.push('}');
    row.apply_damage(object.into_bytes())
}

/// RFC 8259 section 7; control characters do not occur.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The objects in a list, or the only one alone.
pub(super) fn json_body(rows: &[Vec<u8>]) -> Vec<u8> {
    match rows {
        [only] if only.starts_with(b"{") => only.clone(),
        _ => [b"[".as_slice(), &rows.join(b",\n".as_slice()), b"]\n"].concat(),
    }
}

/// An element `record`.
pub(super) fn xml_element(row: &Row) -> Vec<u8> {
    let mut element = String::from("  <record>");
    for (name, cell) in &row.cells {
        let text = cell.text().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let _ = write!(element, "<{name}>{text}</{name}>");
    }
    element.push_str("</record>\n");
    row.apply_damage(element.into_bytes())
}

/// The elements in a document.
pub(super) fn xml_body(rows: &[Vec<u8>]) -> Vec<u8> {
    let start = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- nightly & daily -->\n<results>\n";
    [start.as_bytes(), &rows.concat(), b"</results>\n"].concat()
}

/// A line of CSV in GB18030, without its end.
pub(super) fn csv_line(row: &Row) -> Vec<u8> {
    let cells = CSV_COLUMNS.map(|column| {
        row.cells
            .iter()
            .find(|(name, _)| *name == column)
            .map_or("", |(_, cell)| cell.text())
    });
    row.apply_damage(gb18030(&comma_separated(&cells)))
}

/// The lines in a file, with a header.
pub(super) fn csv_body(rows: &[Vec<u8>]) -> Vec<u8> {
    let header = gb18030(&comma_separated(&CSV_COLUMNS.map(in_chinese)));
    [[header].as_slice(), rows]
        .concat()
        .iter()
        .flat_map(|line| [line.as_slice(), b"\r\n"].concat())
        .collect()
}

/// RFC 4180 section 2: cells with commas, quotation marks or line ends are quoted.
pub(super) fn comma_separated(cells: &[&str]) -> String {
    let quoted = |cell: &&str| match cell.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => (*cell).to_owned(),
    };
    cells.iter().map(quoted).collect::<Vec<_>>().join(",")
}

fn gb18030(text: &str) -> Vec<u8> {
    encoding_rs::GB18030.encode(text).0.into_owned()
}
