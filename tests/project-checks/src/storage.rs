//! Buckets and tables: access, encryption, and recovery.

use ferrite_local_stack::template::Template;
use serde_yaml_ng::Value;

use crate::reference::if_arguments;
use crate::tls::resources_with_tls;

/// Reports buckets that are public, not encrypted, have access control lists, or accept requests without TLS.
#[must_use]
pub fn buckets(template: &Template) -> Vec<String> {
    let with_tls = resources_with_tls(template, "AWS::S3::BucketPolicy", "Bucket");
    let mut found = Vec::new();
    for (name, bucket) in template.resources_of_type("AWS::S3::Bucket") {
        let block = &bucket["PublicAccessBlockConfiguration"];
        for setting in ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"] {
            if block[setting] != true {
                found.push(format!("{name}: set {setting} of PublicAccessBlockConfiguration to true"));
            }
        }
        let encryption = &bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0];
        if !encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"].is_string() {
            found.push(format!("{name}: set SSEAlgorithm in BucketEncryption"));
        }
        if bucket["OwnershipControls"]["Rules"][0]["ObjectOwnership"] != "BucketOwnerEnforced" {
            found.push(format!("{name}: set ObjectOwnership in OwnershipControls to BucketOwnerEnforced"));
        }
        if !with_tls.contains(name) {
            found.push(format!("{name}: add an AWS::S3::BucketPolicy that denies requests without TLS"));
        }
    }
    found
}

/// Reports tables that are not recoverable, that are not protected in production, or whose protection would stop the rollback of a
/// failed first deployment. DynamoDB encrypts every table.
#[must_use]
pub fn tables(template: &Template) -> Vec<String> {
    let mut found = Vec::new();
    for (name, resource) in template.resources().filter(|(_, resource)| resource["Type"] == "AWS::DynamoDB::Table") {
        let table = &resource["Properties"];
        if table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] != true {
            found.push(format!("{name}: set PointInTimeRecoveryEnabled to true"));
        }
        if !is_on_in_production(&table["DeletionProtectionEnabled"]) {
            found.push(format!("{name}: set DeletionProtectionEnabled to !If [IsProduction, true, false]"));
        }
        if !is_retained_in_production(&resource["DeletionPolicy"]) {
            found.push(format!("{name}: set DeletionPolicy to Retain or !If [IsProduction, Retain, Delete]"));
        }
    }
    found
}

fn is_on_in_production(value: &Value) -> bool {
    let in_production = if_arguments(value)
        .is_some_and(|arguments| arguments[0] == "IsProduction" && arguments.get(1) == Some(&true.into()));
    in_production || *value == true
}

/// CloudFormation cannot delete a table that has deletion protection.
fn is_retained_in_production(policy: &Value) -> bool {
    let in_production = if_arguments(policy)
        .is_some_and(|arguments| arguments[0] == "IsProduction" && arguments.get(1) == Some(&"Retain".into()));
    in_production || *policy == "Retain"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{template, template_without};

    const BUCKET: &str = r#"
  Files:
    Type: AWS::S3::Bucket
    Properties:
      BucketEncryption: {ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}}]}
      OwnershipControls: {Rules: [{ObjectOwnership: BucketOwnerEnforced}]}
      PublicAccessBlockConfiguration:
        BlockPublicAcls: true
        BlockPublicPolicy: true
        IgnorePublicAcls: true
        RestrictPublicBuckets: true
  FilesPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Files
      PolicyDocument: {Statement: [{Effect: Deny, Principal: "*", Action: "s3:*", Condition: {Bool: {aws:SecureTransport: "false"}}}]}
"#;

    const TABLE: &str = r#"
  Items:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: !If [IsProduction, Retain, Delete]
    Properties:
      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
      DeletionProtectionEnabled: !If [IsProduction, true, false]
"#;

    #[test]
    fn accepts_private_encrypted_buckets_and_protected_tables() {
        assert_eq!(buckets(&template(BUCKET)), [""; 0]);
        assert_eq!(tables(&template(TABLE)), [""; 0]);
    }

    #[test]
    fn reports_each_missing_setting_of_a_bucket() {
        for (line, setting) in [
            ("BlockPublicAcls", "BlockPublicAcls"),
            ("BlockPublicPolicy", "BlockPublicPolicy"),
            ("IgnorePublicAcls", "IgnorePublicAcls"),
            ("RestrictPublicBuckets", "RestrictPublicBuckets"),
            ("BucketEncryption", "SSEAlgorithm"),
            ("OwnershipControls", "ObjectOwnership"),
            ("Bucket: !Ref", "requests without TLS"),
            ("SecureTransport", "requests without TLS"),
        ] {
            let found = buckets(&template_without(BUCKET, line));
            assert!(found.len() == 1 && found[0].starts_with("Files: ") && found[0].contains(setting), "{found:?}");
        }
    }

    #[test]
    fn a_policy_for_some_actions_or_callers_does_not_require_tls() {
        for (part, other) in
            [("\"s3:*\"", "\"s3:GetObject\""), ("Principal: \"*\"", "Principal: {AWS: a}"), ("Deny", "Allow")]
        {
            assert_eq!(buckets(&template(&BUCKET.replace(part, other))).len(), 1, "{other}");
        }
    }

    #[test]
    fn reports_each_missing_setting_of_a_table() {
        for line in ["PointInTimeRecovery", "DeletionProtection", "DeletionPolicy"] {
            let found = tables(&template_without(TABLE, line));
            assert!(found.len() == 1 && found[0].starts_with("Items: ") && found[0].contains(line), "{found:?}");
        }
        for (part, other) in [("true, false", "false, true"), ("Retain, Delete", "RetainExceptOnCreate, Delete")] {
            assert_eq!(tables(&template(&TABLE.replace(part, other))).len(), 1, "{other}");
        }
    }
}
