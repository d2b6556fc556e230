use ferrite_api::{ApiError, CustomerBody};
use ferrite_domain::ports::{GetCustomer, GetEmailFeedback};
use ferrite_runtime::http::{Problem, Request, Response, caller, json};
use http::StatusCode;

/// Returns the caller's profile, with the status of the e-mail address. Returns 404 if the caller is not registered.
pub(crate) async fn get_customer(
    customers: &(impl GetCustomer + GetEmailFeedback),
    request: Request,
) -> Result<Response, ApiError> {
    let customer = customers.get(&caller(&request)?.id()).await?.ok_or_else(Problem::not_found)?;
    let feedback = customers.feedback(&customer.email).await?;
    Ok(json(StatusCode::OK, &CustomerBody::new(customer, feedback))?)
}

#[cfg(test)]
mod tests {
    use ferrite_domain::memory::MemoryStore;
    use ferrite_domain::ports::SaveEmailFeedback;
    use ferrite_domain::{EmailFeedback, FeedbackKind, contract};
    use ferrite_runtime::http::testing::{TestRequest, request};
    use http::Method;
    use serde_json::Value;

    use super::*;

    async fn get(store: &MemoryStore, caller: &str) -> Result<Value, ApiError> {
        let response = get_customer(store, request(Method::GET).with_caller(caller, "")).await?;
        Ok(serde_json::from_slice(response.body()).unwrap())
    }

    #[tokio::test]
    async fn returns_the_profile_and_the_status_of_the_address() {
        let store = MemoryStore::default();
        let ada = contract::customers::register(&store, "ada", "ada@example.com").await;
        let body = get(&store, "ada").await.unwrap();
        assert_eq!((&body["id"], &body["email"]), (&"ada".into(), &"ada@example.com".into()));
        assert_eq!(body["emailStatus"], "unconfirmed");

        contract::customers::confirm(&store, &ada).await;
        assert_eq!(get(&store, "ada").await.unwrap()["emailStatus"], "confirmed");

        for (kind, status) in [(FeedbackKind::Bounce, "bounced"), (FeedbackKind::Complaint, "complained")] {
            let feedback = EmailFeedback { kind, reported_at: contract::now() };
            store.save_feedback(&ada.email, feedback).await.unwrap();
            assert_eq!(get(&store, "ada").await.unwrap()["emailStatus"], status);
        }
    }

    #[tokio::test]
    async fn returns_404_for_a_caller_who_is_not_registered() {
        let store = MemoryStore::default();
        contract::customers::register(&store, "ada", "ada@example.com").await;
        assert_eq!(get(&store, "bob").await.unwrap_err().problem().status(), StatusCode::NOT_FOUND);
    }
}
