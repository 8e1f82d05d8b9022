//! How a failed command ends: one message with all causes, and an exit code that tells a wrong configuration from all else.

use scoresync_service::Exit;

/// A command that could not do its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The settings are wrong; one line each.
    Configuration(Vec<String>),
    /// Something else failed.
    Work(anyhow::Error),
}

impl Failure {
    /// Tells people, and gives the exit code.
    #[expect(clippy::print_stderr, reason = "the command line speaks to people")]
    pub(crate) fn report(self) -> Exit {
        match self {
            Self::Configuration(problems) => {
                eprintln!("scoresync: the configuration cannot be used:");
                problems.iter().for_each(|problem| eprintln!("  {problem}"));
                Exit::Configuration
            }
            Self::Work(error) => {
                eprintln!("scoresync: {error:#}");
                Exit::Failed
            }
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Work(error.into())
    }
}

/// An error with all its causes, in one line.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let all = std::iter::successors(Some(error), |error| error.source());
    all.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
