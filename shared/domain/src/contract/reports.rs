//! Where reports are kept.

use ferrite_core::memory::UniqueIds;
use ferrite_core::ports::NewIds;

use crate::ReportFile;
use crate::ports::KeepReport;

/// A [`KeepReport`] whose other end a test can reach.
pub trait ReportsUnderTest: KeepReport {
    /// The media type and the content of the file under a key.
    fn fetch(&self, key: &str) -> impl Future<Output = Option<(String, Vec<u8>)>> + Send;
}

/// Tests of a [`ReportsUnderTest`].
#[macro_export]
macro_rules! reports_contract {
    ($open:expr) => {
        ::ferrite_core::contract_tests!($crate::contract::reports, $open, a_report_takes_the_place_of_the_one_before);
    };
}

pub async fn a_report_takes_the_place_of_the_one_before(reports: &impl ReportsUnderTest) {
    let key = format!("sales/{}.csv", UniqueIds.new_id());
    assert_eq!(reports.fetch(&key).await, None);
    for bytes in [b"first".to_vec(), b"second".to_vec()] {
        reports.keep(&ReportFile { key: key.clone(), content_type: "text/csv", bytes }).await.unwrap();
    }
    assert_eq!(reports.fetch(&key).await, Some(("text/csv".to_owned(), b"second".to_vec())));
}
