//! What there is to look at: one employee's file, and, where scoresync goes on running, how to try it oneself.

use std::collections::BTreeMap;

use scoresync_tests::{company::Company, installation::Installation, process::Process};

/// The employee whose file has a corrected result and a withdrawn one, if possible, and few others.
pub(crate) fn employee_to_show(company: &Company) -> String {
    let mut files: BTreeMap<&str, (bool, bool, usize)> = BTreeMap::new();
    for result in &company.results {
        let Some(record) = &result.record else { continue };
        let (corrected, withdrawn, records) = files.entry(&record.employee_no).or_default();
        *corrected |= result.versions > 2;
        *withdrawn |= record.withdrawn;
        *records += 1;
    }
    let best = files
        .into_iter()
        .filter(|(_, (_, _, records))| (3..=8).contains(records))
        .max_by_key(|(employee_no, (corrected, withdrawn, records))| (*corrected, *withdrawn, std::cmp::Reverse(*records), *employee_no));
    best.map(|(employee_no, _)| employee_no.to_owned())
        .or_else(|| company.employee_nos.first().cloned())
        .unwrap_or_default()
}

/// The file as the command line shows it.
pub(crate) fn show_file(installation: &Installation, employee_no: &str) -> anyhow::Result<()> {
    println!("\nThe file of {employee_no} (scoresync records {employee_no}), with what each result was before:\n");
    for line in installation.run(&["records", employee_no])?.lines() {
        println!("  {line}");
    }
    Ok(())
}

/// The books as the command line shows them; an error where they do not balance.
pub(crate) fn show_books(installation: &Installation) -> anyhow::Result<()> {
    println!("\nDo the books balance (scoresync audit)?\n");
    for line in installation.run(&["audit"])?.lines() {
        println!("  {line}");
    }
    Ok(())
}

/// Addresses, commands to try, and how to end it all.
pub(crate) fn leave(installation: &Installation, process: &Process, employee_no: &str) {
    let folder = installation.folder.display();
    let environment = installation.folder.join("env");
    let exports: String = installation
        .variables()
        .map(|(name, value)| format!("export {name}='{value}'\n"))
        .collect();
    let token = installation.tokens.get("academy").map_or("", String::as_str);
    let path = std::env::current_exe()
        .ok()
        .and_then(|exe| Some(exe.parent()?.display().to_string()))
        .unwrap_or_default();
    let exports = format!("{exports}export PATH=\"{path}:$PATH\"\nTOKEN={token}\n");
    let id = installation.folder.join("scoresync.pid");
    let written = std::fs::write(&environment, exports).and_then(|()| std::fs::write(id, process.id().to_string()));
    if let Err(error) = written {
        println!("{folder} cannot be written to: {error}");
    }
    println!(
        "\nscoresync goes on running as process {}, with its log in {folder}/scoresync.log:",
        process.id()
    );
    println!("  door      http://{}/v1/sources/SOURCE/reports", installation.door);
    println!("  health    http://{0}/readyz and http://{0}/livez", process.admin());
    println!("  metrics   http://{}/metrics", process.admin());
    println!(
        "  Kafka     {} (topics {}*)",
        installation.kafka.brokers, installation.topics.prefix
    );
    println!("  registry  {}", installation.registry.url);
    println!("\nThree commands to try, after: source {}", environment.display());
    println!("  scoresync records {employee_no}");
    println!(
        "  curl -X POST http://{}/v1/sources/academy/reports -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' \\",
        installation.door
    );
    println!(
        "    -d '{{\"工号\":\"{employee_no}\",\"课程编号\":\"C-200\",\"考试编号\":\"X-200\",\"次数\":1,\"分数\":99.5,\"完成时间\":\"2025-12-01 09:00:00\",\"版本\":1}}'"
    );
    println!("  scoresync mapping try centre {folder}/centre.csv");
}
