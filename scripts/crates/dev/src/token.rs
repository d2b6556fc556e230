//! `./scripts/token`: a JWT that the local stack accepts.

use std::time::Duration;

use ferrite_application_tools::scopes::ADMIN_SCOPE;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::console::print;
use ferrite_token_issuer::issuer::{Issuer, IssuerError};

/// Lifetime of a token: 12 hours, so that it lasts for a working day.
const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);
/// Subject (`sub`) of tokens for admins.
const ADMIN: &str = "local-admin";

/// Who a token is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bearer {
    /// An admin, whose token has the scope [`ADMIN_SCOPE`].
    Admin,
    /// The user with this ID, whose token has no scopes.
    User(String),
}

/// Mints a token for `bearer`.
pub(crate) fn mint(issuer: &Issuer, bearer: &Bearer) -> String {
    match bearer {
        Bearer::Admin => issuer.mint(ADMIN, &[ADMIN_SCOPE], LIFETIME),
        Bearer::User(id) => issuer.mint(id, &[], LIFETIME),
    }
}

/// Prints a token for `bearer`.
///
/// # Errors
/// Returns an error if the signing key cannot be loaded or created.
pub(crate) fn print_token(checkout: &Checkout, bearer: &Bearer) -> Result<(), IssuerError> {
    print(&mint(&Issuer::open(&checkout.keys_folder())?, bearer));
    Ok(())
}

/// Prints the public keys that verify the tokens, as a JWK Set (RFC 7517, section 5).
///
/// # Errors
/// Returns an error if the signing key cannot be loaded or created.
pub(crate) fn print_jwks(checkout: &Checkout) -> Result<(), IssuerError> {
    print(&Issuer::open(&checkout.keys_folder())?.jwks());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ferrite_local_stack::samconfig::Section;
    use ferrite_token_issuer::issuer::{AUDIENCE, ISSUER};

    use super::*;

    #[test]
    fn local_environment_trusts_the_local_issuer() {
        let checkout = Checkout::at(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.."));
        let local = Section::load(&checkout, "local").unwrap();
        assert_eq!(local.parameter("JwtIssuer").unwrap(), ISSUER);
        assert_eq!(local.parameter("JwtAudience").unwrap(), AUDIENCE);
        assert!(local.parameter("JwksParameter").unwrap().starts_with('/'));
    }
}
