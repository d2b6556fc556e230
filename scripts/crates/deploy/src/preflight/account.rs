//! The AWS account of the credentials.

use std::fmt;

use anyhow::{Context as _, bail};
use ferrite_aws_client::client::{AwsClient, STS};
use ferrite_aws_client::error::AwsError;

use crate::aws_settings::SIGN_IN;

/// The caller that the credentials belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// ID of the account.
    pub(crate) id: String,
    arn: String,
}

impl Account {
    /// Asks AWS for the caller (AWS STS, GetCallerIdentity), which needs no permission.
    ///
    /// # Errors
    /// Returns an error if AWS does not respond, or does not accept the credentials.
    pub(crate) fn read(aws: &AwsClient) -> anyhow::Result<Self> {
        let xml = match aws.query(STS, "GetCallerIdentity", &[]) {
            Ok(xml) => xml,
            Err(AwsError::Rejected { status: 400 | 401 | 403, body, .. }) => {
                let code = error_code(&body).unwrap_or_else(|| "no reason given".to_owned());
                bail!("AWS does not accept the credentials ({code}): they are wrong or have expired; {SIGN_IN}")
            }
            Err(error) => return Err(error).context("cannot check the credentials; is the region correct?"),
        };
        let document = roxmltree::Document::parse(&xml).context("unexpected response to GetCallerIdentity")?;
        let text = |name: &str| text(&document, name).with_context(|| format!("GetCallerIdentity returned no {name}"));
        Ok(Self { id: text("Account")?, arn: text("Arn")? })
    }

    /// An account, for tests.
    #[cfg(test)]
    pub(crate) fn with_id(id: &str) -> Self {
        Self { id: id.to_owned(), arn: String::new() }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "account {}, {}", self.id, self.arn)
    }
}

fn error_code(xml: &str) -> Option<String> {
    text(&roxmltree::Document::parse(xml).ok()?, "Code")
}

fn text(document: &roxmltree::Document<'_>, name: &str) -> Option<String> {
    document.descendants().find(|node| node.tag_name().name() == name)?.text().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::testing::aws;
    use super::*;

    #[test]
    fn names_the_account_and_the_caller() {
        let aws = aws(&[(
            "Action=GetCallerIdentity",
            200,
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
             <Arn>arn:aws:iam::123456789012:user/ada</Arn><Account>123456789012</Account>\
             </GetCallerIdentityResult></GetCallerIdentityResponse>",
        )]);
        let account = Account::read(&aws).unwrap();
        assert_eq!(account.id, "123456789012");
        assert_eq!(account.to_string(), "account 123456789012, arn:aws:iam::123456789012:user/ada");
    }

    #[test]
    fn expired_credentials_are_an_error_with_the_fix() {
        let body = "<ErrorResponse><Error><Code>ExpiredToken</Code></Error></ErrorResponse>";
        let error = Account::read(&aws(&[("GetCallerIdentity", 403, body)])).unwrap_err().to_string();
        assert!(error.contains("(ExpiredToken)") && error.contains("sign in"), "{error}");
    }

    #[test]
    fn failure_of_aws_is_not_blamed_on_the_credentials() {
        let error = Account::read(&aws(&[])).unwrap_err();
        assert!(!format!("{error:#}").contains("expired") && format!("{error:#}").contains("500"), "{error:#}");
    }
}
