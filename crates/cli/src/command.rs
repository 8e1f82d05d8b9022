//! The commands, one file each.

mod aliases;
mod audit;
mod config;
mod dlq;
mod employees;
mod import;
mod import_dry_run;
mod mapping;
mod reconcile;
mod records;
mod replay;
mod schemas;
mod token;
mod topics;

use std::path::Path;

use scoresync_service::Exit;

use crate::{
    arguments::{Arguments, Command, Stage},
    configuration::{self, Checked, Configuration},
    failure::Failure,
    output::Output,
    process,
};

/// What every command gets.
pub(crate) struct Context {
    pub(crate) configuration: Configuration,
    /// Also for commands that need none of it, so that a wrong configuration is told by each in the same way.
    pub(crate) checked: Checked,
    pub(crate) output: Output,
}

/// Carries the command out.
pub(crate) fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let output = Output::of(arguments.json);
    let context = || Context::read(arguments.config.as_deref(), output);
    match arguments.command {
        Command::Up => {
            let context = context()?;
            let reconciler = (!context.checked.plans.is_empty()).then_some(Stage::Reconciler);
            let stages = [Stage::Producer, Stage::Mapper, Stage::Sink, Stage::Desk]
                .into_iter()
                .chain(reconciler);
            process::run(context, &stages.collect::<Vec<_>>())
        }
        Command::Run { stage } => process::run(context()?, &[stage]),
        Command::Import(arguments) => wait(import::run(&arguments, &context()?)),
        Command::Employees(arguments) => wait(employees::run(arguments, &context()?)),
        Command::Audit(arguments) => wait(audit::run(&arguments, &context()?)),
        Command::Reconcile(arguments) => wait(reconcile::run(arguments, context()?)),
        Command::Replay(arguments) => wait(replay::run(arguments, context()?)),
        Command::Records(arguments) => wait(records::run(&arguments, &context()?)),
        Command::Aliases(arguments) => wait(aliases::run(&arguments, &context()?)),
        Command::Dlq(arguments) => wait(dlq::run(arguments, &context()?)),
        Command::Topics(arguments) => wait(topics::run(&arguments, &context()?)),
        Command::Schemas(arguments) => wait(schemas::run(&arguments, &context()?)),
        Command::Config(arguments) => wait(config::run(&arguments, &context()?)),
        Command::Mapping(arguments) => mapping::run(&arguments, &context()?),
        Command::Token(arguments) => token::run(&arguments, output),
    }
}

impl Context {
    fn read(file: Option<&Path>, output: Output) -> Result<Self, Failure> {
        let configuration = configuration::read(file)?;
        let checked = configuration.check()?;
        Ok(Self {
            configuration,
            checked,
            output,
        })
    }
}

fn wait(work: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}
