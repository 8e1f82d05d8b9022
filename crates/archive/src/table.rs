//! The tables as both databases know them: columns in their order, how a row becomes values, and how values become a row again.

mod layout;
mod read;
mod write;

pub(crate) use layout::{
    EMPLOYEES, FATE_COUNTS, FIRST_RECORDS, HISTORY, Kind, RECORDS, REFUSED, Table, history_columns, record_columns, refused_columns,
};
pub(crate) use read::{RowReader, named, present, read_history, read_record, read_refused};
pub(crate) use write::{Value, employee_values, fate_values, history_values, record_values, refused_values};
