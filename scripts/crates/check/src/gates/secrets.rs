//! detect-secrets on every tracked file. scripts/allowed-secrets.toml lists false positives by hash, with a reason. An entry
//! that is no longer found fails the check.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::files::at;
use ferrite_local_stack::process::capture;
use ferrite_local_stack::tools::Tools;
use ferrite_project::RECORD_FILE;
use serde::Deserialize;

use crate::gates::findings::Findings;

const ALLOWED: &str = "scripts/allowed-secrets.toml";
/// Files that consist of hashes.
const NOT_SCANNED: &str = r"(^|/)(Cargo\.lock|requirements/[^/]*\.txt|package-lock\.json|allowed-secrets\.toml)$";
/// The digest of a style sheet in a Content-Security-Policy, which changes with the sheet.
const DIGEST: &str = "'sha256-[A-Za-z0-9+/]{43}='";

/// Scans the tracked files.
///
/// # Errors
/// Returns an error if a secret is found, if a planted key is not found, or if detect-secrets cannot run.
pub(crate) fn check(checkout: &Checkout, tools: &Tools) -> anyhow::Result<()> {
    let path = checkout.path(ALLOWED);
    let allowed = Allowed::parse(&fs::read_to_string(&path).map_err(at(&path))?, &path)?;
    let mut scan = tools.command("detect-secrets");
    scan.args(["scan", "--no-verify", "--exclude-files", NOT_SCANNED, "--exclude-lines", DIGEST])
        .current_dir(checkout.root());
    let scanned = capture(&mut scan)?;
    let scanned: Scanned = serde_json::from_str(&scanned).context("unexpected output of detect-secrets")?;
    // A project does not have all files that contain the false positives of the list.
    let mut lines = findings(&allowed, &scanned, !checkout.has(RECORD_FILE));
    if !finds_planted(tools)? {
        lines.push("detect-secrets did not find a planted access key".to_owned());
    }
    Ok(Findings::require_none(lines)?)
}

/// Whether detect-secrets finds an AWS access key. The key is assembled at run time, so that this file does not contain it.
fn finds_planted(tools: &Tools) -> anyhow::Result<bool> {
    let key = ["AKIA", "Q3EGRXPF7TNBVCWD"].concat();
    let results = capture(tools.command("detect-secrets").args(["scan", "--no-verify", "--string", &key]))?;
    Ok(results.lines().any(|line| line.starts_with("AWSKeyDetector") && line.contains("True")))
}

#[derive(Deserialize)]
struct Allowed {
    allowed: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    /// Why these are not secrets.
    reason: String,
    /// SHA-1 hashes as printed by detect-secrets.
    hashes: BTreeSet<String>,
}

impl Allowed {
    fn parse(text: &str, path: &Path) -> anyhow::Result<Self> {
        let allowed: Self = toml::from_str(text).with_context(|| path.display().to_string())?;
        match allowed.allowed.iter().find(|entry| entry.reason.trim().is_empty()) {
            Some(entry) => bail!("{}: no reason for {:?}", path.display(), entry.hashes),
            None => Ok(allowed),
        }
    }
}

#[derive(Deserialize)]
struct Scanned {
    /// Findings by file.
    results: BTreeMap<String, Vec<Found>>,
}

#[derive(Deserialize)]
struct Found {
    #[serde(rename = "type")]
    kind: String,
    hashed_secret: String,
    line_number: usize,
}

/// The findings that are not in the list and, with `is_complete`, the hashes in the list that were not found.
fn findings(allowed: &Allowed, scanned: &Scanned, is_complete: bool) -> Vec<String> {
    let allowed: BTreeSet<&str> = allowed.allowed.iter().flat_map(|entry| &entry.hashes).map(String::as_str).collect();
    let found = || scanned.results.iter().flat_map(|(file, found)| found.iter().map(move |found| (file, found)));
    let present: BTreeSet<&str> = found().map(|(_, found)| &*found.hashed_secret).collect();
    let secrets = found().filter(|(_, found)| !allowed.contains(&*found.hashed_secret)).map(|(file, found)| {
        let Found { kind, hashed_secret, line_number } = found;
        format!(
            "{file}:{line_number}: {kind}. If this is a secret, remove it and replace it where it is used. If it is not, add the \
             hash \"{hashed_secret}\" to `hashes` of an entry of {ALLOWED} with the reason"
        )
    });
    let stale = allowed
        .difference(&present)
        .filter(|_| is_complete)
        .map(|hash| format!("{ALLOWED}: no file contains the text with the hash {hash} any more; remove the hash"));
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
    fn accepts_allowed_hashes() {
        assert!(findings(&allowed(), &scanned(&["11", "22", "11"]), true).is_empty());
    }

    #[test]
    fn reports_the_location_of_a_secret_but_not_the_secret() {
        let found = findings(&allowed(), &scanned(&["11", "22", "33"]), true);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("a.rs:7: AWS Access Key. ") && found[0].contains("\"33\""), "{}", found[0]);
    }

    #[test]
    fn ignores_stale_hashes_in_a_project() {
        assert!(findings(&allowed(), &scanned(&["11"]), false).is_empty());
    }

    #[test]
    fn reports_stale_hashes() {
        assert_eq!(
            findings(&allowed(), &scanned(&["11"]), true),
            [format!("{ALLOWED}: no file contains the text with the hash 22 any more; remove the hash")]
        );
    }

    #[test]
    fn rejects_hashes_without_a_reason() {
        let text = "[[allowed]]\nreason = \" \"\nhashes = [\"11\"]\n";
        assert!(Allowed::parse(text, Path::new(ALLOWED)).is_err());
    }
}
