//! Asynchronous invocations: logs the name of the job.

use ferrite_aws::{DeadLetters, sdk_config};
use ferrite_runtime::{InitError, config, schedule};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {
    dead_letter_queue_url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Job {
    job: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), InitError> {
    let settings: Settings = config::read()?;
    let dead_letters = DeadLetters::new(&sdk_config()?, settings.dead_letter_queue_url);
    schedule::serve(&dead_letters, async |Job { job }| {
        tracing::info!(job, "job finished");
        Ok(())
    })
    .await
}
