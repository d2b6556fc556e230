//! Watches the source files of the checkout.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use notify::event::{Event, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::sources::{CODE_FOLDERS, SourceKind, TEMPLATE_FOLDER, kind_of};

/// Debounce time: events that follow each other within this time count as one edit, because editors save a file in
/// several steps.
const DEBOUNCE: Duration = Duration::from_millis(80);

/// What an edit has changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Edit {
    /// Whether source code of the functions has changed.
    pub(crate) code: bool,
    /// Whether the template has changed.
    pub(crate) template: bool,
}

/// Watches functions/, shared/, infra/, the workspace's manifest and the template.
pub(crate) struct Sources {
    events: Receiver<notify::Result<Event>>,
    _watcher: RecommendedWatcher,
}

impl Sources {
    /// Starts watching.
    ///
    /// # Errors
    /// Returns an error if the operating system cannot watch the files. On Linux, the usual reason is the limit of
    /// inotify watches.
    pub(crate) fn watch(checkout: &Checkout) -> notify::Result<Self> {
        let (sender, events) = channel();
        let mut watcher = notify::recommended_watcher(sender)?;
        for folder in CODE_FOLDERS {
            watcher.watch(&checkout.path(folder), RecursiveMode::Recursive)?;
        }
        // Watch folders instead of single files, because many editors save by replacing a file.
        for folder in [&checkout.path(TEMPLATE_FOLDER), checkout.root()] {
            watcher.watch(folder, RecursiveMode::NonRecursive)?;
        }
        Ok(Self { events, _watcher: watcher })
    }

    /// Waits for the next edit and returns it when it is complete. Returns `None` if there is no edit before the timeout.
    #[must_use]
    pub(crate) fn next(&self, timeout: Duration) -> Option<Edit> {
        let deadline = Instant::now() + timeout;
        let mut edit = Edit::default();
        loop {
            let remaining = deadline.saturating_duration_since(Instant::now());
            let wait = if edit == Edit::default() { remaining } else { DEBOUNCE };
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
    /// Returns what the two edits have changed.
    pub(crate) fn merge(self, other: Self) -> Self {
        Self { code: self.code || other.code, template: self.template || other.template }
    }

    fn add(&mut self, event: &Event) {
        if matches!(event.kind, EventKind::Access(_)) {
            return;
        }
        for path in &event.paths {
            self.add_path(path);
        }
    }

    fn add_path(&mut self, path: &Path) {
        match kind_of(path) {
            Some(SourceKind::Code) => self.code = true,
            Some(SourceKind::Template) => self.template = true,
            None => {}
        }
    }
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
    fn detects_changes_to_sources_and_the_templates_only() {
        let written = EventKind::Modify(ModifyKind::Any);
        assert!(edit(written, "/x/functions/a/src/main.rs").code);
        assert!(edit(written, "/x/template.yaml").template);
        assert!(edit(written, "/x/infra/operations.yaml").template);
        assert_eq!(edit(written, "/x/README.md"), Edit::default());
    }

    #[test]
    fn ignores_read_access() {
        let read = EventKind::Access(AccessKind::Any);
        assert_eq!(edit(read, "/x/functions/a/src/main.rs"), Edit::default());
    }
}
