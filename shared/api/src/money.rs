//! JSON body for amounts of money.

use deserr::Deserr;
use ferrite_core::ValueError;
use ferrite_domain::{Amount, Currency, Money};
use ferrite_runtime::http::InvalidBody;

/// Amount in the currency's minor unit, and the ISO 4217 currency code.
#[derive(Debug, Deserr)]
#[deserr(error = InvalidBody, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Price", deny_unknown_fields))]
pub struct MoneyBody {
    #[deserr(try_from(u64) = Amount::try_from -> ValueError)]
    amount: Amount,
    #[deserr(try_from(String) = Currency::try_from -> ValueError)]
    #[cfg_attr(feature = "schema", schemars(with = "ferrite_domain::schema::CurrencyCode"))]
    currency: Currency,
}

impl From<MoneyBody> for Money {
    fn from(MoneyBody { amount, currency }: MoneyBody) -> Self {
        Self { amount, currency }
    }
}
