//! The archive for a command, which makes none, least of all at a wrong place.

use anyhow::{Context as _, bail};
use scoresync_archive::{Access, Archive};

use crate::configuration::Configuration;

/// Opens the archive that a sink has made.
pub(crate) async fn open_archive(configuration: &Configuration, access: Access) -> anyhow::Result<Archive> {
    if !Archive::is_prepared(&configuration.archive).await? {
        bail!("there is no archive yet; has a sink run?");
    }
    Archive::open(&configuration.archive, access)
        .await
        .context("open the archive; has a sink run yet?")
}
