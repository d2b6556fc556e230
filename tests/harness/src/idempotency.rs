//! The idempotency records of functions that execute their work once per key.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::types::AttributeValue;
use ferrite_aws::IdempotencyTable;
use ferrite_core::Timestamp;
use ferrite_core::ports::{Attempt, Fingerprint, IdempotencyStore, StartResult};
use ferrite_runtime::idempotency::digest;

use crate::api::Api;
use crate::sdk::Sdk;

/// The table of idempotency records of the stack, whose name is the output `IdempotencyTableName`.
#[derive(Debug)]
pub struct IdempotencyRecords {
    sdk: Sdk,
    table: String,
}

impl IdempotencyRecords {
    /// The records of the stack under test.
    #[must_use]
    pub fn of(api: &Api) -> Self {
        Self { sdk: Sdk::under_test(), table: api.output("IdempotencyTableName").to_owned() }
    }

    /// Whether the work for a key is completed. `prefix` is that of the function's `Idempotency`.
    #[must_use]
    pub fn is_completed(&self, prefix: &str, key: &str) -> bool {
        let get = self.sdk.dynamodb().get_item().table_name(&self.table).consistent_read(true);
        let get = get.key("id", AttributeValue::S(id(prefix, key)));
        let item = self.sdk.block_on(get.send()).unwrap_or_else(|error| panic!("reading a record: {error:?}")).item;
        let status = item.as_ref().and_then(|item| item.get("status")?.as_s().ok());
        status.is_some_and(|status| status == "COMPLETED")
    }

    /// Records an attempt that is in progress for `duration`, like that of another invocation which then crashes.
    pub fn start_attempt(&self, prefix: &str, key: &str, duration: Duration) {
        let now = now();
        let attempt = Attempt {
            key: id(prefix, key),
            fingerprint: Fingerprint("none".to_owned()),
            now,
            in_progress_until: now.plus(duration),
            expires_at: now.plus(Duration::from_secs(3600)),
        };
        let records = IdempotencyTable::new(self.sdk.config(), self.table.clone());
        let started = self.sdk.block_on(records.start(&attempt)).unwrap_or_else(|error| panic!("starting: {error:?}"));
        assert!(matches!(started, StartResult::Acquired), "{key} has a record already");
    }
}

/// The identifier of a record, as `ferrite_runtime::idempotency` chooses it.
fn id(prefix: &str, key: &str) -> String {
    let digest = digest(&key).unwrap_or_else(|error| panic!("{key}: {error}"));
    format!("{prefix}#{digest}")
}

fn now() -> Timestamp {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock shows a time after 1970");
    Timestamp::from_unix_millis(i64::try_from(elapsed.as_millis()).expect("the clock shows a time before the year 10000"))
}
