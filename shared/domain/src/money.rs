//! Money as integer minor units and a currency; floating-point numbers are not used.

use std::fmt;

use ferrite_core::ValueError;
use serde::{Deserialize, Serialize};

use crate::Quantity;

const NOT_A_CURRENCY: ValueError = ValueError::Invalid { expected: "an ISO 4217 currency code, such as EUR" };

/// An ISO 4217 currency, written as its three-letter code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(iso_currency::Currency);

impl TryFrom<String> for Currency {
    type Error = ValueError;

    fn try_from(code: String) -> Result<Self, ValueError> {
        iso_currency::Currency::from_code(&code).map(Self).ok_or(NOT_A_CURRENCY)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.0.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code())
    }
}

/// An amount in a currency's minor unit (cents for EUR, yen for JPY): 0 to 999,999,999,999.
///
/// The limit keeps every total below 2⁵³. Many clients lose precision when they parse larger JSON numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Amount(u64);

impl Amount {
    /// Largest amount in minor units.
    pub const MAX: u64 = 999_999_999_999;

    /// Returns the number of minor units.
    pub fn minor_units(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for Amount {
    type Error = ValueError;

    fn try_from(minor_units: u64) -> Result<Self, ValueError> {
        if minor_units > Self::MAX {
            return Err(ValueError::OutOfRange { min: 0, max: Self::MAX });
        }
        Ok(Self(minor_units))
    }
}

impl From<Amount> for u64 {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

/// An amount of money in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Money {
    /// Amount in the currency's minor unit, such as cents.
    pub amount: Amount,
    /// ISO 4217 currency code.
    pub currency: Currency,
}

impl Money {
    /// Returns the price of `quantity` units, or `None` if it is more than [`Amount::MAX`].
    pub fn times(self, quantity: Quantity) -> Option<Self> {
        let minor_units = self.amount.0.checked_mul(quantity.get().into())?;
        Some(Self { amount: Amount::try_from(minor_units).ok()?, ..self })
    }

    /// Returns the sum, or `None` if the currencies differ or the sum is more than [`Amount::MAX`].
    pub fn plus(self, other: Self) -> Option<Self> {
        let minor_units = self.amount.0.checked_add(other.amount.0)?;
        (self.currency == other.currency)
            .then(|| Amount::try_from(minor_units).ok())
            .flatten()
            .map(|amount| Self { amount, ..self })
    }
}

/// Formats the amount in major units, with the currency's number of decimals: 1250 minor units are `12.50 EUR` or
/// `1250 JPY`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minor_units = self.amount.0;
        let digits = usize::from(self.currency.0.exponent().unwrap_or(0));
        let unit = 10_u64.pow(digits.try_into().unwrap_or(0));
        match digits {
            0 => write!(f, "{minor_units} {}", self.currency),
            _ => write!(f, "{}.{:0digits$} {}", minor_units / unit, minor_units % unit, self.currency),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(minor_units: u64, code: &str) -> Money {
        Money { amount: minor_units.try_into().unwrap(), currency: code.to_owned().try_into().unwrap() }
    }

    #[test]
    fn accepts_only_iso_4217_codes() {
        assert!(Currency::try_from("EUR".to_owned()).is_ok());
        for code in ["eur", "EURO", "", "ABC"] {
            assert_eq!(Currency::try_from(code.to_owned()), Err(NOT_A_CURRENCY), "{code}");
        }
    }

    #[test]
    fn returns_exact_results_or_none() {
        assert_eq!(money(1999, "EUR").times(Quantity::try_from(3).unwrap()), Some(money(5997, "EUR")));
        assert_eq!(money(1, "EUR").plus(money(2, "EUR")), Some(money(3, "EUR")));
        assert_eq!(money(1, "EUR").plus(money(2, "USD")), None);
        assert_eq!(money(Amount::MAX, "EUR").plus(money(1, "EUR")), None);
        assert_eq!(money(Amount::MAX, "EUR").times(Quantity::try_from(2).unwrap()), None);
    }

    #[test]
    fn displays_the_decimals_of_the_currency() {
        for (minor_units, code, text) in
            [(1250, "EUR", "12.50 EUR"), (5, "EUR", "0.05 EUR"), (1250, "JPY", "1250 JPY"), (1250, "KWD", "1.250 KWD")]
        {
            assert_eq!(money(minor_units, code).to_string(), text);
        }
    }
}
