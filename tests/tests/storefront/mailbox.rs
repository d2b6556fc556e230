//! What came to a customer by e-mail, as MiniStack keeps it.

use ferrite_aws::sdk_config;
use ferrite_tests::api::Api;
use ferrite_tests::poll::until;
use serde_json::Value;

/// The subjects of the mails to `address`, in any order.
pub(crate) fn subjects(api: &Api, address: &str) -> Vec<String> {
    let config = sdk_config().expect("./scripts/test sets the AWS_* variables");
    let endpoint = config.endpoint_url().expect("./scripts/test sets AWS_ENDPOINT_URL");
    let answer = api.call_url("GET", &format!("{endpoint}/_ministack/ses/messages")).send().json();
    let accounts = answer["messages"].as_object().expect("they are by account").values();
    let messages = accounts.flat_map(|messages| messages.as_array().expect("it is a list"));
    let to_address = messages.filter(|message| message["To"][0] == address);
    to_address.map(|message: &Value| message["Subject"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Waits until a mail to `address` is about `subject`.
pub(crate) fn wait_for(api: &Api, address: &str, subject: &str) {
    until(&format!("a mail about {subject:?} to {address}"), || {
        subjects(api, address).iter().any(|found| found.contains(subject)).then_some(())
    });
}
