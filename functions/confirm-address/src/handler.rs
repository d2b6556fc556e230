use ferrite_api::{ApiError, CustomerBody, EmailConfirmationBody};
use ferrite_core::ports::Clock;
use ferrite_domain::ports::{GetCustomer, GetEmailFeedback, PutCustomer, SaveResult, TooManyConflicts};
use ferrite_domain::{ConfirmationOutcome, ConfirmationToken};
use ferrite_runtime::http::{Problem, Request, Response, caller, json, json_body};
use ferrite_runtime::metrics::{self, Metric, Unit};
use ferrite_runtime::trace;
use http::StatusCode;

const ADDRESSES_CONFIRMED: Metric = Metric::new("AddressesConfirmed", Unit::Count);

/// Maximum number of attempts if concurrent requests change the same customer.
const MAX_ATTEMPTS: usize = 3;

/// Confirms the caller's e-mail address with the token that was sent to it.
///
/// The caller must be signed in as the customer to whom the token belongs. Somebody who enters the address of another
/// person does not receive the token, and the other person is not signed in as this customer.
///
/// Returns 200 with the profile. A repeated request also returns 200, so that a client can retry when the response was
/// lost. Returns 404 if the caller is not registered, and 422 if the token is wrong or has expired.
pub(crate) async fn confirm_address(
    customers: &(impl GetCustomer + PutCustomer + GetEmailFeedback),
    clock: &impl Clock,
    request: Request,
) -> Result<Response, ApiError> {
    let id = caller(&request)?.id();
    let token: ConfirmationToken = json_body::<EmailConfirmationBody>(&request)?.into();
    for _ in 0..MAX_ATTEMPTS {
        let current = customers.get(&id).await?.ok_or_else(Problem::not_found)?;
        let customer = match current.confirm_email(&token, clock.now())? {
            ConfirmationOutcome::AlreadyConfirmed(customer) => customer,
            ConfirmationOutcome::Confirmed(customer) => {
                if customers.put(&customer, &trace::context()).await? == SaveResult::Conflict {
                    continue;
                }
                metrics::count(ADDRESSES_CONFIRMED);
                customer
            }
        };
        let feedback = customers.feedback(&customer.email).await?;
        return Ok(json(StatusCode::OK, &CustomerBody::new(customer, feedback))?);
    }
    Err(TooManyConflicts.into())
}

#[cfg(test)]
mod tests {
    use ferrite_core::memory::FixedClock;
    use ferrite_domain::memory::MemoryStore;
    use ferrite_domain::{ConfirmationRequest, Customer, contract};
    use ferrite_runtime::http::testing::{TestRequest, request};
    use http::Method;
    use serde_json::{Value, json};

    use super::*;

    fn token(customer: &Customer) -> String {
        customer.email_confirmation.valid_token(contract::now()).unwrap().expose().to_owned()
    }

    async fn confirm(store: &MemoryStore, caller: &str, token: &str, clock: FixedClock) -> Result<Value, StatusCode> {
        let request = request(Method::POST).with_caller(caller, "").json(&json!({ "token": token }));
        let response = confirm_address(store, &clock, request).await.map_err(|error| error.problem().status())?;
        assert_eq!(response.status(), StatusCode::OK);
        Ok(serde_json::from_slice(response.body()).unwrap())
    }

    fn now() -> FixedClock {
        FixedClock(contract::now())
    }

    #[tokio::test]
    async fn confirms_the_address_once_for_repeated_requests() {
        let store = MemoryStore::default();
        let ada = contract::customers::register(&store, "ada", "ada@example.com").await;
        let first = confirm(&store, "ada", &token(&ada), now()).await.unwrap();
        assert_eq!(first["emailStatus"], "confirmed");
        assert_eq!(confirm(&store, "ada", &token(&ada), now()).await.unwrap(), first);
        let saved = GetCustomer::get(&store, &ada.id).await.unwrap().unwrap();
        assert_eq!(saved.version, ada.version.next());
    }

    #[tokio::test]
    async fn rejects_tokens_that_are_not_the_callers_current_token() {
        let store = MemoryStore::default();
        let ada = contract::customers::register(&store, "ada", "ada@example.com").await;
        let bob = contract::customers::register(&store, "bob", "ada@example.com").await;
        let late = FixedClock(contract::now().plus(ConfirmationRequest::LIFETIME));
        for (caller, token, clock, status) in [
            ("bob", token(&ada), now(), StatusCode::UNPROCESSABLE_ENTITY),
            ("ada", token(&bob), now(), StatusCode::UNPROCESSABLE_ENTITY),
            ("ada", token(&ada), late, StatusCode::UNPROCESSABLE_ENTITY),
            ("ada", "not a token".to_owned(), now(), StatusCode::UNPROCESSABLE_ENTITY),
            ("eve", token(&ada), now(), StatusCode::NOT_FOUND),
        ] {
            assert_eq!(confirm(&store, caller, &token, clock).await, Err(status), "{caller} {token}");
        }
        for customer in [&ada, &bob] {
            let saved = GetCustomer::get(&store, &customer.id).await.unwrap().unwrap();
            assert_eq!(&saved, customer);
        }
    }
}
