//! Every line this function logs. None has a token, a subject or anything else that the caller chose in it.

use std::error::Error;
use std::io::Write;

use serde_json::json;

use crate::handler::Failure;
use crate::key_cache::RefreshError;

/// The request was not let through, and why. A refusal is the caller's doing, anything else ours.
pub(crate) fn failed(failure: &Failure) {
    match failure {
        Failure::Refused(reason) => write("WARN", "token refused", reason),
        Failure::KeysUnavailable(_) | Failure::MethodArn => write("ERROR", "authorizer failed", failure),
    }
}

/// The keys could not be fetched. Cached ones may still be serving, so that this line is the only sign of it.
pub(crate) fn keys_not_refreshed(error: &RefreshError) {
    write("ERROR", "keys not refreshed", error);
}

fn write(level: &str, message: &str, error: &dyn Error) {
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        reason = format!("{reason}: {error}");
        cause = error.source();
    }
    let line = json!({ "level": level, "message": message, "reason": reason });
    // A log line that cannot be written is no reason to fail a request.
    let _ = writeln!(std::io::stdout(), "{line}");
}
