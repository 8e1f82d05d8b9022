//! A disk that can be filled, under the data of a part of a stack. Mounting takes root's rights, by `sudo` where one is somebody else.

use std::{fs::File, io::Write, path::PathBuf, process::Command};

use anyhow::ensure;

use crate::stack::{Part, Stack};

const MIB: usize = 1 << 20;

/// The disk; dropping it takes it away, with everything on it.
pub(super) struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Moves a part's data to a disk of so many MiB. The part is stopped for that, and started again.
    pub(super) fn under(stack: &Stack, part: Part, mib: usize) -> anyhow::Result<Self> {
        let folder = stack.folder()?.join(part.as_str()).join("data");
        stack.stop(part)?;
        let move_data = "mv \"$1\" \"$1.moved\" && mkdir \"$1\" && mount -t tmpfs -o \"size=$2m\" tmpfs \"$1\" \
                         && cp -a \"$1.moved/.\" \"$1\" && rm -r \"$1.moved\"";
        as_root(&["sh", "-ec", move_data, "sh", &folder.display().to_string(), &mib.to_string()])?;
        let disk = Self { folder };
        stack.start_again(part)?;
        Ok(disk)
    }

    /// Leaves no byte free.
    pub(super) fn fill(&self) -> anyhow::Result<()> {
        let mut filler = File::create(self.filler())?;
        let piece = vec![0; MIB];
        while filler.write_all(&piece).is_ok() {}
        while filler.write_all(&[0]).is_ok() {}
        Ok(())
    }

    /// Gives the space back.
    pub(super) fn free(&self) -> anyhow::Result<()> {
        Ok(std::fs::remove_file(self.filler())?)
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Whoever still has it open keeps it until its end.
        let _ = as_root(&["umount", "--lazy", &self.folder.display().to_string()]);
    }
}

fn as_root(words: &[&str]) -> anyhow::Result<()> {
    let is_root = Command::new("id").arg("-u").output()?.stdout == b"0\n";
    let prefix: &[&str] = if is_root { &[] } else { &["sudo", "--non-interactive"] };
    let words = [prefix, words].concat();
    let output = Command::new(words[0]).args(&words[1..]).output()?;
    ensure!(
        output.status.success(),
        "{} failed: {}",
        words.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
