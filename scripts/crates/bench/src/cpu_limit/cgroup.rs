//! Limits a process with a cgroup that has a CPU quota.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferrite_local_stack::files::{FileError, at};

/// A mounted cgroup hierarchy in which this program may create groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hierarchy {
    /// Version 1: `cpu.cfs_period_us` and `cpu.cfs_quota_us`.
    V1,
    /// Version 2: `cpu.max`.
    V2,
}

/// A cgroup with one process. Dropping it removes the cgroup, so the process must have exited by then.
pub(crate) struct Cgroup {
    folder: PathBuf,
}

static CREATED: AtomicUsize = AtomicUsize::new(0);

impl Hierarchy {
    /// Returns the first hierarchy in which a quota can be set.
    pub(crate) fn find() -> Option<Self> {
        [Self::V1, Self::V2].into_iter().find(|hierarchy| {
            let period = Duration::from_millis(20);
            hierarchy.create().and_then(|group| hierarchy.set_quota(&group.folder, period, period).map(|()| group)).is_ok()
        })
    }

    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::V1 => "a cgroup v1 quota",
            Self::V2 => "a cgroup v2 quota",
        }
    }

    /// Moves the process `id` into a new cgroup that may run for `share` of every `period`.
    ///
    /// # Errors
    /// Returns an error if a file of the hierarchy cannot be written.
    pub(crate) fn limit_process(self, id: u32, period: Duration, share: Duration) -> Result<Cgroup, FileError> {
        let group = self.create()?;
        self.set_quota(&group.folder, period, share)?;
        write(&group.folder.join("cgroup.procs"), &id.to_string())?;
        Ok(group)
    }

    fn create(self) -> Result<Cgroup, FileError> {
        let root = match self {
            Self::V1 => "/sys/fs/cgroup/cpu",
            Self::V2 => "/sys/fs/cgroup",
        };
        let number = CREATED.fetch_add(1, Ordering::Relaxed);
        let folder = Path::new(root).join(format!("ferrite-bench-{}-{number}", std::process::id()));
        fs::create_dir(&folder).map_err(at(&folder))?;
        Ok(Cgroup { folder })
    }

    fn set_quota(self, folder: &Path, period: Duration, share: Duration) -> Result<(), FileError> {
        let period = period.as_micros();
        let share = share.as_micros();
        match self {
            Self::V1 => {
                write(&folder.join("cpu.cfs_period_us"), &period.to_string())?;
                write(&folder.join("cpu.cfs_quota_us"), &share.to_string())
            }
            Self::V2 => write(&folder.join("cpu.max"), &format!("{share} {period}")),
        }
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.folder);
    }
}

/// Writes to an existing file. Unlike `fs::write`, it fails if the kernel does not provide the file.
fn write(path: &Path, text: &str) -> Result<(), FileError> {
    use std::io::Write as _;
    let mut file = fs::File::options().write(true).open(path).map_err(at(path))?;
    file.write_all(text.as_bytes()).map_err(at(path))
}
