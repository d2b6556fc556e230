//! The HTTP status of each of the kit's own errors.

use ferrite_core::ports::PortError;

use super::Problem;
use crate::deadline::CutOff;
use crate::panics::Panicked;

impl From<CutOff> for Problem {
    fn from(cut_off: CutOff) -> Self {
        Self::unavailable(cut_off)
    }
}

impl From<Panicked> for Problem {
    fn from(panicked: Panicked) -> Self {
        Self::internal(panicked)
    }
}

impl From<PortError> for Problem {
    fn from(error: PortError) -> Self {
        Self::unavailable(error)
    }
}
