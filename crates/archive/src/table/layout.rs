//! Names and kinds of all columns, and the statements that are the same in both databases.

use std::{fmt::Write, sync::LazyLock};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Int4,
    Int8,
    Text,
    Bytes,
    Flag,
    Id,
}

/// One column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
}

/// How rows are written to a table.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: Vec<Column>,
    /// What happens to a row whose key is there already.
    pub(crate) conflict: String,
}

impl Table {
    /// The columns, separated by commas.
    pub(crate) fn names(&self) -> String {
        self.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
    }
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind }
}

const RESULT_ID: Column = column("result_id", Kind::Id);
const CONTENT_NUMBER: Column = column("content_number", Kind::Int4);
const SPEAKS: Column = column("speaks", Kind::Flag);

const HEAD: [Column; 16] = [
    column("origin_generation", Kind::Int4),
    column("origin_partition", Kind::Int4),
    column("origin_offset", Kind::Int8),
    column("mapping_version", Kind::Int4),
    column("decision", Kind::Int8),
    column("employee_no", Kind::Text),
    column("matched_by", Kind::Text),
    column("status", Kind::Text),
    column("revision_scheme", Kind::Int4),
    column("revision", Kind::Int8),
    column("content_hash", Kind::Bytes),
    column("repeat", Kind::Text),
    column("received_ms", Kind::Int8),
    column("enriched_generation", Kind::Int4),
    column("enriched_partition", Kind::Int4),
    column("enriched_offset", Kind::Int8),
];

const CONTENT: [Column; 17] = [
    column("source", Kind::Text),
    column("system", Kind::Text),
    column("employee_name", Kind::Text),
    column("department", Kind::Text),
    column("position", Kind::Text),
    column("course_id", Kind::Text),
    column("course_title", Kind::Text),
    column("exam_id", Kind::Text),
    column("exam_title", Kind::Text),
    column("attempt", Kind::Int8),
    column("exam_score_millionths", Kind::Int8),
    column("min_score_millionths", Kind::Int8),
    column("max_score_millionths", Kind::Int8),
    column("grade", Kind::Text),
    column("passed", Kind::Flag),
    column("finish_ms", Kind::Int8),
    column("rounded", Kind::Flag),
];

const OWNER: [Column; 4] = [
    column("owner_employee_no", Kind::Text),
    column("owner_decision", Kind::Int8),
    column("shown_status", Kind::Text),
    column("shown_content_hash", Kind::Bytes),
];

const EMPLOYEE: [Column; 7] = [
    column("employee_no", Kind::Text),
    column("name", Kind::Text),
    column("department", Kind::Text),
    column("position", Kind::Text),
    column("left_at_ms", Kind::Int8),
    column("replaced_by", Kind::Text),
    column("as_of_ms", Kind::Int8),
];

const FATE_COUNT: [Column; 4] = [
    column("generation", Kind::Int4),
    column("partition", Kind::Int4),
    column("fate", Kind::Text),
    column("count", Kind::Int8),
];

fn overwrite(key: &str, columns: &[Column]) -> String {
    let mut conflict = format!("ON CONFLICT ({key}) DO UPDATE SET ");
    for (number, Column { name, .. }) in columns.iter().enumerate() {
        let comma = if number == 0 { "" } else { ", " };
        let _ = write!(conflict, "{comma}{name} = excluded.{name}");
    }
    conflict
}

fn record_table(conflict: String) -> Table {
    Table {
        name: "training_record",
        columns: [&[RESULT_ID][..], &HEAD, &OWNER, &[CONTENT_NUMBER], &CONTENT].concat(),
        conflict,
    }
}

/// Records of results that are said for the first time; one that is there already stays as it is.
pub(crate) static FIRST_RECORDS: LazyLock<Table> = LazyLock::new(|| record_table("ON CONFLICT (result_id) DO NOTHING".to_owned()));

/// Records that were judged.
pub(crate) static RECORDS: LazyLock<Table> = LazyLock::new(|| {
    let columns = [&HEAD[..], &OWNER, &[CONTENT_NUMBER], &CONTENT].concat();
    record_table(overwrite("result_id", &columns))
});

/// History; of a row that is there already, whether it speaks and its content are written anew.
pub(crate) static HISTORY: LazyLock<Table> = LazyLock::new(|| Table {
    name: "score_history",
    columns: [&[RESULT_ID][..], &HEAD, &[CONTENT_NUMBER, SPEAKS], &CONTENT].concat(),
    conflict: overwrite(
        "result_id, origin_generation, origin_partition, origin_offset, mapping_version, decision, (coalesce(employee_no, ''))",
        &[&[SPEAKS][..], &CONTENT].concat(),
    ),
});

/// Refusals; a position that is read again overwrites what it said.
pub(crate) static REFUSED: LazyLock<Table> = LazyLock::new(|| {
    let columns = [
        &[column("reason", Kind::Text), RESULT_ID][..],
        &HEAD,
        &CONTENT,
        &[column("raw", Kind::Bytes)],
    ]
    .concat();
    Table {
        name: "refused_score",
        conflict: overwrite("enriched_generation, enriched_partition, enriched_offset", &columns),
        columns,
    }
});

/// Counts of fates, added to what is there.
pub(crate) static FATE_COUNTS: LazyLock<Table> = LazyLock::new(|| Table {
    name: "fate_count",
    columns: FATE_COUNT.to_vec(),
    conflict: "ON CONFLICT (generation, partition, fate) DO UPDATE SET count = fate_count.count + excluded.count".to_owned(),
});

/// Employees, unless what is there is newer.
pub(crate) static EMPLOYEES: LazyLock<Table> = LazyLock::new(|| Table {
    name: "employee",
    columns: EMPLOYEE.to_vec(),
    conflict: overwrite("employee_no", &EMPLOYEE[1..]) + " WHERE employee.as_of_ms <= excluded.as_of_ms",
});

/// What [`super::read_record`] reads, in its order.
pub(crate) fn record_columns() -> String {
    RECORDS.names()
}

/// What [`super::read_history`] reads, in its order.
pub(crate) fn history_columns() -> String {
    HISTORY.names()
}

/// What [`super::read_refused`] reads, in its order.
pub(crate) fn refused_columns() -> String {
    REFUSED.names()
}
