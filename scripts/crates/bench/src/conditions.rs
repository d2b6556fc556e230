//! The conditions of a measurement, which are needed to interpret its results.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde::Serialize;

use crate::cpu_limit::CpuLimiter;
use crate::measure::WARM;
use ferrite_local_stack::process::{capture, check_interrupted};
use ferrite_local_stack::tools::Tools;

use crate::error::BenchError;

/// The machine, tools and settings of a benchmark run.
#[derive(Debug, Serialize)]
pub(crate) struct Conditions {
    machine: String,
    cores: usize,
    kernel: String,
    /// Measured right before the benchmark; close to 0 on an idle machine.
    cpu_used_by_others_percent: u64,
    cpu_cap: String,
    endpoint: &'static str,
    starts: usize,
    warm_invocations_a_start: u32,
    versions: Vec<String>,
}

impl Conditions {
    /// Collects the conditions of a run that is about to start. Takes one second, to measure the load of the machine.
    ///
    /// # Errors
    /// Returns an error if a tool does not print its version, or if the run is interrupted.
    pub(crate) fn collect(tools: &Tools, limiter: &CpuLimiter, starts: usize) -> Result<Self, BenchError> {
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
            endpoint: "HTTP/1.1 over TLS on loopback: rustls on ring, an ECDSA P-256 certificate; responds without delay",
            starts,
            warm_invocations_a_start: WARM,
            versions: vec![version(rustc)?, version(cargo_lambda)?],
        })
    }

    /// The header of the table.
    pub(crate) fn text(&self) -> String {
        let Self { machine, cores, kernel, cpu_used_by_others_percent: used, cpu_cap, endpoint, starts, .. } = self;
        let note = if *used > 10 { ". THE TIMES BELOW ARE TOO LONG AND VARY" } else { "" };
        format!(
            "Machine    {machine}, {cores} cores, Linux {kernel}; other programs used {used}% of the CPU{note}\n\
             CPU limit  {cpu_cap}; applied after init\n\
             AWS        {endpoint}\n\
             Medians    of {starts} starts with each memory size, each with {} warm invocations\n\
             Built with {}\n",
            self.warm_invocations_a_start,
            self.versions.join(", "),
        )
    }
}

/// CPU use by other programs, in percent of all CPUs, while this program sleeps for a second.
fn used_by_others(read: impl Fn(&str) -> String) -> Result<u64, BenchError> {
    let before = busy_and_total_ticks(&read("/proc/stat"));
    std::thread::sleep(Duration::from_secs(1));
    check_interrupted()?;
    let after = busy_and_total_ticks(&read("/proc/stat"));
    // The I/O wait time can decrease (see proc_stat(5)), so a difference can be negative.
    Ok(100 * after.0.saturating_sub(before.0) / after.1.saturating_sub(before.1).max(1))
}

/// The busy ticks and the total ticks of all CPUs (proc_stat(5)).
fn busy_and_total_ticks(statistics: &str) -> (u64, u64) {
    let ticks = statistics.lines().next().unwrap_or_default().split_ascii_whitespace().skip(1).take(8);
    let ticks: Vec<u64> = ticks.filter_map(|ticks| ticks.parse().ok()).collect();
    let total: u64 = ticks.iter().sum();
    // The fourth and fifth fields are idle time and I/O wait time.
    (total - ticks.iter().skip(3).take(2).sum::<u64>(), total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excludes_idle_ticks_from_busy_ticks() {
        assert_eq!(busy_and_total_ticks("cpu  10 20 30 400 5 1 2 3 99 99\ncpu0 1 1 1 1\n"), (66, 471));
    }
}
