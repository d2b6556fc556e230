//! Settings and quotas of the account that a stack depends on.

use ferrite_aws_client::error::AwsError;
use http::Method;
use serde_json::Value;

use super::deployment::Deployment;
use super::finding::Finding;

/// The concurrency of an account with the default quota. New accounts may have 10.
const USUAL_CONCURRENCY: u64 = 1000;

/// Checks Amazon SES if the template sends e-mail, the concurrency of Lambda, and the role of API Gateway for logs.
pub(crate) fn check(deployment: &Deployment<'_>) -> Vec<Finding> {
    let sends_email = deployment
        .template
        .resources()
        .any(|(_, resource)| resource["Type"].as_str().is_some_and(|kind| kind.starts_with("AWS::SES::")));
    let mut findings = vec![lambda(deployment), api_gateway(deployment)];
    if sends_email {
        findings.push(ses(deployment));
    }
    findings
}

fn ses(deployment: &Deployment<'_>) -> Finding {
    let region = deployment.region;
    let account = match get(deployment, "email", "/v2/email/account") {
        Ok(account) => account,
        Err(error) => return Finding::Warning(format!("cannot check whether SES may send e-mail: {error}")),
    };
    if account["SendingEnabled"] == false {
        return Finding::Warning(format!(
            "SES has paused sending for this account in {region}, so no e-mail is sent. The SES console shows the reason"
        ));
    }
    if account["ProductionAccessEnabled"] != true {
        return Finding::Warning(format!(
            "SES is in its sandbox in {region}, so only verified addresses receive e-mail. Request production access in the \
             SES console before users depend on e-mail"
        ));
    }
    Finding::Good("SES may send e-mail to any address".to_owned())
}

fn lambda(deployment: &Deployment<'_>) -> Finding {
    let region = deployment.region;
    let settings = match get(deployment, "lambda", "/2016-08-19/account-settings/") {
        Ok(settings) => settings,
        Err(error) => return Finding::Warning(format!("cannot check Lambda's concurrency quota: {error}")),
    };
    let limit = &settings["AccountLimit"];
    let Some(free) = limit["UnreservedConcurrentExecutions"].as_u64() else {
        return Finding::Warning("cannot check Lambda's concurrency quota: the response does not contain it".to_owned());
    };
    if free < USUAL_CONCURRENCY {
        let total = limit["ConcurrentExecutions"].as_u64().unwrap_or(free);
        return Finding::Warning(format!(
            "Lambda runs at most {free} invocations at the same time ({total} in the account in {region}, less what \
             functions have reserved); more are throttled. Request a higher quota: \
             aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 \
             --desired-value {USUAL_CONCURRENCY} --region {region}"
        ));
    }
    Finding::Good(format!("Lambda runs up to {free} invocations at the same time"))
}

fn api_gateway(deployment: &Deployment<'_>) -> Finding {
    if deployment.parameters.get("AccessLog").is_none_or(|value| value != "enabled") {
        return Finding::Good("API Gateway needs no CloudWatch role, because AccessLog is not enabled".to_owned());
    }
    match get(deployment, "apigateway", "/account") {
        Ok(account) if account["cloudwatchRoleArn"].as_str().is_some_and(|role| !role.is_empty()) => {
            Finding::Good("API Gateway has a CloudWatch role".to_owned())
        }
        Ok(_) => Finding::Error(format!(
            "API Gateway has no CloudWatch role in this account in {}, which AccessLog=enabled needs. Deploy \
             infra/account.yaml, which creates it (infra/README.md, \"Set up the account\"), or set AccessLog=disabled",
            deployment.region
        )),
        Err(error) => Finding::Warning(format!("cannot check whether API Gateway has a CloudWatch role: {error}")),
    }
}

fn get(deployment: &Deployment<'_>, service: &str, path: &str) -> Result<Value, AwsError> {
    deployment.aws.rest_json(service, Method::GET, path, None)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ferrite_local_stack::template::Template;

    use super::super::testing::{aws, deployment};
    use super::*;

    const SES: &str = "GET /v2/email/account ";
    const LAMBDA: &str = "GET /2016-08-19/account-settings/ ";
    const API_GATEWAY: &str = "GET /account ";

    fn run(
        check: fn(&Deployment<'_>) -> Finding,
        path: &'static str,
        status: u16,
        body: &'static str,
        access_log: &str,
    ) -> Finding {
        let template = Template::parse("{}").unwrap();
        let parameters = BTreeMap::from([("AccessLog".to_owned(), access_log.to_owned())]);
        let aws = aws(&[(path, status, body)]);
        check(&deployment(&aws, &template, &parameters))
    }

    #[track_caller]
    fn assert_warning(finding: Finding, expected: &str) {
        assert!(matches!(&finding, Finding::Warning(text) if text.contains(expected)), "{finding:?}");
    }

    #[track_caller]
    fn assert_good(finding: Finding) {
        assert!(matches!(finding, Finding::Good(_)), "{finding:?}");
    }

    #[test]
    fn warns_if_ses_does_not_deliver_to_every_address() {
        let ses = |body| run(ses, SES, 200, body, "disabled");
        assert_warning(ses(r#"{"ProductionAccessEnabled": false, "SendingEnabled": true}"#), "sandbox");
        assert_warning(ses(r#"{"ProductionAccessEnabled": true, "SendingEnabled": false}"#), "paused");
        assert_good(ses(r#"{"ProductionAccessEnabled": true, "SendingEnabled": true}"#));
    }

    #[test]
    fn warns_about_a_low_concurrency_quota() {
        let lambda = |body| run(lambda, LAMBDA, 200, body, "disabled");
        let low = r#"{"AccountLimit": {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}}"#;
        assert_warning(lambda(low), "at most 10 invocations");
        assert_good(lambda(r#"{"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}}"#));
    }

    #[test]
    fn access_log_needs_the_role_of_api_gateway() {
        let api_gateway = |body, access_log| run(api_gateway, API_GATEWAY, 200, body, access_log);
        let missing = api_gateway("{}", "enabled");
        assert!(matches!(&missing, Finding::Error(text) if text.contains("Deploy infra/account.yaml")), "{missing:?}");
        assert_good(api_gateway(r#"{"cloudwatchRoleArn": "arn:aws:iam::1:role/logs"}"#, "enabled"));
        assert_good(api_gateway("{}", "disabled"));
    }

    #[test]
    fn check_that_the_credentials_may_not_make_is_a_warning() {
        let denied = r#"{"message": "not authorized"}"#;
        assert_warning(run(ses, SES, 403, denied, ""), "not authorized");
        assert_warning(run(lambda, LAMBDA, 403, denied, ""), "not authorized");
        assert_warning(run(api_gateway, API_GATEWAY, 403, denied, "enabled"), "not authorized");
    }

    #[test]
    fn templates_without_email_do_not_need_ses() {
        let parameters = BTreeMap::new();
        let aws = aws(&[]);
        for (template, checks) in [("{}", 2), ("Resources: {Sender: {Type: AWS::SES::EmailIdentity}}", 3)] {
            let template = Template::parse(template).unwrap();
            assert_eq!(check(&deployment(&aws, &template, &parameters)).len(), checks);
        }
    }
}
