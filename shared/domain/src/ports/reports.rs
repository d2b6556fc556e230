//! Port for storing reports.

use ferrite_core::ports::PortError;

use crate::ReportFile;

/// Stores reports.
pub trait SaveReport: Sync {
    /// Stores the file under its key and replaces an existing one.
    fn save(&self, file: &ReportFile) -> impl Future<Output = Result<(), PortError>> + Send;
}
