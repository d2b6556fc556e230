//! Quantities of products: ordered units and stock.

use ferrite_core::ValueError;
use serde::{Deserialize, Serialize};

/// Number of units of a product in one order line: 1 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Quantity(u32);

impl Quantity {
    /// Largest quantity of one order line.
    pub const MAX: u64 = 1000;

    /// Returns the number of units.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u64> for Quantity {
    type Error = ValueError;

    fn try_from(units: u64) -> Result<Self, ValueError> {
        match u32::try_from(units) {
            Ok(value) if (1..=Self::MAX).contains(&units) => Ok(Self(value)),
            _ => Err(ValueError::OutOfRange { min: 1, max: Self::MAX }),
        }
    }
}

impl From<Quantity> for u64 {
    fn from(quantity: Quantity) -> Self {
        quantity.0.into()
    }
}

/// Number of units of a product that are available to order.
///
/// The stock can be set to any value from 0 to [`Stock::MAX`]. Units that are returned from a cancelled or unpaid order
/// can raise it above that limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stock(u32);

impl Stock {
    /// Largest value that the stock can be set to.
    pub const MAX: u64 = 1_000_000;

    /// Returns the number of units.
    pub fn get(self) -> u32 {
        self.0
    }

    /// Returns the stock after `quantity` units are taken, or `None` if there are too few.
    pub fn without(self, quantity: Quantity) -> Option<Self> {
        self.0.checked_sub(quantity.0).map(Self)
    }

    /// Returns the stock after `quantity` units are returned.
    #[must_use]
    pub fn with(self, quantity: Quantity) -> Self {
        Self(self.0.saturating_add(quantity.0))
    }
}

impl TryFrom<u64> for Stock {
    type Error = ValueError;

    fn try_from(units: u64) -> Result<Self, ValueError> {
        match u32::try_from(units) {
            Ok(value) if units <= Self::MAX => Ok(Self(value)),
            _ => Err(ValueError::OutOfRange { min: 0, max: Self::MAX }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_minimum_and_the_maximum() {
        assert!(Quantity::try_from(1).is_ok() && Quantity::try_from(1000).is_ok());
        assert_eq!(Quantity::try_from(0), Err(ValueError::OutOfRange { min: 1, max: 1000 }));
        assert!(Quantity::try_from(1001).is_err());
        assert!(Stock::try_from(0).is_ok());
        assert!(Stock::try_from(u64::from(u32::MAX) + 1).is_err());
    }
}
