//! Limits a process without cgroups: SIGSTOP stops it when it has used its share of a period, and SIGCONT resumes it in
//! the next period.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How often the CPU time of the process is checked. Time used beyond the share is deducted from the next period.
const CHECK_INTERVAL: Duration = Duration::from_micros(100);

/// The thread that stops and resumes a process. Dropping it ends the thread.
pub(crate) struct DutyCycle {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl DutyCycle {
    /// Limits the process `id` to `share` of CPU time in every `period`.
    pub(crate) fn start(id: u32, period: Duration, share: Duration) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stop_requested = Arc::clone(&stop);
        let thread = thread::spawn(move || enforce(id, period, share, &stop_requested));
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for DutyCycle {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn enforce(id: u32, period: Duration, share: Duration, stop: &AtomicBool) {
    let process = Pid::from_raw(id.cast_signed());
    let mut period_start = Instant::now();
    let Some(mut allowed) = cpu_time(id).map(|used| used + share) else { return };
    let mut running = true;
    while !stop.load(Ordering::Relaxed) {
        let Some(used) = cpu_time(id) else { return };
        if period_start.elapsed() >= period {
            period_start += period;
            // As in the kernel: unused time expires, and overused time is deducted from the next period.
            allowed = allowed.min(used) + share;
        }
        let may_run = used < allowed;
        if may_run != running {
            let signal = if may_run { Signal::SIGCONT } else { Signal::SIGSTOP };
            running = may_run;
            if kill(process, signal).is_err() {
                return;
            }
        }
        thread::sleep(CHECK_INTERVAL);
    }
    let _ = kill(process, Signal::SIGCONT);
}

/// CPU time used by all threads of a process; `None` if the process has exited.
fn cpu_time(id: u32) -> Option<Duration> {
    let threads = fs::read_dir(format!("/proc/{id}/task")).ok()?;
    let nanoseconds = threads.flatten().filter_map(|thread| {
        let statistics = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        statistics.split(' ').next()?.parse::<u64>().ok()
    });
    Some(Duration::from_nanos(nanoseconds.sum()))
}
