use ferrite_api::{ApiError, CustomerBody, RegistrationBody};
use ferrite_core::ports::Clock;
use ferrite_domain::ports::{GetCustomer, PutCustomer};
use ferrite_domain::{Registered, Registration};
use ferrite_runtime::http::{Problem, Request, Response, caller, json, json_body};
use ferrite_runtime::metrics::{self, Metric, Unit};
use ferrite_runtime::trace;
use http::StatusCode;

const CUSTOMERS_REGISTERED: Metric = Metric::new("CustomersRegistered", Unit::Count);

/// How often it is decided anew because another request of the same customer was quicker.
const ATTEMPTS: usize = 3;

/// Registers the caller, or changes what they said of themselves: 201 the first time, 200 after.
pub(crate) async fn register_customer(
    customers: &(impl GetCustomer + PutCustomer),
    clock: &impl Clock,
    request: Request,
) -> Result<Response, ApiError> {
    let id = caller(&request)?.id();
    let registration: Registration = json_body::<RegistrationBody>(&request)?.into();
    for _ in 0..ATTEMPTS {
        let before = customers.get(&id).await?;
        let (status, customer) = match registration.clone().register(id.clone(), before, clock.now()) {
            Registered::Created(customer) => (StatusCode::CREATED, customer),
            Registered::Changed(customer) => (StatusCode::OK, customer),
            Registered::Unchanged(customer) => return Ok(json(StatusCode::OK, &CustomerBody::from(customer))?),
        };
        if customers.put(&customer, &trace::context()).await? {
            if status == StatusCode::CREATED {
                metrics::count(CUSTOMERS_REGISTERED);
            }
            return Ok(json(status, &CustomerBody::from(customer))?);
        }
    }
    Err(Problem::unavailable(TooManyChanges).into())
}

/// Other requests of the same customer were quicker each time.
#[derive(Debug, thiserror::Error)]
#[error("the customer is being changed by too many requests at once")]
struct TooManyChanges;

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use ferrite_core::TraceContext;
    use ferrite_core::memory::FixedClock;
    use ferrite_core::ports::PortError;
    use ferrite_domain::memory::MemoryStore;
    use ferrite_domain::{Customer, CustomerId, contract};
    use ferrite_runtime::http::testing::{TestRequest, request};
    use http::Method;
    use serde_json::{Value, json};

    use super::*;

    async fn put(store: &(impl GetCustomer + PutCustomer), body: &Value) -> Result<(StatusCode, Value), ApiError> {
        let request = request(Method::PUT).by_caller("ada", "").json(body);
        let response = register_customer(store, &FixedClock(contract::now()), request).await?;
        Ok((response.status(), serde_json::from_slice(response.body()).unwrap()))
    }

    fn ada(email: &str) -> Value {
        json!({"email": email, "name": "Ada"})
    }

    #[tokio::test]
    async fn the_first_time_is_201_and_every_other_200() {
        let store = MemoryStore::default();
        let (status, body) = put(&store, &ada("ada@example.com")).await.unwrap();
        assert_eq!((status, &body["id"], &body["email"]), (StatusCode::CREATED, &json!("ada"), &json!("ada@example.com")));
        for email in ["ada@example.com", "ada@example.org"] {
            let (status, body) = put(&store, &ada(email)).await.unwrap();
            assert_eq!((status, &body["email"]), (StatusCode::OK, &json!(email)));
        }
    }

    #[tokio::test]
    async fn every_field_at_fault_is_named() {
        let refused = put(&MemoryStore::default(), &json!({"email": "ada", "name": "", "id": "bob"})).await.unwrap_err();
        assert_eq!(refused.problem().status(), StatusCode::UNPROCESSABLE_ENTITY);
        let text = format!("{refused:?}");
        for field in ["email", "name", "id"] {
            assert!(text.contains(field), "{text}");
        }
    }

    /// A store where somebody else registers the customer between the look and the put.
    #[derive(Default)]
    struct Raced(MemoryStore, Mutex<bool>);

    impl GetCustomer for Raced {
        async fn get(&self, id: &CustomerId) -> Result<Option<Customer>, PortError> {
            self.0.get(id).await
        }
    }

    impl PutCustomer for Raced {
        async fn put(&self, customer: &Customer, cause: &TraceContext) -> Result<bool, PortError> {
            if !std::mem::replace(&mut *self.1.lock().unwrap(), true) {
                let other = Customer { name: "Other".to_owned().try_into().unwrap(), ..customer.clone() };
                self.0.put(&other, cause).await?;
            }
            self.0.put(customer, cause).await
        }
    }

    #[tokio::test]
    async fn of_two_at_once_one_is_the_first() {
        let store = Raced::default();
        let (status, body) = put(&store, &ada("ada@example.com")).await.unwrap();
        assert_eq!((status, &body["name"]), (StatusCode::OK, &json!("Ada")));
    }
}
