//! The physical ids of a stack's resources.

use std::collections::BTreeMap;

use ferrite_aws_client::client::{AwsClient, CLOUDFORMATION};

use crate::error::RedriveError;

/// The resources of a stack.
#[derive(Debug)]
pub(crate) struct Deployed {
    stack: String,
    resources: BTreeMap<String, Resource>,
}

#[derive(Debug, PartialEq)]
struct Resource {
    kind: String,
    physical_id: String,
}

impl Deployed {
    /// Reads them from CloudFormation (ListStackResources).
    ///
    /// # Errors
    /// There is no such stack, or CloudFormation does not answer.
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

    /// The physical id of a resource: the URL of a queue, the name of a function.
    ///
    /// # Errors
    /// The stack has no such resource.
    pub(crate) fn physical_id(&self, name: &str) -> Result<&str, RedriveError> {
        let missing = || RedriveError::NotDeployed { name: name.to_owned(), stack: self.stack.clone() };
        self.resources.get(name).map(|resource| resource.physical_id.as_str()).ok_or_else(missing)
    }

    /// The names of the stack's queues.
    pub(crate) fn queues(&self) -> impl Iterator<Item = &str> {
        self.resources.iter().filter(|(_, resource)| resource.kind == "AWS::SQS::Queue").map(|(name, _)| name.as_str())
    }
}

/// Adds the resources of a page, and returns the token of the next page.
fn read_page(xml: &str, resources: &mut BTreeMap<String, Resource>) -> Result<Option<String>, roxmltree::Error> {
    let page = roxmltree::Document::parse(xml)?;
    for member in page.descendants().filter(|node| is(node, "member")) {
        let field = |name: &str| member.children().find(|node| is(node, name))?.text().map(str::to_owned);
        // A resource that is being created has no physical id yet.
        if let (Some(name), Some(kind), Some(physical_id)) =
            (field("LogicalResourceId"), field("ResourceType"), field("PhysicalResourceId"))
        {
            resources.insert(name, Resource { kind, physical_id });
        }
    }
    let next = page.descendants().find(|node| is(node, "NextToken"));
    Ok(next.and_then(|node| node.text()).map(str::to_owned))
}

/// Ignores the namespace, which AWS uses and some emulators do not.
fn is(node: &roxmltree::Node<'_, '_>, name: &str) -> bool {
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
              <member><LogicalResourceId>Soon</LogicalResourceId><ResourceType>AWS::SQS::Queue</ResourceType></member>
            </StackResourceSummaries><NextToken>t</NextToken></ListStackResourcesResult>
            </ListStackResourcesResponse>"#;
        let mut resources = BTreeMap::new();
        assert_eq!(read_page(page, &mut resources).unwrap().as_deref(), Some("t"));
        let deployed = Deployed { stack: "shop".to_owned(), resources };
        assert_eq!(deployed.physical_id("Dlq").unwrap(), "https://sqs/1/dlq?a=1&b=2");
        assert_eq!(deployed.queues().collect::<Vec<_>>(), ["Dlq"]);
        assert!(deployed.physical_id("Soon").unwrap_err().to_string().contains("Soon"));
    }
}
