//! All files of the project.

use std::{fs, path::Path};

use crate::project;

/// All text files, by their path from the project's folder, sorted. Build results and hidden folders other than `.github` are left out.
pub(crate) fn text_files() -> Vec<(String, String)> {
    let mut files = Vec::new();
    collect(&project::root(), &project::root(), &mut files);
    files.sort();
    assert!(files.len() > 100, "only {} files were found", files.len());
    files
}

pub(crate) fn rust_files() -> Vec<(String, String)> {
    text_files().into_iter().filter(|(path, _)| path.ends_with(".rs")).collect()
}

fn collect(folder: &Path, root: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let is_left_out = name == "target" || name == "proptest-regressions" || (name.starts_with('.') && name != ".github");
        if path.is_dir() && !is_left_out {
            collect(&path, root, files);
        } else if path.is_file()
            && let Ok(text) = fs::read_to_string(&path)
        {
            files.push((path.strip_prefix(root).unwrap().to_string_lossy().into_owned(), text));
        }
    }
}
