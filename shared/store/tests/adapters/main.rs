//! Runs the contract tests on the storefront's AWS adapters. The in-memory adapters are tested with the same contract
//! tests.
//!
//! The tests create their own resources in the emulator at `AWS_ENDPOINT_URL`, which `./scripts/test` sets.

#![allow(
    clippy::expect_used,
    reason = "clippy.toml allows it in tests, but clippy does not treat helper functions as tests"
)]

use ferrite_aws::testing::{create_table_with_index, create_table_with_partition_key, emulator_config};
use ferrite_store::{SandboxGateway, Table};
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

async fn gateway() -> SandboxGateway {
    static NAME: OnceCell<String> = OnceCell::const_new();
    SandboxGateway::new(
        &emulator_config(),
        NAME.get_or_init(async || create_table_with_partition_key(&emulator_config(), "orderId").await).await.clone(),
    )
}

mod files;
mod links;
mod mail;
mod prewarm;
mod reports;

mod products {
    ferrite_domain::product_store_contract!(super::table().await);
}

mod orders {
    ferrite_domain::order_store_contract!(super::table().await);
}

mod order_listings {
    ferrite_domain::order_listing_contract!(super::table().await);
}

mod customers {
    ferrite_domain::customer_store_contract!(super::table().await);
}

mod email_feedback {
    ferrite_domain::email_feedback_store_contract!(super::table().await);
}

mod email_limits {
    ferrite_domain::email_limits_contract!(super::table().await);
}

mod sandbox_gateway {
    ferrite_domain::sandbox_gateway_contract!(super::gateway().await);
}
