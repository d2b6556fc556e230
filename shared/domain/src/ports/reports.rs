//! Where reports are kept.

use ferrite_core::ports::PortError;

use crate::ReportFile;

/// Keeps reports.
pub trait KeepReport: Sync {
    /// Keeps the file under its key, in place of the one before if there was one.
    fn keep(&self, file: &ReportFile) -> impl Future<Output = Result<(), PortError>> + Send;
}
