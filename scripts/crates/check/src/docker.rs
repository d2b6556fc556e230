//! LocalStack's own image in Docker, started for one run and ended with it.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::bail;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::process::run;

/// The container. Dropping it removes the container.
pub(crate) struct Container {
    compose_file: PathBuf,
    port: u16,
}

impl Container {
    /// Starts it on `port` of this machine and waits until it is healthy.
    ///
    /// # Errors
    /// When there is no Docker with its compose plug-in, or the container does not start.
    pub(crate) fn start(checkout: &Checkout, port: u16) -> anyhow::Result<Self> {
        let compose =
            Command::new("docker").args(["compose", "version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !compose.is_ok_and(|status| status.success()) {
            bail!("--docker needs Docker with its compose plug-in, and `docker compose version` fails here");
        }
        let container = Self { compose_file: checkout.path("tests/emulators/localstack.compose.yaml"), port };
        run(container.compose().args(["up", "--detach", "--wait"]))?;
        Ok(container)
    }

    fn compose(&self) -> Command {
        let mut command = Command::new("docker");
        command.args(["compose", "--file"]).arg(&self.compose_file);
        command.env("FERRITE_LOCALSTACK_PORT", self.port.to_string());
        command
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        // Not with `process::run`, which fails after an interrupt, so that the container would stay.
        let _ = self
            .compose()
            .args(["down", "--volumes", "--timeout", "5"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}
