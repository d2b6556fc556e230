use ferrite_api::{ApiError, CustomerBody, RegistrationBody};
use ferrite_core::ports::{Clock, SecretGenerator};
use ferrite_domain::ports::{GetCustomer, GetEmailFeedback, PutCustomer, SaveResult, TooManyConflicts};
use ferrite_domain::{ConfirmationToken, Registration, RegistrationOutcome};
use ferrite_runtime::http::{Request, Response, caller, json, json_body};
use ferrite_runtime::metrics::{self, Metric, Unit};
use ferrite_runtime::trace;
use http::StatusCode;

const CUSTOMERS_REGISTERED: Metric = Metric::new("CustomersRegistered", Unit::Count);

/// Maximum number of attempts if concurrent requests change the same customer.
const MAX_ATTEMPTS: usize = 3;

/// Registers the caller, or updates their registration. Returns 201 if the customer is new and 200 otherwise.
///
/// A new address has to be confirmed. The token is saved with the profile, and the event that is derived from this
/// change causes the confirmation e-mail.
pub(crate) async fn register_customer(
    customers: &(impl GetCustomer + PutCustomer + GetEmailFeedback),
    secrets: &impl SecretGenerator,
    clock: &impl Clock,
    request: Request,
) -> Result<Response, ApiError> {
    let id = caller(&request)?.id();
    let registration: Registration = json_body::<RegistrationBody>(&request)?.into();
    let feedback = customers.feedback(&registration.email).await?;
    for _ in 0..MAX_ATTEMPTS {
        let existing = customers.get(&id).await?;
        let token = ConfirmationToken::new(secrets.new_secret());
        let (status, customer) = match registration.clone().apply(id.clone(), existing, token, clock.now()) {
            RegistrationOutcome::Created(customer) => (StatusCode::CREATED, customer),
            RegistrationOutcome::Updated(customer) => (StatusCode::OK, customer),
            RegistrationOutcome::Unchanged(customer) => {
                return Ok(json(StatusCode::OK, &CustomerBody::new(customer, feedback))?);
            }
        };
        if customers.put(&customer, &trace::context()).await? == SaveResult::Saved {
            if status == StatusCode::CREATED {
                metrics::count(CUSTOMERS_REGISTERED);
            }
            return Ok(json(status, &CustomerBody::new(customer, feedback))?);
        }
    }
    Err(TooManyConflicts.into())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use ferrite_core::TraceContext;
    use ferrite_core::memory::{FixedClock, UniqueIds};
    use ferrite_core::ports::PortError;
    use ferrite_domain::memory::MemoryStore;
    use ferrite_domain::ports::SaveEmailFeedback;
    use ferrite_domain::{Customer, CustomerId, Email, EmailFeedback, FeedbackKind, contract};
    use ferrite_runtime::http::testing::{TestRequest, request};
    use http::Method;
    use serde_json::{Value, json};

    use super::*;

    const NO_SCOPES: &str = "";

    async fn put(
        store: &(impl GetCustomer + PutCustomer + GetEmailFeedback),
        body: &Value,
    ) -> Result<(StatusCode, Value), ApiError> {
        let request = request(Method::PUT).with_caller("ada", NO_SCOPES).json(body);
        let response = register_customer(store, &UniqueIds, &FixedClock(contract::now()), request).await?;
        Ok((response.status(), serde_json::from_slice(response.body()).unwrap()))
    }

    fn ada(email: &str) -> Value {
        json!({"email": email, "name": "Ada"})
    }

    #[tokio::test]
    async fn returns_201_for_a_new_customer_and_200_afterwards() {
        let store = MemoryStore::default();
        let (status, body) = put(&store, &ada("ada@example.com")).await.unwrap();
        assert_eq!((status, &body["id"], &body["email"]), (StatusCode::CREATED, &json!("ada"), &json!("ada@example.com")));
        for email in ["ada@example.com", "ada@example.org"] {
            let (status, body) = put(&store, &ada(email)).await.unwrap();
            assert_eq!((status, &body["email"]), (StatusCode::OK, &json!(email)));
        }
    }

    #[tokio::test]
    async fn returns_the_status_of_the_address_and_not_the_token() {
        let store = MemoryStore::default();
        let (_, body) = put(&store, &ada("ada@example.com")).await.unwrap();
        assert_eq!(body["emailStatus"], "unconfirmed");
        let saved = GetCustomer::get(&store, &"ada".to_owned().try_into().unwrap()).await.unwrap().unwrap();
        let token = saved.email_confirmation.valid_token(contract::now()).unwrap();
        assert!(!body.to_string().contains(token.expose()));

        let bounced: Email = "bounced@example.com".to_owned().try_into().unwrap();
        let feedback = EmailFeedback { kind: FeedbackKind::Bounce, reported_at: contract::now() };
        store.save_feedback(&bounced, feedback).await.unwrap();
        for _ in 0..2 {
            let (_, body) = put(&store, &ada(bounced.expose())).await.unwrap();
            assert_eq!(body["emailStatus"], "bounced");
        }
    }

    #[tokio::test]
    async fn names_every_invalid_field() {
        let error = put(&MemoryStore::default(), &json!({"email": "ada", "name": "", "id": "bob"})).await.unwrap_err();
        assert_eq!(error.problem().status(), StatusCode::UNPROCESSABLE_ENTITY);
        let text = format!("{error:?}");
        for field in ["email", "name", "id"] {
            assert!(text.contains(field), "{text}");
        }
    }

    /// A store in which another request registers the customer between the first read and the first write.
    #[derive(Default)]
    struct ConcurrentRegistration {
        store: MemoryStore,
        registered: Mutex<bool>,
    }

    impl GetCustomer for ConcurrentRegistration {
        async fn get(&self, id: &CustomerId) -> Result<Option<Customer>, PortError> {
            self.store.get(id).await
        }
    }

    impl GetEmailFeedback for ConcurrentRegistration {
        async fn feedback(&self, address: &Email) -> Result<Option<EmailFeedback>, PortError> {
            self.store.feedback(address).await
        }
    }

    impl PutCustomer for ConcurrentRegistration {
        async fn put(&self, customer: &Customer, trace_context: &TraceContext) -> Result<SaveResult, PortError> {
            if !std::mem::replace(&mut *self.registered.lock().unwrap(), true) {
                let other = Customer { name: "Other".to_owned().try_into().unwrap(), ..customer.clone() };
                assert_eq!(self.store.put(&other, trace_context).await?, SaveResult::Saved);
            }
            self.store.put(customer, trace_context).await
        }
    }

    #[tokio::test]
    async fn returns_200_when_a_concurrent_request_registers_first() {
        let store = ConcurrentRegistration::default();
        let (status, body) = put(&store, &ada("ada@example.com")).await.unwrap();
        assert_eq!((status, &body["name"]), (StatusCode::OK, &json!("Ada")));
    }
}
