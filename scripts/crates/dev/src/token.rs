//! `scripts/token`: a JWT that the local stack accepts.

use std::time::Duration;

use ferrite_tests::issuer::{ADMIN_SCOPE, Issuer};

use crate::checkout::Checkout;
use crate::console::say;
use crate::trouble::Trouble;

/// Long enough for a day's work.
pub const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);
/// The subject of tokens for admins.
pub const ADMIN: &str = "local-admin";

/// Whom a token is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bearer {
    /// Somebody with the scope `products:write`.
    Admin,
    /// The customer of this id.
    Customer(String),
}

/// A token for `bearer`, signed with the checkout's key.
///
/// # Errors
/// When the key cannot be used.
pub fn mint(checkout: &Checkout, bearer: &Bearer) -> Result<String, Trouble> {
    let issuer = Issuer::open(&checkout.keys())?;
    Ok(match bearer {
        Bearer::Admin => issuer.mint(ADMIN, &[ADMIN_SCOPE], LIFETIME)?,
        Bearer::Customer(id) => issuer.mint(id, &[], LIFETIME)?,
    })
}

/// Prints a token for `bearer`.
///
/// # Errors
/// When the key cannot be used.
pub fn print(checkout: &Checkout, bearer: &Bearer) -> Result<(), Trouble> {
    say(&mint(checkout, bearer)?);
    Ok(())
}

/// Prints the keys that every token is verified with, as a JWKS (RFC 7517, section 5).
///
/// # Errors
/// When the key cannot be used.
pub fn print_jwks(checkout: &Checkout) -> Result<(), Trouble> {
    say(&Issuer::open(&checkout.keys())?.jwks());
    Ok(())
}
