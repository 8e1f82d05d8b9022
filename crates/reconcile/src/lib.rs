//! Reconciliation: a source's own list of results beside the archive, and what differs.
//!
//! The list is mapped and matched by the mapper's own functions. Reads the archive and the topics, and changes nothing: what is missing goes
//! through the door of the pipeline like any report. Memory does not grow with list or archive: both are written to disk by result.

mod compare;
mod difference;
mod item;
mod metrics;
mod plan;
mod run;
mod scope;
mod settling;
mod view;
mod withdrawal;

pub use difference::{Class, Difference, FieldDifference, RowPlace};
pub use metrics::ReconcileMetrics;
pub use plan::{Plan, PlanSettings, ReconcileSettings};
pub use run::{Comparison, ListRow, Progress, ReconcileError, Reconciliation, Step};
pub use scope::Scope;
pub use settling::Settling;
pub use withdrawal::{Extra, NotWithdrawable, fields_of_withdrawal};
