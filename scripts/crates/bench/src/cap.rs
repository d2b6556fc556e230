//! The CPU that Lambda gives a function with little memory: a share of each period of 20 ms.

mod cgroup;
mod duty_cycle;

use std::time::Duration;

use ferrite_local_stack::files::FileError;

use cgroup::{Hierarchy, Slice};
use duty_cycle::DutyCycle;

/// The same as Lambda's.
const PERIOD: Duration = Duration::from_millis(20);
/// "Configure Lambda function memory": at 1,769 MB, a function has the equivalent of one vCPU.
const MEMORY_OF_ONE_VCPU: u32 = 1769;

/// How a process is limited to its share.
#[derive(Debug, Clone)]
pub(crate) enum CpuLimiter {
    /// By the kernel.
    Cgroup(Hierarchy),
    /// By stopping it whenever it has used its share of a period.
    Signals,
}

/// The limit of a process, which ends when this is dropped.
pub(crate) enum CpuLimit {
    Cgroup(#[expect(dead_code, reason = "the group goes when this does")] Slice),
    Signals(#[expect(dead_code, reason = "the signals end when this does")] DutyCycle),
}

impl CpuLimiter {
    /// The kernel, if this program may make control groups and `signals` is not set; or else signals.
    pub(crate) fn find(signals: bool) -> Self {
        match Hierarchy::find() {
            Some(hierarchy) if !signals => Self::Cgroup(hierarchy),
            _ => Self::Signals,
        }
    }

    /// For the head of the table.
    pub(crate) fn describe(&self) -> String {
        let method = match self {
            Self::Cgroup(hierarchy) => hierarchy.describe(),
            Self::Signals => "SIGSTOP once a period's share is used up, SIGCONT at the next",
        };
        format!("memory / {MEMORY_OF_ONE_VCPU} MB of a CPU in every {} ms, by {method}", PERIOD.as_millis())
    }

    /// Limits the process `id` with all its threads to the share of `memory` megabytes from now on.
    ///
    /// # Errors
    /// When the kernel does not let it.
    pub(crate) fn limit(&self, id: u32, memory: u32) -> Result<CpuLimit, FileError> {
        let share = share(memory);
        match self {
            Self::Cgroup(hierarchy) => hierarchy.slice(id, PERIOD, share).map(CpuLimit::Cgroup),
            Self::Signals => Ok(CpuLimit::Signals(DutyCycle::start(id, PERIOD, share))),
        }
    }
}

/// How much of each period a function of `memory` megabytes runs.
fn share(memory: u32) -> Duration {
    PERIOD * memory / MEMORY_OF_ONE_VCPU
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_what_the_memory_is_of_one_vcpus() {
        assert_eq!(share(MEMORY_OF_ONE_VCPU), PERIOD);
        assert_eq!(share(128).as_micros(), 1447);
        assert_eq!(share(512).as_micros(), 5788);
    }

    /// Only that the process is slowed down and released again, because the speed depends on the machine's load.
    #[test]
    fn a_stopped_share_comes_back_every_period() {
        if !cfg!(target_os = "linux") {
            return;
        }
        let script = "i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done";
        let mut child = std::process::Command::new("sh").args(["-c", script]).spawn().unwrap();
        let limit = CpuLimiter::Signals.limit(child.id(), 128).unwrap();
        assert!(child.wait().unwrap().success());
        drop(limit);
    }
}
