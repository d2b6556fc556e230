//! In-memory report storage.

use std::collections::BTreeMap;
use std::sync::Mutex;

use ferrite_core::ports::PortError;

use crate::ReportFile;
use crate::contract::reports::ReportStoreUnderTest;
use crate::ports::SaveReport;

/// Report files, by key.
#[derive(Debug, Default)]
pub struct MemoryReports(Mutex<BTreeMap<String, ReportFile>>);

#[allow(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
impl MemoryReports {
    /// Returns the file with this key.
    pub fn file(&self, key: &str) -> Option<ReportFile> {
        self.0.lock().unwrap().get(key).cloned()
    }
}

#[allow(clippy::unwrap_used, reason = "a poisoned lock means that the test has failed already")]
impl SaveReport for MemoryReports {
    async fn save(&self, file: &ReportFile) -> Result<(), PortError> {
        self.0.lock().unwrap().insert(file.key.clone(), file.clone());
        Ok(())
    }
}

impl ReportStoreUnderTest for MemoryReports {
    async fn stored_file(&self, key: &str) -> Option<(String, Vec<u8>)> {
        self.file(key).map(|file| (file.content_type.to_owned(), file.bytes))
    }
}
