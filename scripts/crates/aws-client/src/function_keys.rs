//! The access keys that MiniStack assigns to functions.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// An access key of a function. The session token is not included; every request that the function signs contains it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionKeys {
    /// Access key ID.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: String,
}

impl FunctionKeys {
    /// Computes the access key of a function with the execution role `role_arn`, which MiniStack derives from the two
    /// ARNs.
    #[must_use]
    pub fn derived(function_arn: &str, role_arn: &str) -> Self {
        let digest = hex_sha256(&format!("{function_arn}:{role_arn}"));
        let access_key = format!("ASIA{}", digest[..16].to_uppercase());
        Self { access_key, secret_key: hex_sha256(&format!("secret:{digest}")) }
    }
}

fn hex_sha256(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
