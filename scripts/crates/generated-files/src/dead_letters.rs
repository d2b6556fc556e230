//! The policy of the queues that have none of their own.

use ferrite_local_stack::template::Template;
use ferrite_template_text::TemplateText;
use serde_yaml_ng::Value;

use crate::GenerateError;
use crate::items::{indentation, sequence};

/// The policy of all queues that no other policy names.
const POLICY: &str = "DlqPolicy";

/// What is inserted if the last queue without a policy was removed before, and there is one again.
const NEW_POLICY: &str = r#"  # Only this account may send to the other dead-letter queues.
  DlqPolicy:
    Type: AWS::SQS::QueuePolicy
    Condition: OverTls
    Properties:
      Queues: []
      PolicyDocument:
        Version: "2012-10-17"
        # A queue policy applies only to its own queue, even with the resource `*`.
        Statement: [{Effect: Deny, Principal: "*", Action: "sqs:*", Resource: "*", Condition: {Bool: {aws:SecureTransport: "false"}}}]
"#;

/// Updates the queues of the policy. Removes the policy if all queues have one of their own, and adds it if one has not.
/// Does nothing if the template has no condition `OverTls`.
pub(crate) fn update(edited: &mut TemplateText, template: &Template) -> Result<(), GenerateError> {
    if !edited.contains(&["Conditions"], "OverTls") {
        return Ok(());
    }
    let policies = || template.resources_of_type("AWS::SQS::QueuePolicy");
    let named: Vec<_> = policies().filter(|(id, _)| *id != POLICY).flat_map(|(_, policy)| queues(policy)).collect();
    let all = template.resources_of_type("AWS::SQS::Queue").map(|(id, _)| id);
    let others: Vec<_> = all.filter(|id| !named.contains(id)).collect();
    let current = policies().find(|(id, _)| *id == POLICY).map(|(_, policy)| queues(policy));
    match (others.last(), &current) {
        (None, None) => return Ok(()),
        (None, Some(_)) => return Ok(edited.remove(&["Resources"], POLICY)?),
        (Some(last), None) => edited.insert_after(&["Resources"], last, NEW_POLICY)?,
        (Some(_), Some(current)) if *current == others => return Ok(()),
        (Some(_), Some(_)) => {}
    }
    let section = ["Resources", POLICY, "Properties"];
    let block = edited.block(&section, "Queues")?;
    let comments: String = block.split_inclusive('\n').take_while(|line| line.trim_start().starts_with('#')).collect();
    let spaces = indentation(block);
    let references: Vec<_> = others.iter().map(|queue| format!("!Ref {queue}")).collect();
    let block = comments + &sequence(&format!("{}Queues:", " ".repeat(spaces)), spaces + 2, &references);
    Ok(edited.replace(&section, "Queues", &block)?)
}

/// The logical ids of the queues of a policy.
fn queues(policy: &Value) -> Vec<&str> {
    let queues = policy["Queues"].as_sequence().into_iter().flatten();
    queues.filter_map(|queue| if let Value::Tagged(reference) = queue { reference.value.as_str() } else { None }).collect()
}
