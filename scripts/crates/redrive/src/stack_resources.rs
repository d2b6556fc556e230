//! Physical IDs of a stack's resources.

use std::collections::BTreeMap;

use ferrite_aws_client::client::{AwsClient, CLOUDFORMATION};

use crate::error::RedriveError;

/// The resources of a deployed stack.
#[derive(Debug)]
pub(crate) struct StackResources {
    stack: String,
    resources: BTreeMap<String, Resource>,
}

#[derive(Debug, PartialEq)]
struct Resource {
    kind: String,
    physical_id: String,
}

impl StackResources {
    /// Lists the resources of a stack (AWS CloudFormation, ListStackResources).
    ///
    /// # Errors
    /// Returns an error if there is no such stack, or if CloudFormation does not respond.
    pub(crate) fn read(aws: &AwsClient, stack: &str) -> Result<Self, RedriveError> {
        let mut resources = BTreeMap::new();
        let mut next: Option<String> = None;
        loop {
            let mut parameters = vec![("StackName", stack)];
            parameters.extend(next.as_deref().map(|token| ("NextToken", token)));
            let page = aws.query(CLOUDFORMATION, "ListStackResources", &parameters)?;
            next = read_page(&page, &mut resources)?;
            if next.is_none() {
                return Ok(Self { stack: stack.to_owned(), resources });
            }
        }
    }

    /// Returns the physical ID of the resource with the logical ID `name`: the URL of a queue, or the name of a function.
    ///
    /// # Errors
    /// Returns an error if the stack has no such resource.
    pub(crate) fn physical_id(&self, name: &str) -> Result<&str, RedriveError> {
        let missing = || RedriveError::NotDeployed { name: name.to_owned(), stack: self.stack.clone() };
        self.resources.get(name).map(|resource| resource.physical_id.as_str()).ok_or_else(missing)
    }

    /// Returns the logical IDs of the stack's queues.
    pub(crate) fn queues(&self) -> impl Iterator<Item = &str> {
        self.resources.iter().filter(|(_, resource)| resource.kind == "AWS::SQS::Queue").map(|(name, _)| name.as_str())
    }
}

/// Adds the resources of a page, and returns the token of the next page.
fn read_page(xml: &str, resources: &mut BTreeMap<String, Resource>) -> Result<Option<String>, roxmltree::Error> {
    let page = roxmltree::Document::parse(xml)?;
    for member in page.descendants().filter(|node| has_name(node, "member")) {
        let field = |name: &str| member.children().find(|node| has_name(node, name))?.text().map(str::to_owned);
        // Skip resources that are being created, because they have no physical ID yet.
        if let (Some(name), Some(kind), Some(physical_id)) =
            (field("LogicalResourceId"), field("ResourceType"), field("PhysicalResourceId"))
        {
            resources.insert(name, Resource { kind, physical_id });
        }
    }
    let next = page.descendants().find(|node| has_name(node, "NextToken"));
    Ok(next.and_then(|node| node.text()).map(str::to_owned))
}

/// Compares the tag name without its namespace, because some emulators do not use the namespace.
fn has_name(node: &roxmltree::Node<'_, '_>, name: &str) -> bool {
    node.tag_name().name() == name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_page_of_resources_and_the_next_token() {
        let page = r#"<ListStackResourcesResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
            <ListStackResourcesResult><StackResourceSummaries>
              <member><LogicalResourceId>Dlq</LogicalResourceId><ResourceType>AWS::SQS::Queue</ResourceType>
                <PhysicalResourceId>https://sqs/1/dlq?a=1&amp;b=2</PhysicalResourceId></member>
              <member><LogicalResourceId>Pending</LogicalResourceId><ResourceType>AWS::SQS::Queue</ResourceType></member>
            </StackResourceSummaries><NextToken>t</NextToken></ListStackResourcesResult>
            </ListStackResourcesResponse>"#;
        let mut resources = BTreeMap::new();
        assert_eq!(read_page(page, &mut resources).unwrap().as_deref(), Some("t"));
        let resources = StackResources { stack: "app".to_owned(), resources };
        assert_eq!(resources.physical_id("Dlq").unwrap(), "https://sqs/1/dlq?a=1&b=2");
        assert_eq!(resources.queues().collect::<Vec<_>>(), ["Dlq"]);
        assert!(resources.physical_id("Pending").unwrap_err().to_string().contains("Pending"));
    }
}
