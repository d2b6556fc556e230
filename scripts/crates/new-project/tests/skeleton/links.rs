//! Links in Markdown files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use fancy_regex::Regex;

/// The relative links that lead to no file or folder, or to no heading. `texts` has the texts of files by their paths.
pub(crate) fn broken(texts: &BTreeMap<String, String>, files: &BTreeSet<&str>) -> Vec<String> {
    let documents = texts.iter().filter(|(file, _)| file.ends_with(".md"));
    let links = documents.flat_map(|(file, text)| targets(text).into_iter().map(move |target| (file, target)));
    let is_broken = |file: &str, target: &str| {
        let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
        let Some(path) = (if path.is_empty() { Some(file.to_owned()) } else { resolve(file, path) }) else { return true };
        let is_folder = files.iter().any(|file| file.strip_prefix(&path).is_some_and(|rest| rest.starts_with('/')));
        let has_heading = || texts.get(&path).is_some_and(|text| anchors(text).contains(anchor));
        !(files.contains(path.as_str()) || is_folder) || (!anchor.is_empty() && !has_heading())
    };
    links.filter(|(file, target)| is_broken(file, target)).map(|(file, target)| format!("{file}: {target}")).collect()
}

/// The targets of the relative links in a document.
fn targets(text: &str) -> Vec<String> {
    static LINK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\]\((?![a-z]+:)([^)\s]+)\)").unwrap());
    captures(&LINK, &without_code(text))
}

/// The anchors of the headings, as GitHub derives them.
fn anchors(text: &str) -> BTreeSet<String> {
    static HEADING: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?m)^#+ (.*)$").unwrap());
    let is_kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    let anchor = |heading: String| heading.to_lowercase().chars().filter(is_kept).collect::<String>().replace(' ', "-");
    captures(&HEADING, &without_code(text)).into_iter().map(anchor).collect()
}

/// The first group of each match.
fn captures(pattern: &Regex, text: &str) -> Vec<String> {
    pattern.captures_iter(text).map(|found| found.unwrap().get(1).unwrap().as_str().to_owned()).collect()
}

fn without_code(text: &str) -> String {
    static BLOCK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?ms)^ *```.*?^ *```$").unwrap());
    BLOCK.replace_all(text, "").into_owned()
}

/// The path of a link in `file`, relative to the root. Returns `None` for a path outside of the root.
fn resolve(file: &str, link: &str) -> Option<String> {
    let mut path = PathBuf::new();
    for component in Path::new(file).parent()?.join(link).components() {
        match component {
            Component::ParentDir if !path.pop() => return None,
            Component::ParentDir => {}
            component => path.push(component),
        }
    }
    path.to_str().map(str::to_owned)
}

#[test]
fn finds_links_to_missing_files_and_headings() {
    let links =
        "[a](../b.md#one-two-three) [b](#no) [c](no.md) [d](https://x.y/z) [e](folder) [f](folder/c.rs) [g](../../b.md)";
    let document = format!("{links}\n```\n[h](no2.md)\n```\n");
    let texts = BTreeMap::from([("docs/a.md", document.as_str()), ("b.md", "# One `two`-three!\n")]);
    let texts = texts.into_iter().map(|(file, text)| (file.to_owned(), text.to_owned())).collect();
    let files = BTreeSet::from(["docs/a.md", "docs/folder/c.rs", "b.md"]);
    assert_eq!(broken(&texts, &files), ["docs/a.md: #no", "docs/a.md: no.md", "docs/a.md: ../../b.md"]);
    assert!(broken(&texts, &BTreeSet::from(["b.md", "docs/a.md"])).contains(&"docs/a.md: folder".to_owned()));
}
