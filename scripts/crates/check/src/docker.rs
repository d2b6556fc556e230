//! LocalStack in Docker, with nothing of ours inside: started for one run and ended with it.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::checkout::Checkout;
use crate::process::run;
use crate::trouble::Trouble;

/// The container. Dropping it takes it away.
pub struct Container {
    compose_file: PathBuf,
    port: u16,
}

impl Container {
    /// Starts it on `port` of this machine and waits until it is healthy.
    ///
    /// # Errors
    /// When there is no Docker with its compose plug-in, or the container does not start.
    pub fn start(checkout: &Checkout, port: u16) -> Result<Self, Trouble> {
        let compose =
            Command::new("docker").args(["compose", "version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !compose.is_ok_and(|status| status.success()) {
            return Err(Trouble::NoDocker);
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
        // Whoever interrupts the run interrupts `run` too, and the container would stay.
        let _ = self
            .compose()
            .args(["down", "--volumes", "--timeout", "5"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }
}
