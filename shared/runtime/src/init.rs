//! The error type of `main`.

use std::fmt;

/// The error that `main` returns if init fails.
///
/// Rust prints the `Debug` output of the error that `main` returns, and Lambda reports that text as the reason for the
/// init failure. Therefore, the `Debug` output is the message of the error followed by the messages of its sources.
pub struct InitError(Box<dyn std::error::Error + Send + Sync>);

impl fmt::Debug for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

impl<E: Into<Box<dyn std::error::Error + Send + Sync>>> From<E> for InitError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}
