//! Scripts that use Confluent's client for Python, which shares no code with scoresync. Its packages are installed once into the cache.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};
use scoresync_tests::stack::{BROKERS, REGISTRY, project};

/// A script of `tests/interop` with the packages that it needs, not yet started.
pub(crate) fn python(script: &str) -> anyhow::Result<Command> {
    let interop = project().join("tests/interop");
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", packages(&interop)?).arg(interop.join(script));
    python.env_remove(BROKERS).env_remove(REGISTRY);
    Ok(python)
}

/// The packages of `requirements.txt` in a folder that is made once for each version of that file.
fn packages(interop: &Path) -> anyhow::Result<PathBuf> {
    let requirements = interop.join("requirements.txt");
    let pins = fs::read_to_string(&requirements)?;
    let version = pins.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let cache = cache()?;
    let folder = cache.join(format!("interop-{version:016x}"));
    if folder.is_dir() {
        return Ok(folder);
    }
    fs::create_dir_all(&cache)?;
    // Whole or not at all, and whoever is first wins.
    let fresh = tempfile::Builder::new().prefix("interop-").tempdir_in(&cache)?;
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--root-user-action",
        "ignore",
    ]);
    pip.args(["--no-deps", "--only-binary", ":all:", "--target"])
        .arg(fresh.path())
        .arg("--requirement")
        .arg(&requirements);
    let installed = pip.output().context("run python3 -m pip")?;
    ensure!(
        installed.status.success(),
        "pip failed: {}",
        String::from_utf8_lossy(&installed.stderr)
    );
    if let Err(error) = fs::rename(fresh.keep(), &folder) {
        ensure!(folder.is_dir(), "{} cannot be made: {error}", folder.display());
    }
    Ok(folder)
}

/// Where downloads of the project are kept, as for the local stack.
fn cache() -> anyhow::Result<PathBuf> {
    let named = |variable: &str| env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let default = || named("XDG_CACHE_HOME").or_else(|| named("HOME").map(|home| home.join(".cache")));
    let cache = named("SCORESYNC_CACHE").or_else(|| default().map(|cache| cache.join("scoresync")));
    cache.context("there is no home folder to keep downloads in; name a folder with SCORESYNC_CACHE")
}
