//! Packages the template for CloudFormation: uploads the code of the functions and the nested templates to a bucket
//! of the emulator, and replaces their paths with the addresses.
//!
//! The rest of the template stays as it is written, character for character.

use std::fs;
use std::path::Path;

use ferrite_aws_client::client::AwsClient;
use ferrite_aws_client::error::AwsError;

use crate::files::{FileError, at};
use crate::staging::{Staging, StagingError};

/// The bucket for code and templates.
const BUCKET: &str = "ferrite-dev-code";

/// Error returned when a template cannot be packaged.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The template refers to a function that was not built.
    #[error(
        "template.yaml line {line}: there is no function {function}; create functions/{function} or remove the resource"
    )]
    UnknownFunction {
        /// The line, from 1.
        line: usize,
        /// The name of the function.
        function: String,
    },
    /// A file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The code could not be archived.
    #[error(transparent)]
    Staging(#[from] StagingError),
    /// An upload failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
}

/// A reference of the template to a local file.
#[derive(Debug, PartialEq, Eq)]
enum Reference<'a> {
    /// `CodeUri: target/lambda/NAME/`.
    Function(&'a str),
    /// `TemplateURL: infra/FILE.yaml`, or another relative path.
    Template(&'a str),
}

/// Uploads what the template in `folder` refers to, and then the template itself. Returns the URL of the template.
///
/// # Errors
/// Returns an error if the template refers to a function that is not staged with a launcher, or if an upload fails.
pub fn upload(aws: &AwsClient, folder: &Path, staging: &Staging) -> Result<String, PackageError> {
    aws.create_bucket(BUCKET)?;
    let path = folder.join("template.yaml");
    let text = fs::read_to_string(&path).map_err(at(&path))?;
    let mut packaged = String::with_capacity(text.len());
    for (index, line) in text.lines().enumerate() {
        let address = match reference(line) {
            Some(Reference::Function(function)) => {
                let Some(version) = staging.version(function) else {
                    return Err(PackageError::UnknownFunction { line: index + 1, function: function.to_owned() });
                };
                let key = format!("{function}/{version}.zip");
                aws.put_object(BUCKET, &key, staging.archive(function)?)?;
                Some(format!("s3://{BUCKET}/{key}"))
            }
            Some(Reference::Template(relative)) => {
                let nested = folder.join(relative);
                let body = fs::read(&nested).map_err(at(&nested))?;
                Some(aws.put_object(BUCKET, relative, body)?)
            }
            None => None,
        };
        match (address, line.split_once(": ")) {
            (Some(address), Some((key, _))) => packaged.push_str(&format!("{key}: {address}\n")),
            _ => packaged.push_str(&format!("{line}\n")),
        }
    }
    Ok(aws.put_object(BUCKET, "template.yaml", packaged.into_bytes())?)
}

/// The local file that a line of the template refers to.
fn reference(line: &str) -> Option<Reference<'_>> {
    let (key, value) = line.trim().split_once(": ")?;
    let value = value.split(" #").next()?.trim().trim_matches(['"', '\'']);
    match key {
        "CodeUri" => Some(Reference::Function(value.strip_prefix("target/lambda/")?.trim_end_matches('/'))),
        "TemplateURL" => (!value.contains("://") && !value.starts_with('!')).then_some(Reference::Template(value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_code_of_functions_and_the_nested_templates() {
        let function = Some(Reference::Function("get-item"));
        assert_eq!(reference("      CodeUri: target/lambda/get-item/"), function);
        assert_eq!(reference("      CodeUri: \"target/lambda/get-item\" # built by cargo-lambda"), function);
        assert_eq!(reference("  TemplateURL: infra/alarms.yaml"), Some(Reference::Template("infra/alarms.yaml")));
        for other in ["CodeUri: s3://bucket/key", "TemplateURL: https://s3/a.yaml", "TemplateURL: !Ref A", "# CodeUri:", ""]
        {
            assert_eq!(reference(other), None, "{other}");
        }
    }
}
