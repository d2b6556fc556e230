//! Configures the AWS client of a child process for an emulator.

use std::process::Command;

use ferrite_aws_client::endpoint::Target;

/// Sets the `AWS_*` environment variables of `command` for `target`, and disables the profiles in the user's home folder.
pub fn apply_target<'a>(target: &Target, command: &'a mut Command) -> &'a mut Command {
    command
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_ENDPOINT_URL", target.endpoint.url())
        .env("AWS_ACCESS_KEY_ID", &target.credentials.access_key)
        .env("AWS_SECRET_ACCESS_KEY", &target.credentials.secret_key)
        .env("AWS_DEFAULT_REGION", &target.credentials.region)
        .env("AWS_REGION", &target.credentials.region)
}
