//! How many of a thing.

use ferrite_core::ValueError;
use serde::{Deserialize, Serialize};

/// How many pieces of a product one order line asks for: 1 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Quantity(u32);

impl Quantity {
    /// The most pieces of one line.
    pub const MAX: u64 = 1000;

    /// The number of pieces.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u64> for Quantity {
    type Error = ValueError;

    fn try_from(pieces: u64) -> Result<Self, ValueError> {
        match u32::try_from(pieces) {
            Ok(small) if (1..=Self::MAX).contains(&pieces) => Ok(Self(small)),
            _ => Err(ValueError::OutOfRange { min: 1, max: Self::MAX }),
        }
    }
}

impl From<Quantity> for u64 {
    fn from(quantity: Quantity) -> Self {
        quantity.0.into()
    }
}

/// How many pieces of a product can still be ordered.
///
/// It can be set to 0 to [`Stock::MAX`]. Pieces that come back from an order may take it past that; nothing is lost then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stock(u32);

impl Stock {
    /// The most it can be set to.
    pub const MAX: u64 = 1_000_000;

    /// The number of pieces.
    pub fn get(self) -> u32 {
        self.0
    }

    /// The stock after `quantity` pieces were taken, or `None` when there are not as many.
    pub fn without(self, quantity: Quantity) -> Option<Self> {
        self.0.checked_sub(quantity.0).map(Self)
    }

    /// The stock after `quantity` pieces came back.
    #[must_use]
    pub fn with(self, quantity: Quantity) -> Self {
        Self(self.0.saturating_add(quantity.0))
    }
}

impl TryFrom<u64> for Stock {
    type Error = ValueError;

    fn try_from(pieces: u64) -> Result<Self, ValueError> {
        match u32::try_from(pieces) {
            Ok(small) if pieces <= Self::MAX => Ok(Self(small)),
            _ => Err(ValueError::OutOfRange { min: 0, max: Self::MAX }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_included() {
        assert!(Quantity::try_from(1).is_ok() && Quantity::try_from(1000).is_ok());
        assert_eq!(Quantity::try_from(0), Err(ValueError::OutOfRange { min: 1, max: 1000 }));
        assert!(Quantity::try_from(1001).is_err());
        assert!(Stock::try_from(0).is_ok());
        assert!(Stock::try_from(u64::from(u32::MAX) + 1).is_err());
    }
}
