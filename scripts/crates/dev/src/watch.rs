//! Watches the sources of the checkout.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use notify::event::{Event, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use ferrite_local_stack::checkout::Checkout;

/// Editors write a file in several steps. Events within this time are one edit.
const QUIET: Duration = Duration::from_millis(80);

/// What an edit changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Edit {
    /// A source of the functions.
    pub(crate) code: bool,
    /// The template.
    pub(crate) template: bool,
}

/// Watches functions/, shared/, the workspace's manifest and the template.
pub(crate) struct Sources {
    events: Receiver<notify::Result<Event>>,
    _watcher: RecommendedWatcher,
}

impl Sources {
    /// Starts watching.
    ///
    /// # Errors
    /// When the system cannot watch (on Linux, mostly when its limit of watches is reached).
    pub(crate) fn watch(checkout: &Checkout) -> notify::Result<Self> {
        let (sender, events) = channel();
        let mut watcher = notify::recommended_watcher(sender)?;
        for folder in ["functions", "shared"] {
            watcher.watch(&checkout.path(folder), RecursiveMode::Recursive)?;
        }
        // The folder, not the files in it: many editors replace a file instead of writing to it.
        watcher.watch(checkout.root(), RecursiveMode::NonRecursive)?;
        Ok(Self { events, _watcher: watcher })
    }

    /// The next edit, once it is complete; `None` when there was none before the timeout.
    #[must_use]
    pub(crate) fn next(&self, timeout: Duration) -> Option<Edit> {
        let deadline = Instant::now() + timeout;
        let mut edit = Edit::default();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let wait = if edit == Edit::default() { left } else { QUIET };
            match self.events.recv_timeout(wait) {
                Ok(Ok(event)) => edit.add(&event),
                Ok(Err(_)) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        (edit != Edit::default()).then_some(edit)
    }
}

impl Edit {
    fn add(&mut self, event: &Event) {
        if matches!(event.kind, EventKind::Access(_)) {
            return;
        }
        for path in &event.paths {
            match path.file_name().and_then(|name| name.to_str()) {
                Some("template.yaml") => self.template = true,
                Some("Cargo.toml") => self.code = true,
                _ => self.code |= is_source(path),
            }
        }
    }
}

/// Rust sources, and folders that come or go as a whole; not what editors leave beside them.
fn is_source(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{AccessKind, ModifyKind};

    fn edit(kind: EventKind, path: &str) -> Edit {
        let mut edit = Edit::default();
        edit.add(&Event::new(kind).add_path(path.into()));
        edit
    }

    #[test]
    fn counts_only_sources_and_the_template() {
        let written = EventKind::Modify(ModifyKind::Any);
        assert!(edit(written, "/x/functions/a/src/main.rs").code);
        assert!(edit(written, "/x/shared/aws/Cargo.toml").code);
        assert!(edit(written, "/x/template.yaml").template);
        for other in ["/x/.main.rs.swp", "/x/functions/a/src/4913", "/x/README.md", "/x/Cargo.lock"] {
            assert_eq!(edit(written, other), Edit::default(), "{other}");
        }
    }

    #[test]
    fn ignores_reads() {
        let read = EventKind::Access(AccessKind::Any);
        assert_eq!(edit(read, "/x/functions/a/src/main.rs"), Edit::default());
    }
}
