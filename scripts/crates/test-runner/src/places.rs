//! The tests that cannot run everywhere: one table, with the reasons.

use crate::emulator::EmulatorKind;

/// Where a test cannot run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On an emulator.
    On(EmulatorKind),
    /// On LocalStack's own image.
    Docker,
    /// At an endpoint of the caller's.
    CallersEndpoint,
    /// On AWS itself.
    Aws,
}

/// A test, or all whose names begin so, that cannot run somewhere.
#[derive(Debug, Clone, Copy)]
pub struct Skipped {
    /// Where.
    pub place: Place,
    /// The beginning of its name.
    pub test: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// Every end-to-end test.
pub const END_TO_END: &str = "storefront";

const NO_LOG: &str = "it reads what the functions print, which an emulator of this suite's own writes into a file";
const NO_MAILBOX: &str = "AWS has no way to see what was sent, and sends nothing to addresses that do not exist";

const NO_OUTAGE: &str = "it takes a permission from a role for a while, which has to be enforced and nobody else's";

const OPERATED: &str = "operations::";
const NOT_OPERATED: &str =
    "it looks at what a stack has with Operations=enabled, which LocalStack cannot and others may not have";

const THROTTLED: &str = "edge::a_client_that_asks_too_often_is_told_so";
const NOT_THROTTLED: &str =
    "it changes a route's limits, which MiniStack follows at once, AWS after minutes and LocalStack never";

const GUARDED: &str = "edge::a_large_body_is_refused_before_a_function_is_woken";
const NOT_GUARDED: &str =
    "it looks at what a stack answers with Firewall=enabled, which LocalStack cannot and others may not have";

const OTHER_KEYS: &str = "images::whoever_signs_links_can_put_nothing_outside_uploads_and_nothing_later";
const UNKNOWN_KEYS: &str = "it signs with the function's own keys, which MiniStack derives and nobody else tells";

/// All of them. tests/emulators/README.md shows the same.
pub const SKIPPED: [Skipped; 21] = [
    Skipped {
        place: Place::Docker,
        test: END_TO_END,
        reason: "its free edition has no Lambda authorizers, so no route that is guarded can be called",
    },
    Skipped { place: Place::On(EmulatorKind::Localstack), test: "outages::", reason: NO_OUTAGE },
    Skipped { place: Place::On(EmulatorKind::Localstack), test: THROTTLED, reason: NOT_THROTTLED },
    Skipped { place: Place::On(EmulatorKind::Localstack), test: GUARDED, reason: NOT_GUARDED },
    Skipped { place: Place::On(EmulatorKind::Localstack), test: OTHER_KEYS, reason: UNKNOWN_KEYS },
    Skipped { place: Place::On(EmulatorKind::Localstack), test: OPERATED, reason: NOT_OPERATED },
    Skipped { place: Place::CallersEndpoint, test: THROTTLED, reason: NOT_THROTTLED },
    Skipped { place: Place::CallersEndpoint, test: GUARDED, reason: NOT_GUARDED },
    Skipped { place: Place::CallersEndpoint, test: OTHER_KEYS, reason: UNKNOWN_KEYS },
    Skipped { place: Place::CallersEndpoint, test: OPERATED, reason: NOT_OPERATED },
    Skipped { place: Place::CallersEndpoint, test: "logs::", reason: NO_LOG },
    Skipped { place: Place::CallersEndpoint, test: "outages::", reason: NO_OUTAGE },
    Skipped { place: Place::Aws, test: THROTTLED, reason: NOT_THROTTLED },
    Skipped { place: Place::Aws, test: GUARDED, reason: NOT_GUARDED },
    Skipped { place: Place::Aws, test: OTHER_KEYS, reason: UNKNOWN_KEYS },
    Skipped { place: Place::Aws, test: OPERATED, reason: NOT_OPERATED },
    Skipped { place: Place::Aws, test: "logs::", reason: NO_LOG },
    Skipped { place: Place::Aws, test: "outages::", reason: NO_OUTAGE },
    Skipped { place: Place::Aws, test: "customers::a_customer_registers_once_and_is_welcomed_once", reason: NO_MAILBOX },
    Skipped {
        place: Place::Aws,
        test: "customers::an_address_that_ses_rejects_ends_there_with_the_reason",
        reason: NO_MAILBOX,
    },
    Skipped {
        place: Place::Aws,
        test: "cancellations::a_cancelled_order_returns_its_stock_and_is_not_paid_for",
        reason: NO_MAILBOX,
    },
];

/// Those that cannot run at `place`.
pub fn skipped_at(place: Place) -> impl Iterator<Item = &'static Skipped> {
    SKIPPED.iter().filter(move |skipped| skipped.place == place)
}

impl Place {
    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::On(kind) => kind.name(),
            Self::Docker => "LocalStack in Docker",
            Self::CallersEndpoint => "your own endpoint",
            Self::Aws => "AWS",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_readme_shows_the_same_table() {
        let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/emulators/README.md")).unwrap();
        let places = SKIPPED.map(|skipped| format!("| {} | ", skipped.place.name()));
        let shown = readme.lines().filter(|line| places.iter().any(|place| line.starts_with(place))).count();
        assert_eq!(shown, SKIPPED.len());
        for Skipped { place, test, reason } in SKIPPED {
            let row = format!("| {} | `{test}` | {reason} |", place.name());
            assert!(readme.contains(&row), "tests/emulators/README.md lacks: {row}");
        }
    }
}
