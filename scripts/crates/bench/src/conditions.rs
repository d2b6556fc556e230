//! The conditions of a measurement, without which its figures mean nothing.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde::Serialize;

use crate::cap::CpuLimiter;
use crate::measure::WARM;
use ferrite_local_stack::process::{capture, check_interrupted};
use ferrite_local_stack::tools::Tools;

use crate::error::BenchError;

/// The conditions of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Conditions {
    machine: String,
    cores: usize,
    kernel: String,
    /// Measured just before; close to 0 on an idle machine.
    cpu_used_by_others_percent: u64,
    cpu_cap: String,
    endpoint: &'static str,
    starts: usize,
    warm_invocations_a_start: u32,
    versions: Vec<String>,
}

impl Conditions {
    /// Those of a run that is about to begin.
    ///
    /// # Errors
    /// When a tool does not print its version.
    pub(crate) fn of(tools: &Tools, limiter: &CpuLimiter, starts: usize) -> Result<Self, BenchError> {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        let processor = read("/proc/cpuinfo");
        let model = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let version =
            |mut command: Command| capture(&mut command).map(|text| text.lines().next().unwrap_or_default().to_owned());
        let mut rustc = Command::new("rustc");
        rustc.arg("--version");
        let mut cargo_lambda = tools.command("cargo-lambda");
        cargo_lambda.args(["lambda", "--version"]);
        Ok(Self {
            machine: format!("{} {}", std::env::consts::ARCH, model.map(|(_, model)| model).unwrap_or_default()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: read("/proc/sys/kernel/osrelease"),
            cpu_used_by_others_percent: used_by_others(read)?,
            cpu_cap: limiter.describe(),
            endpoint: "HTTP/1.1 over TLS on loopback: rustls on ring, an ECDSA P-256 certificate; it answers at once",
            starts,
            warm_invocations_a_start: WARM,
            versions: vec![version(rustc)?, version(cargo_lambda)?],
        })
    }

    /// The head of the table.
    pub(crate) fn text(&self) -> String {
        let Self { machine, cores, kernel, cpu_used_by_others_percent: used, cpu_cap, endpoint, starts, .. } = self;
        let note = if *used > 10 { ", SO THE TIMES BELOW ARE TOO LONG AND UNSTEADY" } else { "" };
        format!(
            "Machine    {machine}, {cores} cores, Linux {kernel}; other programs used {used} % of them{note}\n\
             CPU cap    {cpu_cap}; after init\n\
             AWS        {endpoint}\n\
             Medians    of {starts} starts with each memory, and {} warm invocations in each\n\
             Built with {}\n",
            self.warm_invocations_a_start,
            self.versions.join(", "),
        )
    }
}

/// How much of all CPUs is in use while this program waits.
fn used_by_others(read: impl Fn(&str) -> String) -> Result<u64, BenchError> {
    let before = busy_and_all(&read("/proc/stat"));
    std::thread::sleep(Duration::from_secs(1));
    check_interrupted()?;
    let after = busy_and_all(&read("/proc/stat"));
    // Not always more than before: the manual page says that the wait for disks may shrink.
    Ok(100 * after.0.saturating_sub(before.0) / after.1.saturating_sub(before.1).max(1))
}

/// The ticks of all CPUs that were not idle, and all ticks ("proc_stat(5)").
fn busy_and_all(statistics: &str) -> (u64, u64) {
    let ticks = statistics.lines().next().unwrap_or_default().split_ascii_whitespace().skip(1).take(8);
    let ticks: Vec<u64> = ticks.filter_map(|ticks| ticks.parse().ok()).collect();
    let all: u64 = ticks.iter().sum();
    // The fourth and fifth: idle, and idle while waiting for a disk.
    (all - ticks.iter().skip(3).take(2).sum::<u64>(), all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_ticks_are_not_busy_ones() {
        assert_eq!(busy_and_all("cpu  10 20 30 400 5 1 2 3 99 99\ncpu0 1 1 1 1\n"), (66, 471));
    }
}
