//! Customers, their registration, and the confirmation of their e-mail addresses.

use ferrite_core::{Timestamp, Version};

use crate::{ConfirmationToken, CustomerId, CustomerName, Email, EmailConfirmation};

/// A registered customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The customer's identifier.
    pub id: CustomerId,
    /// The customer's e-mail address.
    pub email: Email,
    /// Whether the owner of the address has confirmed it.
    pub email_confirmation: EmailConfirmation,
    /// The customer's name.
    pub name: CustomerName,
    /// Incremented with each change.
    pub version: Version,
    /// When the customer registered.
    pub created_at: Timestamp,
    /// When the profile last changed.
    pub updated_at: Timestamp,
}

/// The profile data that a customer registers with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The customer's e-mail address.
    pub email: Email,
    /// The customer's name.
    pub name: CustomerName,
}

/// Outcome of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistrationOutcome {
    /// The customer is new.
    Created(Customer),
    /// The customer was registered before and the profile changed.
    Updated(Customer),
    /// The customer was registered before with the same profile; nothing needs to be saved.
    Unchanged(Customer),
}

impl Registration {
    /// Applies the registration to the customer `id`, whose current profile is `current`.
    ///
    /// A new or changed address has to be confirmed with `token`. A registration with the same unconfirmed address
    /// requests another confirmation e-mail, at the earliest
    /// [`ConfirmationRequest::MIN_INTERVAL`](crate::ConfirmationRequest::MIN_INTERVAL) after the last one. It contains
    /// the same token, unless that has expired.
    pub fn apply(
        self,
        id: CustomerId,
        current: Option<Customer>,
        token: ConfirmationToken,
        now: Timestamp,
    ) -> RegistrationOutcome {
        let Self { email, name } = self;
        let Some(current) = current else {
            return RegistrationOutcome::Created(Customer {
                id,
                email,
                email_confirmation: EmailConfirmation::requested(token, now),
                name,
                version: Version::FIRST,
                created_at: now,
                updated_at: now,
            });
        };
        let is_same_address = current.email == email;
        let requests_confirmation = !is_same_address || current.email_confirmation.may_be_requested_again(now);
        // The token in an earlier e-mail to the same address stays valid, because the new e-mail may not arrive.
        let token = match current.email_confirmation.valid_token(now) {
            Some(token_in_use) if is_same_address => token_in_use.clone(),
            _ => token,
        };
        if is_same_address && current.name == name && !requests_confirmation {
            return RegistrationOutcome::Unchanged(current);
        }
        RegistrationOutcome::Updated(Customer {
            email,
            email_confirmation: match requests_confirmation {
                true => EmailConfirmation::requested(token, now),
                false => current.email_confirmation,
            },
            name,
            version: current.version.next(),
            updated_at: now,
            ..current
        })
    }
}

/// Outcome of a request to confirm an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfirmationOutcome {
    /// The token was valid. The profile changed.
    Confirmed(Customer),
    /// The address was confirmed before; nothing needs to be saved.
    AlreadyConfirmed(Customer),
}

/// The token is not that of the latest confirmation request, or it has expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the token from the latest confirmation e-mail, which is valid for 24 hours")]
pub struct InvalidConfirmationToken;

