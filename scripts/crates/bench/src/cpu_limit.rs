//! Limits the CPU as Lambda does: a function with little memory runs only for a share of each 20 ms period.

mod cgroup;
mod duty_cycle;

use std::time::Duration;

use ferrite_local_stack::files::FileError;

use cgroup::{Cgroup, Hierarchy};
use duty_cycle::DutyCycle;

/// Length of a scheduling period, as in Lambda.
const PERIOD: Duration = Duration::from_millis(20);
/// At 1,769 MB, a function has the equivalent of one vCPU ("Configure Lambda function memory").
const MEMORY_OF_ONE_VCPU: u32 = 1769;

/// How a process is limited to its share of the CPU.
#[derive(Debug, Clone)]
pub(crate) enum CpuLimiter {
    /// The kernel limits it with a cgroup.
    Cgroup(Hierarchy),
    /// SIGSTOP stops it whenever it has used its share of a period.
    Signals,
}

/// The limit of a process. Dropping it removes the limit.
pub(crate) enum CpuLimit {
    Cgroup(#[expect(dead_code, reason = "removes the cgroup when dropped")] Cgroup),
    Signals(#[expect(dead_code, reason = "stops sending signals when dropped")] DutyCycle),
}

impl CpuLimiter {
    /// Uses cgroups if this program may create them and `signals` is not set, otherwise signals.
    pub(crate) fn find(signals: bool) -> Self {
        match Hierarchy::find() {
            Some(hierarchy) if !signals => Self::Cgroup(hierarchy),
            _ => Self::Signals,
        }
    }

    /// Description of the method, for the header of the table.
    pub(crate) fn describe(&self) -> String {
        let method = match self {
            Self::Cgroup(hierarchy) => hierarchy.describe(),
            Self::Signals => "SIGSTOP when the share of a period is used up and SIGCONT at the next period",
        };
        format!("memory / {MEMORY_OF_ONE_VCPU} MB of one CPU in each {} ms period, with {method}", PERIOD.as_millis())
    }

    /// Limits the process `id` and all its threads to the CPU share of `memory` megabytes.
    ///
    /// # Errors
    /// Returns an error if the cgroup cannot be created or configured.
    pub(crate) fn limit(&self, id: u32, memory: u32) -> Result<CpuLimit, FileError> {
        let share = share(memory);
        match self {
            Self::Cgroup(hierarchy) => hierarchy.limit_process(id, PERIOD, share).map(CpuLimit::Cgroup),
            Self::Signals => Ok(CpuLimit::Signals(DutyCycle::start(id, PERIOD, share))),
        }
    }
}

/// The part of each period in which a function with `memory` megabytes may run.
fn share(memory: u32) -> Duration {
    PERIOD * memory / MEMORY_OF_ONE_VCPU
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn share_is_proportional_to_memory() {
        assert_eq!(share(MEMORY_OF_ONE_VCPU), PERIOD);
        assert_eq!(share(128).as_micros(), 1447);
        assert_eq!(share(512).as_micros(), 5788);
    }

    /// Checks only that the process finishes, because its speed depends on the load of the machine.
    #[test]
    fn process_limited_by_signals_runs_to_completion() {
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
