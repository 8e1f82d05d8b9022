//! Whether what the documents point to is there.

use std::path::Path;

use crate::{check, files, project};

/// Folders and files that a path in a document begins with.
const BEGINNINGS: [&str; 8] = ["crates/", "docs/", "dev/", "schemas/", "examples/", "tests/", "fuzz/", ".github/"];

fn documents() -> Vec<(String, String)> {
    let files = files::text_files().into_iter();
    let documents: Vec<_> = files.filter(|(path, _)| path.ends_with(".md")).collect();
    for expected in ["README.md", "ARCHITECTURE.md", "docs/schemas.md"] {
        assert!(documents.iter().any(|(path, _)| path == expected), "{expected} is missing");
    }
    documents
}

/// Paths in backticks: the first word, as far as it is not a pattern.
fn named_paths(text: &str) -> Vec<String> {
    let quoted = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let paths = quoted.filter(|code| BEGINNINGS.iter().any(|beginning| code.starts_with(beginning)));
    paths.filter_map(|code| code.split_whitespace().next()).map(certain_part).collect()
}

/// `schemas/examples/<record>/*.json` is certain up to `schemas/examples`.
fn certain_part(path: &str) -> String {
    let is_certain = |part: &&str| !part.contains(['*', '<', '{', '…', '$']) && !part.contains("NNNN");
    path.split('/').take_while(is_certain).collect::<Vec<_>>().join("/")
}

/// Targets of links that lead to files of the project.
fn linked_paths(text: &str) -> Vec<String> {
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target);
    let local = targets.filter(|target| !target.contains("://") && !target.starts_with(['#', '<']) && !target.starts_with("mailto:"));
    local.map(|target| target.split('#').next().unwrap_or(target).to_owned()).collect()
}

#[test]
fn paths_are_found_in_text() {
    let text = "See `crates/kafka`, `dev/stack up` and `schemas/examples/<record>/*.json`, not `a/b`.\n[Docs](docs/a.md#x) [out](https://example.com) [up](#up)";
    assert_eq!(named_paths(text), ["crates/kafka", "dev/stack", "schemas/examples"]);
    assert_eq!(linked_paths(text), ["docs/a.md"]);
}

#[test]
fn every_path_that_a_document_names_exists() {
    let root = project::root();
    let mut problems = Vec::new();
    for (document, text) in documents() {
        let missing = named_paths(&text).into_iter().filter(|path| !root.join(path).exists());
        problems.extend(missing.map(|path| format!("{document} names `{path}`, which does not exist")));
        let folder = root.join(Path::new(&document).parent().unwrap());
        let broken = linked_paths(&text).into_iter().filter(|path| !folder.join(path).exists());
        problems.extend(broken.map(|path| format!("{document} links to {path}, which does not exist")));
    }
    check(problems);
}
