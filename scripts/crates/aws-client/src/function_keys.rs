//! The keys that MiniStack gives a function to call AWS with.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// An access key. Its session token is in everything that the function signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionKeys {
    /// The access key id.
    pub access_key: String,
    /// The secret access key.
    pub secret_key: String,
}

impl FunctionKeys {
    /// Those of the function that runs as `role_arn`, which MiniStack derives from the two ARNs.
    #[must_use]
    pub fn derived(function_arn: &str, role_arn: &str) -> Self {
        let both = hex_sha256(&format!("{function_arn}:{role_arn}"));
        Self { access_key: format!("ASIA{}", both[..16].to_uppercase()), secret_key: hex_sha256(&format!("secret:{both}")) }
    }
}

fn hex_sha256(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
