//! Conversions of the kit's errors to problems.

use ferrite_core::ports::PortError;

use super::Problem;
use crate::deadline::DeadlineExceeded;
use crate::panics::PanicError;

impl From<DeadlineExceeded> for Problem {
    fn from(error: DeadlineExceeded) -> Self {
        Self::unavailable(error)
    }
}

impl From<PanicError> for Problem {
    fn from(error: PanicError) -> Self {
        Self::internal(error)
    }
}

impl From<PortError> for Problem {
    fn from(error: PortError) -> Self {
        Self::unavailable(error)
    }
}
