//! Runs the contract tests on the in-memory adapters. The AWS adapters are tested with the same contract tests.

use ferrite_domain::memory::{MemoryFiles, MemoryGateway, MemoryMailer, MemoryReports, MemorySigner, MemoryStore};

mod products {
    use super::*;
    ferrite_domain::product_store_contract!(MemoryStore::default());
}

mod orders {
    use super::*;
    ferrite_domain::order_store_contract!(MemoryStore::default());
}

mod order_listings {
    use super::*;
    ferrite_domain::order_listing_contract!(MemoryStore::default());
}

mod customers {
    use super::*;
    ferrite_domain::customer_store_contract!(MemoryStore::default());
}

mod email_feedback {
    use super::*;

    ferrite_domain::email_feedback_store_contract!(MemoryStore::default());
}

mod email_limits {
    use super::*;

    ferrite_domain::email_limits_contract!(MemoryStore::default());
}

mod email {
    use super::*;
    ferrite_domain::mailer_contract!(MemoryMailer::default());
}

mod reports {
    use super::*;
    ferrite_domain::report_store_contract!(MemoryReports::default());
}

mod gateway {
    use super::*;
    ferrite_domain::sandbox_gateway_contract!(MemoryGateway::default());
}

mod files {
    use super::*;
    ferrite_domain::image_file_store_contract!(MemoryFiles::default());
}

mod links {
    use super::*;
    ferrite_domain::image_link_contract!(MemorySigner);
}
