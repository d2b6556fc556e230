//! The options of `./scripts/test`.

use ferrite_local_stack::emulator::EmulatorKind;

/// The options of `./scripts/test`.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Run only the tests that need no emulator.
    pub(crate) unit: bool,
    /// Run all tests, but nothing else.
    pub(crate) tests: bool,
    /// Run only the tests whose names contain this text.
    pub(crate) filter: Option<String>,
    /// Deploy a stack for the tests, even if `./scripts/dev` is running.
    pub(crate) own_stack: bool,
    /// The emulator to start, unless a stack or an endpoint is given.
    pub(crate) emulator: EmulatorKind,
    /// Run the official image of the emulator in Docker.
    pub(crate) docker: bool,
    /// Run only the end-to-end tests, against this deployed stack.
    pub(crate) stack: Option<String>,
}

impl Options {
    /// Whether only the tests that depend on AWS run, because the target is not the default emulator.
    pub(crate) fn only_on_aws(&self) -> bool {
        self.emulator != EmulatorKind::default() || self.stack.is_some()
    }

    /// Whether all tests run.
    pub(crate) fn is_complete(&self) -> bool {
        self.filter.as_deref().is_none_or(str::is_empty)
    }
}
