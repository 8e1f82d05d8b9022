//! The `scoresync` command: parses, wires, exits.

mod arguments;
mod command;
mod configuration;
mod confirmation;
mod desk_api;
mod directory;
mod failure;
mod office;
mod open_archive;
mod output;
mod process;
mod producer;
mod progress;
mod reconciler;
mod reconciliation;
mod row_listing;
mod score_files;
mod stages;
mod surroundings;

use clap::Parser;
use scoresync_service::Exit;

/// For the C code of librdkafka and SQLite, too.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> Exit {
    let arguments = arguments::Arguments::parse();
    match command::run(arguments) {
        Ok(exit) => exit,
        Err(failure) => failure.report(),
    }
}
