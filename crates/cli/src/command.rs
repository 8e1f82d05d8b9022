//! The commands, one file each.

mod config;
mod employees;
mod import;
mod import_dry_run;
mod mapping;
mod records;
mod schemas;
mod token;
mod topics;

use scoresync_service::Exit;

use crate::{
    arguments::{Arguments, Command, Stage},
    configuration::{self, Configuration},
    failure::Failure,
    output::Output,
    process,
};

/// What every command gets.
pub(crate) struct Context {
    pub(crate) configuration: Configuration,
    pub(crate) output: Output,
}

/// Carries the command out.
pub(crate) fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let output = Output::of(arguments.json);
    let context = || configuration::read(arguments.config.as_deref()).map(|configuration| Context { configuration, output });
    match arguments.command {
        Command::Up => process::run(&context()?.configuration, &[Stage::Producer, Stage::Mapper, Stage::Sink]),
        Command::Run { stage } => process::run(&context()?.configuration, &[stage]),
        Command::Import(arguments) => wait(import::run(&arguments, &context()?)),
        Command::Employees(arguments) => wait(employees::run(arguments, &context()?)),
        Command::Records(arguments) => wait(records::run(&arguments, &context()?)),
        Command::Topics(arguments) => wait(topics::run(&arguments, &context()?)),
        Command::Schemas(arguments) => wait(schemas::run(&arguments, &context()?)),
        Command::Config(arguments) => wait(config::run(&arguments, &context()?)),
        Command::Mapping(arguments) => mapping::run(&arguments, &context()?),
        Command::Token(arguments) => token::run(&arguments, output),
    }
}

fn wait(work: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}
