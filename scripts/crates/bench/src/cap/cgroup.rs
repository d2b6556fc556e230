//! The kernel's own cap: a control group with a CPU quota.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferrite_local_stack::files::{FileError, at};

/// A mounted hierarchy in which this program may make groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hierarchy {
    /// `cpu.cfs_period_us` and `cpu.cfs_quota_us`.
    V1,
    /// `cpu.max`.
    V2,
}

/// A group with one process in it, which has to end before the group can.
pub(crate) struct Slice {
    folder: PathBuf,
}

static SLICES: AtomicUsize = AtomicUsize::new(0);

impl Hierarchy {
    /// The first that takes a quota.
    pub(crate) fn find() -> Option<Self> {
        [Self::V1, Self::V2].into_iter().find(|hierarchy| {
            let period = Duration::from_millis(20);
            hierarchy.group().and_then(|group| hierarchy.limit(&group.folder, period, period).map(|()| group)).is_ok()
        })
    }

    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::V1 => "a cgroup's quota (v1)",
            Self::V2 => "a cgroup's quota (v2)",
        }
    }

    /// Moves the process `id` into a group that runs for `share` of every `period`.
    ///
    /// # Errors
    /// When a file of the hierarchy cannot be written.
    pub(crate) fn slice(self, id: u32, period: Duration, share: Duration) -> Result<Slice, FileError> {
        let group = self.group()?;
        self.limit(&group.folder, period, share)?;
        write(&group.folder.join("cgroup.procs"), &id.to_string())?;
        Ok(group)
    }

    fn group(self) -> Result<Slice, FileError> {
        let root = match self {
            Self::V1 => "/sys/fs/cgroup/cpu",
            Self::V2 => "/sys/fs/cgroup",
        };
        let number = SLICES.fetch_add(1, Ordering::Relaxed);
        let folder = Path::new(root).join(format!("ferrite-bench-{}-{number}", std::process::id()));
        fs::create_dir(&folder).map_err(at(&folder))?;
        Ok(Slice { folder })
    }

    fn limit(self, folder: &Path, period: Duration, share: Duration) -> Result<(), FileError> {
        let (period, share) = (period.as_micros(), share.as_micros());
        match self {
            Self::V1 => {
                write(&folder.join("cpu.cfs_period_us"), &period.to_string())?;
                write(&folder.join("cpu.cfs_quota_us"), &share.to_string())
            }
            Self::V2 => write(&folder.join("cpu.max"), &format!("{share} {period}")),
        }
    }
}

impl Drop for Slice {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.folder);
    }
}

/// Unlike `fs::write`, makes no file: where the kernel has none, there is nothing to set.
fn write(path: &Path, text: &str) -> Result<(), FileError> {
    use std::io::Write as _;
    let mut file = fs::File::options().write(true).open(path).map_err(at(path))?;
    file.write_all(text.as_bytes()).map_err(at(path))
}
