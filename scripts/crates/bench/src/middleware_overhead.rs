//! Measures the time that the middleware adds to a warm request, compared with a bare handler in the same process.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Value, json};

use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::step;
use ferrite_local_stack::functions::cargo;
use ferrite_local_stack::process::{capture, run};

/// Maximum time that logs, metrics, traces and idempotency may add, in microseconds.
const LIMIT: f64 = 50.0;

/// Microseconds per request, as printed by `shared/runtime/examples/hooks.rs`.
#[derive(Debug, Deserialize)]
pub(crate) struct MiddlewareOverhead {
    bare_us: f64,
    hooked_us: f64,
    added_us: f64,
}

/// Builds the example with the release profile, as functions are shipped, and runs it.
///
/// # Errors
/// Returns an error if the example does not build, fails, or does not print its results.
pub(crate) fn measure(checkout: &Checkout) -> anyhow::Result<MiddlewareOverhead> {
    step("Measuring the middleware overhead", || {
        run(cargo(checkout).args(["build", "--release", "--package", "ferrite-runtime", "--example", "hooks"]))?;
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| checkout.path("target"), PathBuf::from);
        let mut example = Command::new(target.join("release/examples/hooks"));
        // As in Lambda, the log lines go into a pipe that is read. The results are in the last line.
        let output = capture(example.env("AWS_LAMBDA_FUNCTION_NAME", "hooks"))?;
        let results = output.lines().next_back().unwrap_or_default();
        serde_json::from_str(results).context("cannot parse the output of the example `hooks`")
    })
}

impl MiddlewareOverhead {
    fn is_met(&self) -> bool {
        self.added_us <= LIMIT
    }

    pub(crate) fn line(&self) -> String {
        let Self { bare_us, hooked_us, added_us } = self;
        let outcome = if self.is_met() { "met    " } else { "NOT MET" };
        format!(
            "{outcome} microseconds that logs, metrics, traces and idempotency add to a warm request: at most {LIMIT}; \
             {added_us:.1} ({bare_us:.1} without, {hooked_us:.1} with)"
        )
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "budget": "microseconds added to a warm request", "limit": LIMIT, "met": self.is_met(),
            "bare_us": self.bare_us, "hooked_us": self.hooked_us, "added_us": self.added_us,
        })
    }
}
