//! A source for tests, with settings changed by their path.

use serde::Deserialize;

use super::{Problem, Source, Sources, SourcesSettings};

/// The file that `[sources]` is a part of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    sources: SourcesSettings,
}

/// A training system whose exports are in Chinese or in our own words.
pub(crate) const ACADEMY: &str = r#"
[sources.academy]
mapping_version = 3
repeat = "redelivery"
time_zone = "Asia/Shanghai"
region = "CN"
employees_match = ["employee_no", "phone"]
key = ["learner", "course_id", "exam_id", "attempt"]
attempt = "field"

[sources.academy.fields]
employee_no = ["工号", "employee_no"]
phone = ["手机号", "phone"]
email = "邮箱"
account = "账号"
employee_name = ["姓名", "employee_name"]
course_id = ["课程编号", "course_id"]
course_title = ["课程名称", "course_title"]
exam_id = ["考试编号", "exam_id"]
exam_title = "考试名称"
attempt = ["次数", "attempt"]
exam_score = ["分数", "exam_score"]
min_score = "最低分"
max_score = ["满分", "max_score"]
grade = "等级"
passed = "是否合格"
finish_timestamp = ["完成时间", "finish_timestamp"]
"#;

pub(crate) fn read(text: &str) -> Result<SourcesSettings, String> {
    toml::from_str(text)
        .map(|file: File| file.sources)
        .map_err(|error| error.to_string())
}

pub(crate) fn compile(text: &str) -> Result<Sources, Vec<Problem>> {
    Sources::compile(&read(text).unwrap())
}

/// The academy with settings (`fields.exam_score`) changed to values written as in TOML; an empty value takes the setting away.
pub(crate) fn change(changes: &[(&str, &str)]) -> String {
    let mut file: toml::Table = ACADEMY.parse().unwrap();
    for (path, value) in changes {
        let (folders, name) = path.rsplit_once('.').map_or((None, *path), |(folders, name)| (Some(folders), name));
        let mut table = file["sources"]["academy"].as_table_mut().unwrap();
        for folder in folders.into_iter().flat_map(|folders| folders.split('.')) {
            let entry = table.entry(folder).or_insert_with(|| toml::Table::new().into());
            table = entry.as_table_mut().unwrap();
        }
        if value.is_empty() {
            assert!(table.remove(name).is_some(), "there is no {path} to take away");
        } else {
            let parsed: toml::Table = format!("value = {value}").parse().unwrap();
            table.insert(name.to_owned(), parsed["value"].clone());
        }
    }
    file.to_string()
}

pub(crate) fn academy(changes: &[(&str, &str)]) -> Source {
    let sources = compile(&change(changes)).unwrap_or_else(|problems| panic!("{problems:?}"));
    sources.get("academy").unwrap().clone()
}
