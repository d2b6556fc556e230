//! detect-secrets on every tracked file. What it finds and is none is listed in scripts/allowed-secrets.toml, by its hash and
//! with its reason; what is listed and not found any more fails as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::checkout::Checkout;
use crate::gates::Findings;
use crate::process::capture;
use crate::tools::Tools;
use crate::trouble::{Trouble, at};

const ALLOWED: &str = "scripts/allowed-secrets.toml";
/// They consist of hashes.
const NOT_SCANNED: &str = r"(^|/)(Cargo\.lock|requirements/[^/]*\.txt|allowed-secrets\.toml)$";
/// The digest of a style sheet in a Content-Security-Policy, which changes with the sheet.
const DIGEST: &str = "'sha256-[A-Za-z0-9+/]{43}='";

/// Scans the tracked files.
///
/// # Errors
/// When something is found, a key that is a secret for certain is not, or detect-secrets cannot be run.
pub fn check(checkout: &Checkout, tools: &Tools) -> Result<(), Trouble> {
    let path = checkout.path(ALLOWED);
    let allowed = Allowed::parse(&fs::read_to_string(&path).map_err(at(&path))?, &path)?;
    let mut scan = tools.command("detect-secrets");
    scan.args(["scan", "--no-verify", "--exclude-files", NOT_SCANNED, "--exclude-lines", DIGEST])
        .current_dir(checkout.root());
    let scanned = capture(&mut scan)?;
    let scanned: Scanned = serde_json::from_str(&scanned)
        .map_err(|error| Trouble::Unexpected { program: "detect-secrets".to_owned(), reason: error.to_string() })?;
    let mut lines = findings(&allowed, &scanned);
    if !finds_planted(tools)? {
        lines.push("detect-secrets does not find a planted access key".to_owned());
    }
    Ok(Findings::none(lines)?)
}

/// Whether the scan sees an access key of AWS, put together here so that this file has none.
fn finds_planted(tools: &Tools) -> Result<bool, Trouble> {
    let key = ["AKIA", "Q3EGRXPF7TNBVCWD"].concat();
    let verdicts = capture(tools.command("detect-secrets").args(["scan", "--no-verify", "--string", &key]))?;
    Ok(verdicts.lines().any(|line| line.starts_with("AWSKeyDetector") && line.contains("True")))
}

#[derive(Deserialize)]
struct Allowed {
    allowed: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    /// Why they are no secrets.
    reason: String,
    /// The SHA-1 of each, as detect-secrets prints it.
    hashes: BTreeSet<String>,
}

impl Allowed {
    fn parse(text: &str, path: &Path) -> Result<Self, Trouble> {
        let unexpected = |reason: String| Trouble::Unexpected { program: path.display().to_string(), reason };
        let allowed: Self = toml::from_str(text).map_err(|error| unexpected(error.to_string()))?;
        match allowed.allowed.iter().find(|entry| entry.reason.trim().is_empty()) {
            Some(entry) => Err(unexpected(format!("no reason for {:?}", entry.hashes))),
            None => Ok(allowed),
        }
    }
}

#[derive(Deserialize)]
struct Scanned {
    /// By file.
    results: BTreeMap<String, Vec<Found>>,
}

#[derive(Deserialize)]
struct Found {
    #[serde(rename = "type")]
    kind: String,
    hashed_secret: String,
    line_number: usize,
}

fn findings(allowed: &Allowed, scanned: &Scanned) -> Vec<String> {
    let allowed: BTreeSet<&str> = allowed.allowed.iter().flat_map(|entry| &entry.hashes).map(String::as_str).collect();
    let found = || scanned.results.iter().flat_map(|(file, found)| found.iter().map(move |found| (file, found)));
    let seen: BTreeSet<&str> = found().map(|(_, found)| &*found.hashed_secret).collect();
    let secrets = found().filter(|(_, found)| !allowed.contains(&*found.hashed_secret)).map(|(file, found)| {
        let Found { kind, hashed_secret, line_number } = found;
        format!("{file}:{line_number}: {kind}. A secret is taken out and made anew; anything else goes into {ALLOWED} as {hashed_secret}")
    });
    let stale = allowed.difference(&seen).map(|hash| format!("{ALLOWED}: {hash} is not in any file any more"));
    secrets.chain(stale).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scanned(hashes: &[&str]) -> Scanned {
        let found: Vec<_> =
            hashes.iter().map(|hash| json!({"type": "AWS Access Key", "hashed_secret": hash, "line_number": 7})).collect();
        serde_json::from_value(json!({"results": {"a.rs": found}})).unwrap()
    }

    fn allowed() -> Allowed {
        Allowed::parse("[[allowed]]\nreason = \"an example\"\nhashes = [\"11\", \"22\"]\n", Path::new(ALLOWED)).unwrap()
    }

    #[test]
    fn what_is_allowed_and_there_is_no_finding() {
        assert!(findings(&allowed(), &scanned(&["11", "22", "11"])).is_empty());
    }

    #[test]
    fn a_secret_is_told_with_its_place_and_never_shown() {
        let found = findings(&allowed(), &scanned(&["11", "22", "33"]));
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("a.rs:7: AWS Access Key. ") && found[0].ends_with(" as 33"), "{}", found[0]);
    }

    #[test]
    fn what_is_allowed_has_to_be_there() {
        assert_eq!(findings(&allowed(), &scanned(&["11"])), [format!("{ALLOWED}: 22 is not in any file any more")]);
    }

    #[test]
    fn nothing_is_allowed_without_a_reason() {
        let text = "[[allowed]]\nreason = \" \"\nhashes = [\"11\"]\n";
        assert!(Allowed::parse(text, Path::new(ALLOWED)).is_err());
    }
}
