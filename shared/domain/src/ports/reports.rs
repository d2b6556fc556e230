//! Where reports are kept.

use super::StoreError;
use crate::ReportFile;

/// Keeps reports.
pub trait KeepReport: Sync {
    /// Keeps the file under its key, in place of the one before if there was one.
    fn keep(&self, file: &ReportFile) -> impl Future<Output = Result<(), StoreError>> + Send;
}
