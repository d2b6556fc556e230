//! Runs the contract tests on the AWS adapters. The in-memory adapters are tested with the same contract tests.
//!
//! The tests create their own table in the emulator at `AWS_ENDPOINT_URL`, which `./scripts/test` sets.

use ferrite_aws::testing::{create_table_with_index, emulator_config};
use store::Table;
use tokio::sync::OnceCell;

// The tests share the table but not the client, because a connection belongs to the Tokio runtime of the test that
// opened it.
async fn table() -> Table {
    static NAME: OnceCell<String> = OnceCell::const_new();
    Table::new(
        &emulator_config(),
        NAME.get_or_init(async || create_table_with_index(&emulator_config()).await).await.clone(),
    )
}

mod notes {
    domain::note_store_contract!(super::table().await);
}
