//! Contract of the report store.

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::IdGenerator;

use crate::ReportFile;
use crate::ports::SaveReport;

/// A [`SaveReport`] whose stored files a test can read.
pub trait ReportStoreUnderTest: SaveReport {
    /// Returns the media type and content of the file with this key.
    fn stored_file(&self, key: &str) -> impl Future<Output = Option<(String, Vec<u8>)>> + Send;
}

/// Generates the contract tests for a [`ReportStoreUnderTest`].
#[macro_export]
macro_rules! report_store_contract {
    ($adapter:expr) => {
        ::ferrite_core::contract_tests!($crate::contract::reports, $adapter, replaces_an_existing_report);
    };
}

pub async fn replaces_an_existing_report(reports: &impl ReportStoreUnderTest) {
    let key = format!("sales/{}.csv", UniqueIds.new_id());
    assert_eq!(reports.stored_file(&key).await, None);
    for bytes in [b"first".to_vec(), b"second".to_vec()] {
        reports.save(&ReportFile { key: key.clone(), content_type: "text/csv", bytes }).await.unwrap();
    }
    assert_eq!(reports.stored_file(&key).await, Some(("text/csv".to_owned(), b"second".to_vec())));
}
