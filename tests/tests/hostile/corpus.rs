//! The inputs that are kept.

use std::fs;

use scoresync_tests::stack::project;

/// An input with the name of its file.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// All inputs of a target, by name.
pub(crate) fn inputs(target: &str) -> Vec<Input> {
    let folder = project().join("fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let read = |path: &std::path::Path| Input {
        name: path.file_name().unwrap().to_string_lossy().into_owned(),
        bytes: fs::read(path).unwrap(),
    };
    let mut inputs: Vec<Input> = entries.map(|entry| read(&entry.unwrap().path())).collect();
    inputs.sort_by(|one, other| one.name.cmp(&other.name));
    inputs
}
