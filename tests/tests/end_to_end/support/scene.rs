//! An installation with its topics and schemas made, in a temporary folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use scoresync_tests::{
    archive::Reader,
    company::Company,
    installation::{Database, Installation},
    stack::Stack,
    topics::Topics,
};
use tempfile::TempDir;

/// Where a test plays. Everything goes away with it.
pub(crate) struct Scene {
    pub(crate) installation: Installation,
    pub(crate) topics: Topics,
    folder: TempDir,
}

impl Scene {
    /// On the stack that all tests share.
    pub(crate) fn new(database: Database) -> anyhow::Result<Self> {
        Self::on(&Stack::of_environment()?, database)
    }

    /// With settings (by their environment twins) that have to stand before the topics are made.
    pub(crate) fn new_with(database: Database, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::lay_out(&Stack::of_environment()?, database, settings)
    }

    /// On a stack of the test's own.
    pub(crate) fn on(stack: &Stack, database: Database) -> anyhow::Result<Self> {
        Self::lay_out(stack, database, &[])
    }

    fn lay_out(stack: &Stack, database: Database, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut folder = tempfile::Builder::new().prefix("scoresync-test.").tempdir()?;
        // For whoever wants to read the logs of a test that failed.
        folder.disable_cleanup(std::env::var_os("KEEP_TEST_FOLDERS").is_some());
        let mut installation = Installation::new(stack, folder.path(), database)?;
        for (variable, value) in settings {
            installation.set(variable, *value);
        }
        installation.create()?;
        Ok(Self {
            topics: Topics::of(&installation)?,
            installation,
            folder,
        })
    }

    /// Appends to the configuration, from now on a file of the scene's own.
    pub(crate) fn configure(&mut self, more: &str) -> anyhow::Result<()> {
        self.installation.append(more)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file in the scene's folder.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> anyhow::Result<PathBuf> {
        let path = self.folder().join(name);
        fs::write(&path, content)?;
        Ok(path)
    }

    /// Tells scoresync who works at the company, first and later.
    pub(crate) fn employ(&self, company: &Company) -> anyhow::Result<()> {
        for (name, roster) in [("employees.csv", &company.roster), ("employees-later.csv", &company.later_roster)] {
            self.file(name, &roster.csv)?;
            self.installation
                .run(&["employees", "import", name, "--full", "--as-of", roster.as_of])?;
        }
        Ok(())
    }

    /// The archive, which a sink must have made.
    pub(crate) async fn archive(&self) -> anyhow::Result<Reader> {
        Reader::open(&self.installation).await
    }
}
