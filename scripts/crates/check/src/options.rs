//! The options of `./scripts/test`.

use ferrite_local_stack::emulator::EmulatorKind;

/// The options of `./scripts/test`.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Only the tests that need nothing else.
    pub(crate) unit: bool,
    /// Only the tests whose names contain this.
    pub(crate) filter: Option<String>,
    /// The emulator to start, unless there is a stack or an endpoint of the caller's.
    pub(crate) emulator: EmulatorKind,
    /// Run the emulator's own image in Docker.
    pub(crate) docker: bool,
    /// A stack that is deployed already, at the caller's endpoint or on AWS: run only the end-to-end tests, on that.
    pub(crate) stack: Option<String>,
}

impl Options {
    /// Whether only what depends on AWS runs, because it runs elsewhere than on the default emulator.
    pub(crate) fn only_on_aws(&self) -> bool {
        self.emulator != EmulatorKind::default() || self.stack.is_some()
    }

    /// Whether all tests run.
    pub(crate) fn is_complete(&self) -> bool {
        self.filter.as_deref().is_none_or(str::is_empty)
    }
}
