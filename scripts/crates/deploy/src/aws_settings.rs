//! The region and the credentials that the SAM CLI will use.

use anyhow::Context as _;
use ferrite_aws_client::endpoint::{Credentials, region};
use ferrite_local_stack::process::capture;
use ferrite_local_stack::tools::Tools;
use serde_json::Value;

/// Resolves them with botocore, the library of the SAM CLI, so that profiles, single sign-on and roles work as in SAM.
const RESOLVE: &str = "
import json, sys
import botocore.exceptions, botocore.session
found = {}
try:
    session = botocore.session.Session(profile=sys.argv[1] or None)
    found['region'] = session.get_config_variable('region')
    credentials = session.get_credentials()
    if credentials:
        keys = credentials.get_frozen_credentials()
        found.update(access_key=keys.access_key, secret_key=keys.secret_key, token=keys.token)
except botocore.exceptions.BotoCoreError as error:
    found['error'] = str(error)
print(json.dumps(found))
";

/// What the environment and the profiles of the AWS CLI define.
#[derive(Debug, Clone)]
pub(crate) struct AwsSettings {
    /// The region; `None` if it is not configured.
    pub(crate) region: Option<String>,
    found: Value,
}

impl AwsSettings {
    /// Reads the environment and the profile; without `profile`, that in `AWS_PROFILE` or the default one.
    ///
    /// # Errors
    /// Returns an error if the Python of the SAM CLI does not run.
    pub(crate) fn resolve(tools: &Tools, profile: Option<&str>) -> anyhow::Result<Self> {
        let mut python = tools.command("python");
        python.args(["-c", RESOLVE, profile.unwrap_or_default()]);
        let found: Value = serde_json::from_str(&capture(&mut python)?).context("cannot read the AWS settings")?;
        Ok(Self::of(found, region()))
    }

    /// botocore ignores `AWS_REGION`, which the AWS SDKs and Lambda set.
    fn of(found: Value, environment: Option<String>) -> Self {
        Self { region: environment.or_else(|| found["region"].as_str().map(str::to_owned)), found }
    }

    /// Returns the credentials for a region.
    ///
    /// # Errors
    /// Returns what to do if there are none, or if they have expired.
    pub(crate) fn credentials(&self, region: &str) -> anyhow::Result<Credentials> {
        let text = |name: &str| self.found[name].as_str().map(str::to_owned);
        match (text("access_key"), text("secret_key")) {
            (Some(access_key), Some(secret_key)) => {
                Ok(Credentials { access_key, secret_key, session_token: text("token"), region: region.to_owned() })
            }
            _ => {
                let reason = text("error").unwrap_or_else(|| "neither the environment nor a profile has any".to_owned());
                anyhow::bail!("no AWS credentials ({reason}); {SIGN_IN}")
            }
        }
    }
}

/// How to get valid credentials.
pub(crate) const SIGN_IN: &str = "sign in with the AWS CLI (aws configure, aws login or aws sso login) and set AWS_PROFILE \
                                  if the profile is not the default one, or set AWS_ACCESS_KEY_ID, \
                                  AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn region_of_the_environment_has_priority_over_the_profile() {
        let found = json!({"region": "eu-west-1"});
        let of = |environment: Option<&str>| AwsSettings::of(found.clone(), environment.map(str::to_owned)).region;
        assert_eq!((of(Some("us-east-1")).as_deref(), of(None).as_deref()), (Some("us-east-1"), Some("eu-west-1")));
    }

    #[test]
    fn missing_or_expired_credentials_are_an_error_with_the_fix() {
        for (found, reason) in [(json!({}), "neither"), (json!({"error": "Token has expired"}), "Token has expired")] {
            let error = AwsSettings::of(found, None).credentials("eu-west-1").unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains("sign in"), "{error}");
        }
    }

    #[test]
    fn temporary_credentials_keep_their_token() {
        let found = json!({"access_key": "a", "secret_key": "s", "token": "t"});
        let credentials = AwsSettings::of(found, None).credentials("eu-west-1").unwrap();
        assert_eq!((credentials.session_token.as_deref(), credentials.region.as_str()), (Some("t"), "eu-west-1"));
    }
}
