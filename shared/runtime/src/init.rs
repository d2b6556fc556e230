//! Why a function did not start.

use std::fmt;

/// What `main` answers when init failed.
///
/// Rust prints the `Debug` form of what `main` returns, and Lambda shows it as the reason that the function did not
/// start; so the `Debug` form here is the sentence.
pub struct InitError(Box<dyn std::error::Error + Send + Sync>);

impl fmt::Debug for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl<E: Into<Box<dyn std::error::Error + Send + Sync>>> From<E> for InitError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}
