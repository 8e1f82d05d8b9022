//! What is sent: employees, and reports about them, each of which follows from its number.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

/// How many of the reports find nobody, and how many cannot be mapped: one in so many.
const UNMATCHED_IN: usize = 100;
const MALFORMED_IN: usize = 200;
/// Of ten reports, so many name the employee number; the others name the phone.
const BY_NUMBER: usize = 6;

/// Names of a report's fields, in their order.
const FIELDS: [&str; 11] = [
    "成绩编号",
    "工号",
    "手机号",
    "姓名",
    "课程编号",
    "课程名称",
    "考试编号",
    "分数",
    "满分",
    "完成时间",
    "版本",
];

/// How much there is of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workload {
    pub(crate) employees: usize,
    /// Number of the first report.
    pub(crate) first: usize,
    pub(crate) reports: usize,
}

/// The values of a report's fields; an empty one is absent.
pub(crate) struct Row([String; FIELDS.len()]);

impl Workload {
    /// As many reports about other results.
    pub(crate) fn next(self) -> Self {
        Self {
            first: self.first + self.reports,
            ..self
        }
    }

    fn numbers(self) -> std::ops::Range<usize> {
        self.first..self.first + self.reports
    }

    /// How many reports end as enriched scores.
    pub(crate) fn enriched(self) -> usize {
        self.numbers().filter(|number| self.is_enriched(*number)).count()
    }

    /// Whether a report ends as one.
    pub(crate) fn is_enriched(self, number: usize) -> bool {
        fate(number) == Fate::Enriched
    }

    /// The HR system's list of all employees.
    pub(crate) fn write_roster(self, path: &Path) -> anyhow::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        writeln!(file, "工号,姓名,手机号,部门,岗位")?;
        for number in 0..self.employees {
            writeln!(
                file,
                "{},{},{},第{}车间,技术员",
                employee_no(number),
                name(number),
                phone(number),
                number % 40
            )?;
        }
        Ok(file.flush()?)
    }

    /// All reports as a training system would export them.
    pub(crate) fn write_reports(self, path: &Path, revision: u32) -> anyhow::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        writeln!(file, "{}", FIELDS.join(","))?;
        for number in self.numbers() {
            writeln!(file, "{}", self.row(number, revision).csv())?;
        }
        Ok(file.flush()?)
    }

    /// A report. Each is about a result of its own; of further revisions, the score is another one.
    pub(crate) fn row(self, number: usize, revision: u32) -> Row {
        let learner = number % self.employees;
        let fate = fate(number);
        let by_number = number % 10 < BY_NUMBER;
        let employee_no = match fate {
            Fate::Unmatched => format!("X{learner:07}"),
            Fate::Enriched | Fate::Malformed if by_number => employee_no(learner),
            Fate::Enriched | Fate::Malformed => String::new(),
        };
        let is_by_phone = employee_no.is_empty();
        let score = format!("{}.5", (number + revision as usize) % 100);
        Row([
            format!("CJ{number:08}"),
            employee_no,
            if is_by_phone { phone(learner) } else { String::new() },
            name(learner),
            format!("AQ-{:04}", number % 500),
            format!("安全生产管理与应急处置培训（第{}期）", number % 500),
            format!("KS-{:06}", number / self.employees),
            if fate == Fate::Malformed { "八十五".to_owned() } else { score },
            "100".to_owned(),
            format!("2026-{:02}-{:02} 09:{:02}:00", number % 11 + 1, number % 28 + 1, number % 60),
            revision.to_string(),
        ])
    }
}

impl Row {
    /// The columns' names, as a line.
    pub(crate) fn header() -> String {
        FIELDS.join(",")
    }

    /// A line of a table; no value needs quotes.
    pub(crate) fn csv(&self) -> String {
        self.0.join(",")
    }

    /// An object with the fields that are there.
    pub(crate) fn json(&self) -> String {
        let members: Vec<String> = self.present().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        format!("{{{}}}", members.join(","))
    }

    /// The fields that are there, with their values.
    pub(crate) fn present(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let fields = FIELDS.into_iter().zip(&self.0);
        fields
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name, value.as_str()))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Enriched,
    Unmatched,
    Malformed,
}

fn fate(number: usize) -> Fate {
    if number % UNMATCHED_IN == 7 {
        Fate::Unmatched
    } else if number % MALFORMED_IN == 11 {
        Fate::Malformed
    } else {
        Fate::Enriched
    }
}

fn employee_no(number: usize) -> String {
    format!("E{number:07}")
}

fn phone(number: usize) -> String {
    format!("199{number:08}")
}

fn name(number: usize) -> String {
    const SURNAMES: [&str; 8] = ["王", "李", "张", "刘", "陈", "杨", "赵", "黄"];
    const GIVEN: [&str; 7] = ["伟", "芳", "秀英", "敏", "静", "志强", "建国"];
    format!("{}{}", SURNAMES[number % SURNAMES.len()], GIVEN[number % GIVEN.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_as_large_as_is_said_and_the_shares_are() {
        let workload = Workload {
            employees: 1_000,
            first: 0,
            reports: 10_000,
        };
        assert_eq!(workload.enriched(), 10_000 - 100 - 50);
        let sizes = (0..10_000).map(|number| workload.row(number, 1).json().len());
        let (least, most) = sizes.fold((usize::MAX, 0), |(least, most), size| (least.min(size), most.max(size)));
        assert!(least >= 250 && most <= 350, "{least} to {most} bytes");
    }
}
