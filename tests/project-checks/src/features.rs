//! Features of adapter crates that functions enable.

use std::collections::BTreeSet;

/// The adapters of a crate that need one of its features.
#[derive(Debug, Clone, Copy)]
pub struct FeatureRule {
    /// The name of the crate.
    pub package: &'static str,
    /// The names of the types.
    pub adapters: &'static [&'static str],
    /// The feature that contains them.
    pub feature: &'static str,
}

/// The features of the kit's adapters.
pub const KIT: [FeatureRule; 3] = [
    FeatureRule { package: "ferrite-aws", adapters: &["Bus"], feature: "eventbridge" },
    FeatureRule { package: "ferrite-aws", adapters: &["Queue", "DeadLetters"], feature: "sqs" },
    FeatureRule {
        package: "ferrite-aws",
        adapters: &["FeatureFlags", "FlagParameter", "AppConfig"],
        feature: "feature-flags",
    },
];

/// Reports features that a function needs and does not enable, or enables and does not need. `name` is the function,
/// `manifest` its Cargo.toml, and `main` the text of its main.rs.
///
/// A build of the workspace enables the features of all functions, so it does not detect a missing one.
#[must_use]
pub fn violations(name: &str, manifest: &toml::Table, main: &str, rules: &[FeatureRule]) -> Vec<String> {
    let words: BTreeSet<_> = main.split(|character: char| !character.is_alphanumeric()).collect();
    let mut found = Vec::new();
    for FeatureRule { package, adapters, feature } in rules {
        let dependency = manifest.get("dependencies").and_then(|dependencies| dependencies.get(package));
        let enabled = dependency.and_then(|dependency| dependency.get("features")?.as_array());
        let is_enabled = enabled.into_iter().flatten().any(|enabled| enabled.as_str() == Some(feature));
        let is_needed = adapters.iter().any(|adapter| words.contains(adapter));
        let adapters = adapters.join(" or ");
        let file = format!("functions/{name}/Cargo.toml");
        if is_needed && !is_enabled {
            found.push(format!("{file}: enable the feature {feature} of {package}, because main.rs uses {adapters}"));
        } else if is_enabled && !is_needed {
            found
                .push(format!("{file}: remove the feature {feature} of {package}, because main.rs does not use {adapters}"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(features: &str, main: &str) -> Vec<String> {
        let manifest = format!("[dependencies]\nferrite-aws = {{ workspace = true, features = [{features}] }}");
        violations("consume", &manifest.parse().unwrap(), main, &KIT)
    }

    #[test]
    fn accepts_exactly_the_features_of_the_adapters() {
        assert_eq!(check("\"sqs\"", "use ferrite_aws::{Queue, sdk_config};"), [""; 0]);
        assert_eq!(check("", "use ferrite_aws::sdk_config; // QueueUrl"), [""; 0]);
    }

    #[test]
    fn reports_missing_and_needless_features() {
        let missing = check("", "use ferrite_aws::Bus;");
        assert!(missing[0].starts_with("functions/consume/Cargo.toml: enable the feature eventbridge"), "{missing:?}");
        let needless = check("\"sqs\"", "fn main() {}");
        assert!(needless[0].starts_with("functions/consume/Cargo.toml: remove the feature sqs"), "{needless:?}");
    }
}
