//! Runs the contract tests on the in-memory adapters. The AWS adapters are tested with the same contract tests.

use ferrite_core::contract::bus::TestEvent;
use ferrite_core::memory::{MemoryIdempotency, RecordingBus, RecordingQueue};

mod bus {
    use super::*;
    ferrite_core::bus_contract!(RecordingBus::<TestEvent>::default());
}

#[cfg(feature = "feature-flags")]
mod feature_flags {
    use ferrite_core::contract::feature_flags::SCHEMA;
    use ferrite_core::contract::now;
    use ferrite_core::memory::MemoryFeatureFlags;

    ferrite_core::feature_flags_contract!(MemoryFeatureFlags::from_json(SCHEMA, now()).unwrap());
}

mod idempotency {
    use super::*;
    ferrite_core::idempotency_store_contract!(MemoryIdempotency::default());
}

mod queue {
    use super::*;
    ferrite_core::queue_contract!(RecordingQueue::default());
}
