//! Lines that the user types.

use std::io::{self, Write as _};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use ferrite_local_stack::console::report;
use ferrite_local_stack::process::interrupted;

/// How often a waiting question checks for Ctrl-C.
const INTERVAL: Duration = Duration::from_millis(100);

/// Where questions are asked.
pub(crate) trait Terminal {
    /// Prints a line.
    fn show(&mut self, line: &str);

    /// Prints `prompt` and returns the next line without the line break. Returns `None` at the end of the input, after an
    /// error, or after Ctrl-C.
    fn read_line(&mut self, prompt: &str) -> Option<String>;
}

/// The terminal of this process.
pub(crate) struct Console;

impl Terminal for Console {
    fn show(&mut self, line: &str) {
        report(line);
    }

    fn read_line(&mut self, prompt: &str) -> Option<String> {
        let mut stdout = io::stdout().lock();
        let _ = write!(stdout, "{prompt}").and_then(|()| stdout.flush());
        // A signal does not end the system call that waits for a line, so another thread makes it.
        let (sender, receiver) = channel();
        thread::spawn(move || {
            let mut line = String::new();
            let length = io::stdin().read_line(&mut line).unwrap_or(0);
            let _ = sender.send((length > 0).then(|| line.trim().to_owned()));
        });
        loop {
            match receiver.recv_timeout(INTERVAL) {
                Ok(line) => return line,
                Err(RecvTimeoutError::Timeout) if !interrupted() => {}
                Err(_) => return None,
            }
        }
    }
}
