//! A fuzz target for each parser. No parser may panic, and accepted values must be equal after printing and parsing
//! again.

use ferrite_fuzz::{MutationPlan, mutate};

mod envelopes;
mod feature_flags;
mod keys;
mod values;

/// Whether `text` is rejected, or is parsed to a value that is equal after printing and parsing again.
fn round_trips<T>(text: &str) -> bool
where
    T: std::str::FromStr + std::fmt::Display + PartialEq,
{
    text.parse::<T>().ok().is_none_or(|value| value.to_string().parse::<T>().is_ok_and(|again| again == value))
}

/// Whether `json` is rejected, or is parsed to a value that is equal after serializing and parsing again.
fn json_round_trips<T>(json: &str) -> bool
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq,
{
    let written = |value: &T| serde_json::to_string(value).ok();
    let again = |value: &T| serde_json::from_str::<T>(&written(value)?).ok();
    serde_json::from_str::<T>(json).ok().is_none_or(|value| again(&value) == Some(value))
}

const PRODUCT: &str = "prd_0192f0c1a2b37c4d8e5f60718293a4b5";
const IMAGE: &str = "img_0192f0c1a2b37c4d8e5f60718293a4b6";
const ORDER: &str = "ord_0192f0c1a2b37c4d8e5f60718293a4b7";
const ORDER_CURSOR: &str = "b3JkXzAxOTJmMGMxYTJiMzdjNGQ4ZTVmNjA3MTgyOTNhNGI1";
