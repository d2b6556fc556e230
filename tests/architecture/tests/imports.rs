//! No file of the scripts imports, directly or through others, a file that imports it.

#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in tests, but a test's own functions are none to clippy")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The files of a crate by their module paths, each with the modules that it names.
type Imports = BTreeMap<String, BTreeSet<String>>;

/// The module of a file below `src`: `a/b.rs` is `a::b`, and the crate's root is empty.
fn module(path: &Path) -> String {
    let parts: Vec<&str> = path.iter().map(|part| part.to_str().unwrap().trim_end_matches(".rs")).collect();
    let parts = if matches!(parts[..], ["main" | "lib"]) { &[][..] } else { &parts[..] };
    parts.join("::")
}

/// The paths in `text` that begin with `crate::`, `super::` or `self::`, or with a child of `module`, in full.
fn paths(text: &str, module: &str, modules: &BTreeSet<String>) -> BTreeSet<String> {
    let parents: Vec<&str> = module.split("::").filter(|part| !part.is_empty()).collect();
    let text = without_groups(text);
    let mut found = BTreeSet::new();
    for token in text.split(|c: char| !is_path(c)).filter(|token| token.contains("::")) {
        let parts: Vec<&str> = token.split("::").filter(|part| !part.is_empty()).collect();
        let Some(&first) = parts.first() else { continue };
        let full: Vec<&str> = match first {
            "crate" => parts[1..].to_vec(),
            "super" => {
                let ups = parts.iter().take_while(|part| **part == "super").count();
                [&parents[..parents.len().saturating_sub(ups)], &parts[ups..]].concat()
            }
            "self" => [&parents[..], &parts[1..]].concat(),
            _ => [&parents[..], &parts[..]].concat(),
        };
        // The longest beginning that is a module. A path of another crate has none.
        let beginning = (1..=full.len()).rev().map(|length| full[..length].join("::")).find(|path| modules.contains(path));
        found.extend(beginning.filter(|path| path != module));
    }
    found
}

fn is_path(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == ':'
}

/// `text` with `a::{b, c::d}` written as `a::b a::c::d`.
fn without_groups(text: &str) -> String {
    let mut text = text.to_owned();
    while let Some(open) = text.rfind("::{") {
        let Some(close) = text[open..].find('}').map(|at| open + at) else { break };
        let start = text[..open].rfind(|c| !is_path(c)).map_or(0, |at| at + 1);
        let prefix = text[start..open].to_owned();
        let paths: Vec<String> = text[open + 3..close].split(',').map(|path| format!("{prefix}::{}", path.trim())).collect();
        text.replace_range(start..=close, &paths.join(" "));
    }
    text
}

/// `text` without comments and without the tests at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn imports(files: &BTreeMap<String, String>) -> Imports {
    let modules: BTreeSet<String> = files.keys().cloned().collect();
    files.iter().map(|(module, text)| (module.clone(), paths(&code(text), module, &modules))).collect()
}

/// A cycle, from a file back to itself.
fn cycle(imports: &Imports) -> Option<Vec<String>> {
    fn visit(module: &str, imports: &Imports, path: &mut Vec<String>, done: &mut BTreeSet<String>) -> bool {
        if let Some(start) = path.iter().position(|earlier| earlier == module) {
            path.drain(..start);
            return true;
        }
        if !done.contains(module) {
            path.push(module.to_owned());
            if imports[module].iter().any(|next| visit(next, imports, path, done)) {
                return true;
            }
            path.pop();
            done.insert(module.to_owned());
        }
        false
    }
    let mut path = Vec::new();
    let mut done = BTreeSet::new();
    imports.keys().any(|module| visit(module, imports, &mut path, &mut done)).then_some(path)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn no_file_of_the_scripts_imports_itself() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/crates");
    for entry in fs::read_dir(crates).unwrap() {
        let source = entry.unwrap().path().join("src");
        let sources = files(&source).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
        let by_module: BTreeMap<String, String> =
            sources.map(|path| (module(path.strip_prefix(&source).unwrap()), fs::read_to_string(&path).unwrap())).collect();
        assert_eq!(cycle(&imports(&by_module)), None, "{}", source.display());
    }
}

#[test]
fn finds_cycles_through_several_files() {
    let files = |c: &str| {
        let sources = [("", "mod a;"), ("a", "use crate::b::B;"), ("a::d", ""), ("b", "fn f() { crate::c::f() }"), ("c", c)];
        sources.map(|(module, text)| (module.to_owned(), text.to_owned())).into()
    };
    assert_eq!(cycle(&imports(&files("use std::fmt;"))), None);
    assert_eq!(cycle(&imports(&files("// crate::a\n#[cfg(test)]\nmod tests { use crate::a::A; }"))), None);
    let expected = ["a", "b", "c"].map(str::to_owned).to_vec();
    assert_eq!(cycle(&imports(&files("use super::a::A;"))), Some(expected.clone()));
    assert_eq!(cycle(&imports(&files("use crate::{other::{Thing, More}, a};"))), Some(expected));
}
