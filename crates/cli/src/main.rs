//! The `scoresync` command.

fn main() {}
