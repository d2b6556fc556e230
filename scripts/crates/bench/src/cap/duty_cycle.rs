//! The same cap without the kernel's help: the process is stopped when it has used its share of a period up, and goes on
//! in the next.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How often the CPU time of the running process is checked. What it uses beyond its share is taken from the next period.
const GLANCE: Duration = Duration::from_micros(100);

/// The thread that stops a process and lets it go on.
pub(crate) struct DutyCycle {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl DutyCycle {
    /// Holds the process `id` to `share` of every `period`.
    pub(crate) fn start(id: u32, period: Duration, share: Duration) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&over);
        let thread = thread::spawn(move || hold(id, period, share, &until));
        Self { over, thread: Some(thread) }
    }
}

impl Drop for DutyCycle {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn hold(id: u32, period: Duration, share: Duration, over: &AtomicBool) {
    let process = Pid::from_raw(id.cast_signed());
    let mut period_began = Instant::now();
    let Some(mut allowed) = cpu_time(id).map(|used| used + share) else { return };
    let mut running = true;
    while !over.load(Ordering::Relaxed) {
        let Some(used) = cpu_time(id) else { return };
        if period_began.elapsed() >= period {
            period_began += period;
            // As the kernel does it: what was not used is gone, and what was used too much is owed.
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
        thread::sleep(GLANCE);
    }
    let _ = kill(process, Signal::SIGCONT);
}

/// The CPU time that all threads of a process have had; `None` once it has ended.
fn cpu_time(id: u32) -> Option<Duration> {
    let threads = fs::read_dir(format!("/proc/{id}/task")).ok()?;
    let nanoseconds = threads.flatten().filter_map(|thread| {
        let statistics = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        statistics.split(' ').next()?.parse::<u64>().ok()
    });
    Some(Duration::from_nanos(nanoseconds.sum()))
}
