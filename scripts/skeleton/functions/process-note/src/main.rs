//! The notes queue: counts the words of new notes.

mod handler;

use std::time::Duration;

use ferrite_aws::{FeatureFlags, FlagParameter, Queue, sdk_config};
use ferrite_runtime::batch::{Limits, events};
use ferrite_runtime::{InitError, SystemClock, config, log};
use serde::Deserialize;
use store::Table;

/// Age at which the feature flags are read again.
const FLAGS_MAX_AGE: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
struct Settings {
    table_name: String,
    queue_url: String,
    dead_letter_queue_url: String,
    feature_flags_parameter: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    // Reading the feature flags may log before `events::serve` initializes the log.
    log::init()?;
    let settings: Settings = config::read()?;
    let aws = sdk_config()?;
    let table = Table::new(&aws, settings.table_name);
    let queue = Queue::new(&aws, settings.queue_url, settings.dead_letter_queue_url);
    let flags = FeatureFlags::new(FlagParameter::new(&aws, settings.feature_flags_parameter), SystemClock, FLAGS_MAX_AGE);
    tokio::join!(table.prewarm_read(), flags.prewarm());
    events::serve(&queue, Limits::default(), |event| handler::process_note(&table, &flags, event)).await
}