impl Customer {
    /// Confirms the customer's address with the token that was sent to it. The token can be used once: afterwards, the
    /// profile no longer contains it. A repeated request finds the address confirmed.
    ///
    /// # Errors
    /// Returns an error if the address is unconfirmed and the token is wrong or has expired.
    pub fn confirm_email(
        self,
        token: &ConfirmationToken,
        now: Timestamp,
    ) -> Result<ConfirmationOutcome, InvalidConfirmationToken> {
        if self.email_confirmation.is_confirmed() {
            return Ok(ConfirmationOutcome::AlreadyConfirmed(self));
        }
        if self.email_confirmation.valid_token(now) != Some(token) {
            return Err(InvalidConfirmationToken);
        }
        Ok(ConfirmationOutcome::Confirmed(Self {
            email_confirmation: EmailConfirmation::Confirmed { at: now },
            version: self.version.next(),
            updated_at: now,
            ..self
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;
    use crate::ConfirmationRequest;

    fn registration(email: &str, name: &str) -> Registration {
        Registration { email: email.to_owned().try_into().unwrap(), name: name.to_owned().try_into().unwrap() }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis)
    }

    fn token(number: u128) -> ConfirmationToken {
        ConfirmationToken::new(Uuid::from_u128(number))
    }

    fn ada() -> CustomerId {
        "ada".to_owned().try_into().unwrap()
    }

    /// A customer who registered at `at(1)` with token 1.
    fn new_customer() -> Customer {
        match registration("ada@example.com", "Ada").apply(ada(), None, token(1), at(1)) {
            RegistrationOutcome::Created(customer) => customer,
            other => panic!("{other:?}"),
        }
    }

    fn confirmed_customer() -> Customer {
        match new_customer().confirm_email(&token(1), at(2)).unwrap() {
            ConfirmationOutcome::Confirmed(customer) => customer,
            other => panic!("{other:?}"),
        }
    }

    /// Registers `customer` again, with token 2.
    fn register_again(customer: &Customer, email: &str, name: &str, now: Timestamp) -> RegistrationOutcome {
        registration(email, name).apply(ada(), Some(customer.clone()), token(2), now)
    }

    fn updated(outcome: RegistrationOutcome) -> Customer {
        match outcome {
            RegistrationOutcome::Updated(customer) => customer,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn debug_output_hides_the_address() {
        assert!(!format!("{:?}", new_customer()).contains("example.com"));
    }

    #[test]
    fn increments_the_version_only_on_a_change() {
        let first = new_customer();
        assert_eq!((first.version, first.created_at, first.updated_at), (Version::FIRST, at(1), at(1)));

        let same = register_again(&first, "ada@example.com", " Ada ", at(2));
        assert_eq!(same, RegistrationOutcome::Unchanged(first.clone()));

        let zoe = |name| registration("zoe@example.com", name);
        let RegistrationOutcome::Created(composed) = zoe("Zo\u{eb}").apply(ada(), None, token(1), at(1)) else {
            panic!("expected a new customer");
        };
        let decomposed = zoe("Zoe\u{308}").apply(ada(), Some(composed.clone()), token(2), at(2));
        assert_eq!(decomposed, RegistrationOutcome::Unchanged(composed));

        for (email, name) in [("ada@example.org", "Ada"), ("ada@example.com", "Ada L.")] {
            let updated = updated(register_again(&first, email, name, at(3)));
            assert_eq!((updated.email.expose(), updated.name.as_str()), (email, name));
            assert_eq!((updated.version.get(), updated.created_at, updated.updated_at), (2, at(1), at(3)));
        }
    }

    #[test]
    fn confirms_an_address_with_its_token_once() {
        let confirmed = confirmed_customer();
        assert_eq!(confirmed.email_confirmation, EmailConfirmation::Confirmed { at: at(2) });
        assert_eq!((confirmed.version.get(), confirmed.updated_at), (2, at(2)));
        // The profile no longer contains the token, so it cannot be used again for another address.
        let changed = updated(register_again(&confirmed, "bob@example.com", "Ada", at(3)));
        assert_eq!(changed.clone().confirm_email(&token(1), at(4)), Err(InvalidConfirmationToken));
        assert!(changed.confirm_email(&token(2), at(4)).is_ok());
    }

    #[test]
    fn accepts_a_repeated_confirmation() {
        let confirmed = confirmed_customer();
        for token in [token(1), token(9)] {
            let outcome = confirmed.clone().confirm_email(&token, at(5)).unwrap();
            assert_eq!(outcome, ConfirmationOutcome::AlreadyConfirmed(confirmed.clone()));
        }
    }

    #[test]
    fn rejects_a_wrong_or_expired_token() {
        let lifetime = ConfirmationRequest::LIFETIME;
        let customer = new_customer();
        assert_eq!(customer.clone().confirm_email(&token(2), at(2)), Err(InvalidConfirmationToken));
        assert_eq!(customer.clone().confirm_email(&token(1), at(1).plus(lifetime)), Err(InvalidConfirmationToken));
        assert!(customer.confirm_email(&token(1), at(0).plus(lifetime)).is_ok());
    }

    #[test]
    fn a_changed_address_must_be_confirmed_again() {
        let changed = updated(register_again(&confirmed_customer(), "ada@example.org", "Ada", at(3)));
        assert_eq!(changed.email_confirmation.valid_token(at(3)), Some(&token(2)));
        let renamed = updated(register_again(&confirmed_customer(), "ada@example.com", "Ada L.", at(3)));
        assert!(renamed.email_confirmation.is_confirmed(), "the address is the same");
    }

    #[test]
    fn a_repeated_registration_requests_another_confirmation_after_the_minimum_interval() {
        let customer = new_customer();
        let again = |now| register_again(&customer, "ada@example.com", "Ada", now);
        let interval = ConfirmationRequest::MIN_INTERVAL;
        assert!(matches!(again(at(1).plus(interval - Duration::from_millis(1))), RegistrationOutcome::Unchanged(_)));
        let requested = updated(again(at(1).plus(interval)));
        assert_ne!(requested.email_confirmation, customer.email_confirmation);
        assert_eq!(
            requested.email_confirmation.valid_token(at(1).plus(interval)),
            Some(&token(1)),
            "the token in the first e-mail stays valid"
        );
        let expired = at(1).plus(ConfirmationRequest::LIFETIME);
        assert_eq!(updated(again(expired)).email_confirmation.valid_token(expired), Some(&token(2)));
        let renamed = updated(register_again(&customer, "ada@example.com", "Ada L.", at(2)));
        assert_eq!(renamed.email_confirmation, customer.email_confirmation, "the last e-mail is recent");

        let from_before_confirmation =
            Customer { email_confirmation: EmailConfirmation::Unconfirmed { request: None }, ..customer };
        let requested = updated(register_again(&from_before_confirmation, "ada@example.com", "Ada", at(2)));
        assert_eq!(requested.email_confirmation.valid_token(at(2)), Some(&token(2)));
    }
}
