//! The official LocalStack image in Docker, which runs for the duration of the tests.

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
    /// Starts the container on `port` of this machine and waits until it is healthy.
    ///
    /// # Errors
    /// Returns an error if Docker or its compose plug-in is missing, or if the container does not start.
    pub(crate) fn start(checkout: &Checkout, port: u16) -> anyhow::Result<Self> {
        let compose =
            Command::new("docker").args(["compose", "version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !compose.is_ok_and(|status| status.success()) {
            bail!("--docker requires Docker with the compose plug-in, but `docker compose version` failed");
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
        // `process::run` fails after an interrupt, and the container would continue to run.
        let _ = self
            .compose()
            .args(["down", "--volumes", "--timeout", "5"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}
