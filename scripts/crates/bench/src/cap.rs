//! The CPU that Lambda gives a function with little memory: a share of each period of 20 ms.

mod cgroup;
mod duty_cycle;

use std::time::Duration;

use cgroup::{Hierarchy, Slice};
use duty_cycle::DutyCycle;

use crate::trouble::Trouble;

/// As long as Lambda's own.
const PERIOD: Duration = Duration::from_millis(20);
/// "Configure Lambda function memory": at 1,769 MB, a function has the equivalent of one vCPU.
const MEMORY_OF_ONE_VCPU: u32 = 1769;

/// How a process is held to its share.
#[derive(Debug, Clone)]
pub(super) enum Means {
    /// By the kernel.
    Cgroup(Hierarchy),
    /// By stopping it whenever it has used its share of a period up.
    Signals,
}

/// A process held to its share; let go when dropped.
pub(super) enum Cap {
    Cgroup(#[expect(dead_code, reason = "the group goes when this does")] Slice),
    Signals(#[expect(dead_code, reason = "the signals end when this does")] DutyCycle),
}

impl Means {
    /// The kernel's, wherever this program may make groups; `signals` asks for the other.
    pub(super) fn find(signals: bool) -> Self {
        match Hierarchy::find() {
            Some(hierarchy) if !signals => Self::Cgroup(hierarchy),
            _ => Self::Signals,
        }
    }

    /// For the head of the table.
    pub(super) fn describe(&self) -> String {
        let means = match self {
            Self::Cgroup(hierarchy) => hierarchy.describe(),
            Self::Signals => "SIGSTOP once a period's share is used up, SIGCONT at the next",
        };
        format!("memory / {MEMORY_OF_ONE_VCPU} MB of a CPU in every {} ms, by {means}", PERIOD.as_millis())
    }

    /// Holds the process `id`, all its threads, to the share of `memory` megabytes from now on.
    ///
    /// # Errors
    /// When the kernel does not let it.
    pub(super) fn cap(&self, id: u32, memory: u32) -> Result<Cap, Trouble> {
        let share = share(memory);
        match self {
            Self::Cgroup(hierarchy) => hierarchy.slice(id, PERIOD, share).map(Cap::Cgroup),
            Self::Signals => Ok(Cap::Signals(DutyCycle::start(id, PERIOD, share))),
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

    /// Only that it is slowed down, and let go again: by how much is a matter of the machine's load.
    #[test]
    fn a_stopped_share_comes_back_every_period() {
        if !cfg!(target_os = "linux") {
            return;
        }
        let script = "i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done";
        let mut child = std::process::Command::new("sh").args(["-c", script]).spawn().unwrap();
        let cap = Means::Signals.cap(child.id(), 128).unwrap();
        assert!(child.wait().unwrap().success());
        drop(cap);
    }
}
