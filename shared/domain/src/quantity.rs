//! How many of a thing.

use serde::{Deserialize, Serialize};

use crate::ValueError;

macro_rules! count {
    ($(#[$doc:meta])* $name:ident, $min:literal, $max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "u64", into = "u64")]
        pub struct $name(u32);

        impl $name {
            /// The least it may be.
            pub const MIN: u64 = $min;
            /// The most it may be.
            pub const MAX: u64 = $max;

            /// The number of pieces.
            pub fn get(self) -> u32 {
                self.0
            }
        }

        impl TryFrom<u64> for $name {
            type Error = ValueError;

            #[allow(clippy::absurd_extreme_comparisons, unused_comparisons, reason = "MIN is 0 for one of them")]
            fn try_from(count: u64) -> Result<Self, ValueError> {
                match u32::try_from(count) {
                    Ok(small) if (Self::MIN..=Self::MAX).contains(&count) => Ok(Self(small)),
                    _ => Err(ValueError::OutOfRange { min: Self::MIN, max: Self::MAX }),
                }
            }
        }

        impl From<$name> for u64 {
            fn from(count: $name) -> Self {
                count.0.into()
            }
        }
    };
}

count!(
    /// How many pieces of a product one order line asks for.
    Quantity,
    1,
    1000
);
count!(
    /// How many pieces of a product can still be ordered.
    Stock,
    0,
    1_000_000
);

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
