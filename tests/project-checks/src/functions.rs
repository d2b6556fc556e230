//! Functions: log groups, and their crates.

use std::collections::BTreeSet;

use ferrite_local_stack::template::Template;

use crate::reference::sub_text;

/// Reports log groups without a retention period, and functions without a log group of their own.
#[must_use]
pub fn log_groups(template: &Template) -> Vec<String> {
    let mut found = Vec::new();
    let mut groups = BTreeSet::new();
    for (name, group) in template.resources_of_type("AWS::Logs::LogGroup") {
        if group["RetentionInDays"].is_null() {
            found.push(format!("{name}: set RetentionInDays"));
        }
        groups.extend(sub_text(&group["LogGroupName"]));
    }
    for (name, function) in template.resources_of_type("AWS::Serverless::Function") {
        match sub_text(&function["FunctionName"]) {
            None => found.push(format!("{name}: set FunctionName to !Sub \"${{AWS::StackName}}-…\"")),
            Some(function) if !groups.contains(format!("/aws/lambda/{function}").as_str()) => {
                found.push(format!("{name}: add an AWS::Logs::LogGroup with the name /aws/lambda/{function}"));
            }
            Some(_) => {}
        }
    }
    found
}

/// Reports function crates that the template does not deploy, and functions without a crate. `crates` has the names of the
/// folders in functions/.
#[must_use]
pub fn crates(template: &Template, crates: &BTreeSet<String>) -> Vec<String> {
    let functions = match template.functions() {
        Ok(functions) => functions.into_iter().map(|function| function.name).collect::<BTreeSet<_>>(),
        Err(error) => return vec![error.to_string()],
    };
    let missing = crates.difference(&functions).map(|name| {
        format!("functions/{name}: add a function with CodeUri target/lambda/{name}/ to template.yaml, or delete the crate")
    });
    let unknown =
        functions.difference(crates).map(|name| format!("template.yaml: the function {name} has no crate in functions/"));
    missing.chain(unknown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{template, template_without};

    const FUNCTION: &str = r#"
  Logs:
    Type: AWS::Logs::LogGroup
    Properties:
      LogGroupName: !Sub "/aws/lambda/${AWS::StackName}-get-item"
      RetentionInDays: 7
  GetItem:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub "${AWS::StackName}-get-item"
      CodeUri: target/lambda/get-item/
"#;

    #[test]
    fn accepts_a_function_with_a_log_group_and_a_crate() {
        assert_eq!(log_groups(&template(FUNCTION)), [""; 0]);
        assert_eq!(crates(&template(FUNCTION), &BTreeSet::from(["get-item".to_owned()])), [""; 0]);
    }

    #[test]
    fn reports_missing_settings_of_log_groups() {
        assert_eq!(log_groups(&template_without(FUNCTION, "RetentionInDays")), ["Logs: set RetentionInDays"]);
        let found = log_groups(&template_without(FUNCTION, "LogGroupName"));
        assert_eq!(found, ["GetItem: add an AWS::Logs::LogGroup with the name /aws/lambda/${AWS::StackName}-get-item"]);
        assert_eq!(log_groups(&template_without(FUNCTION, "FunctionName")).len(), 1);
    }

    #[test]
    fn reports_crates_without_a_function_and_functions_without_a_crate() {
        let found = crates(&template(FUNCTION), &BTreeSet::from(["put-item".to_owned()]));
        assert!(found[0].starts_with("functions/put-item: add a function"), "{found:?}");
        assert_eq!(found[1], "template.yaml: the function get-item has no crate in functions/");
    }
}
