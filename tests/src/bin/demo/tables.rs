//! What the demo says about the company, the counts, and the end.

use std::process::ExitCode;

use scoresync_tests::{
    company::{Company, Sender},
    installation::Installation,
    verdict::Verdict,
};

/// Mismatches that are listed.
const SHOWN: usize = 20;

/// Who is about to send what.
pub(crate) fn introduce(company: &Company, installation: &Installation, seed: u64) {
    println!(
        "A company of {} employees, made up from seed {seed}, with three training systems:",
        company.employee_nos.len()
    );
    let systems = [
        (Sender::Academy, "pushes JSON, knows employee numbers (工号)"),
        (Sender::Skills, "pushes XML, knows phones only"),
        (Sender::Centre, "exports a CSV file in GB18030"),
    ];
    for (sender, way) in systems {
        let deliveries = || company.deliveries.iter().filter(|delivery| delivery.origin == sender);
        let reports: usize = deliveries().map(|delivery| delivery.reports.len()).sum();
        println!(
            "  {:<8} {way}: {reports} reports in {}",
            sender.source(),
            plural(deliveries().count(), "delivery", "deliveries")
        );
    }
    println!("Much of it is dirty: retries, corrections in and out of order, withdrawals, unknown people, shared and recycled phones,");
    println!("leavers, renumbered employees, malformed rows. For each report it is known beforehand what must become of it.");
    println!("Files are in {}.\n", installation.folder.display());
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The truth beside what was found.
pub(crate) fn compare(verdict: &Verdict) {
    println!("\n{:<38} {:>7} {:>7}", "what became of the reports", "truth", "found");
    for (label, count) in &verdict.counts {
        let mark = if count.truth == count.found { "" } else { "  <-- differs" };
        println!("{label:<38} {:>7} {:>7}{mark}", count.truth, count.found);
    }
    let sum = |number: fn(&scoresync_tests::verdict::Count) -> i64| verdict.counts.values().map(number).sum::<i64>();
    println!("{:<38} {:>7} {:>7}", "all", sum(|count| count.truth), sum(|count| count.found));
    println!("\nfiled: changed an employee's file.  duplicate: said before.  superseded: new, but something else counts; kept as history.");
    println!("refused: names another employee than the file's.  dead_lettered: kept with its reason, for a person to mend.");
}

/// The last sentence, and the exit code that says the same.
pub(crate) fn conclude(company: &Company, verdict: &Verdict) -> ExitCode {
    if verdict.is_true() {
        let records = company.results.iter().filter(|result| result.record.is_some()).count();
        println!(
            "\nEvery one of {} reports met its true fate, and all {records} records in {} files are as they must be.",
            company.report_count(),
            company.employee_nos.len()
        );
        return ExitCode::SUCCESS;
    }
    println!("\nNot everything is as it must be: {} differences.", verdict.mismatches.len());
    for mismatch in verdict.mismatches.iter().take(SHOWN) {
        println!("  {mismatch}");
    }
    if verdict.mismatches.len() > SHOWN {
        println!("  … and {} more", verdict.mismatches.len() - SHOWN);
    }
    ExitCode::FAILURE
}
