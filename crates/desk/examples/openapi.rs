//! Prints the description of the desk's HTTP interface: `cargo run -q -p scoresync-desk --example openapi > docs/dead-letters.openapi.json`.

#![expect(clippy::print_stdout, reason = "it prints")]

fn main() -> serde_json::Result<()> {
    println!("{}", scoresync_desk::openapi().to_pretty_json()?);
    Ok(())
}
