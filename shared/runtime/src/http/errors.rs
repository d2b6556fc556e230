//! The HTTP status of each of the kit's own errors.

use ferrite_core::ports::PortError;

use super::Problem;
use crate::deadline::DeadlineExceeded;
use crate::panics::PanicError;

impl From<DeadlineExceeded> for Problem {
    fn from(cut_off: DeadlineExceeded) -> Self {
        Self::unavailable(cut_off)
    }
}

impl From<PanicError> for Problem {
    fn from(panicked: PanicError) -> Self {
        Self::internal(panicked)
    }
}

impl From<PortError> for Problem {
    fn from(error: PortError) -> Self {
        Self::unavailable(error)
    }
}
