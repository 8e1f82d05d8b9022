//! The rules of the architecture, as tests: what the folders promise has to be true.
#![expect(clippy::unwrap_used, reason = "a test may panic; the lint knows only functions marked as tests")]

#[path = "architecture/borders.rs"]
mod borders;
#[path = "architecture/documents.rs"]
mod documents;
#[path = "architecture/files.rs"]
mod files;
#[path = "shared/project.rs"]
mod project;
#[path = "architecture/source_files.rs"]
mod source_files;
#[path = "architecture/variables.rs"]
mod variables;

/// Fails with all problems at once.
fn check(problems: Vec<String>) {
    assert!(problems.is_empty(), "{} problem(s):\n{}", problems.len(), problems.join("\n"));
}
