//! What every source file has to be like, and what no file of the project may contain.

use crate::{check, files};

const MAX_LINES: usize = 400;

/// Words that no file may contain: leftovers, and whatever only the writers of the project could know. In two parts, so that this file
/// does not contain them.
const FORBIDDEN: [(&str, &str); 8] = [
    ("TO", "DO"),
    ("FIX", "ME"),
    ("unimplemented", "!("),
    ("/wo", "rk/"),
    ("/ro", "ot/"),
    ("DESIGN", ".md"),
    ("STYLE", ".md"),
    ("artif", "actory"),
];

/// Lines before the unit tests at the file's end.
fn lines_without_tests(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let is_start = |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{');
    lines.windows(2).position(is_start).unwrap_or(lines.len())
}

fn is_test_file(path: &str) -> bool {
    let in_package = path
        .splitn(3, '/')
        .skip(if path.starts_with("crates/") { 2 } else { 1 })
        .collect::<Vec<_>>()
        .join("/");
    in_package.split('/').any(|part| part == "tests" || part == "tests.rs")
}

#[test]
fn tests_are_told_from_the_product() {
    assert!(is_test_file("crates/domain/src/matching/tests.rs"));
    assert!(is_test_file("crates/domain/src/field_mapping/tests/times.rs"));
    assert!(is_test_file("tests/tests/examples.rs"));
    assert!(!is_test_file("tests/src/stack.rs"));
    assert!(!is_test_file("crates/cli/src/main.rs"));
    assert_eq!(lines_without_tests("//! a\n\n#[cfg(test)]\nmod tests {\n}\n"), 2);
    assert_eq!(lines_without_tests("//! a\n#[cfg(test)]\nmod tests;\nfn a() {}\n"), 4);
}

#[test]
fn no_file_is_too_long_to_be_one_idea() {
    let product = files::rust_files().into_iter().filter(|(path, _)| !is_test_file(path));
    let sizes = product.map(|(path, text)| (path, lines_without_tests(&text)));
    let long = sizes.filter(|(_, lines)| *lines > MAX_LINES);
    check(
        long.map(|(path, lines)| format!("{path} has {lines} lines without its tests, {MAX_LINES} are allowed"))
            .collect(),
    );
}

#[test]
fn every_source_file_says_what_it_is() {
    let silent = files::rust_files().into_iter().filter(|(_, text)| !text.starts_with("//! "));
    check(silent.map(|(path, _)| format!("{path} does not begin with //!")).collect());
}

#[test]
fn no_file_contains_what_does_not_belong_here() {
    let mut problems = Vec::new();
    for (path, text) in files::text_files() {
        for (number, line) in text.lines().enumerate() {
            let found = FORBIDDEN
                .iter()
                .map(|(one, other)| format!("{one}{other}"))
                .filter(|word| line.contains(word));
            problems.extend(found.map(|word| format!("{path}:{} contains {word}", number + 1)));
        }
    }
    check(problems);
}
