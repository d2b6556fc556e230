//! Tests that the source files of the scripts do not import each other in cycles.

#![allow(clippy::unwrap_used, reason = "clippy.toml allows it in tests, but not in the functions that tests call")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of a crate, each with the modules that it refers to.
type Imports = BTreeMap<String, BTreeSet<String>>;

/// The module path of a file, given relative to `src`: `a::b` for `a/b.rs`, and empty for the crate root.
fn module(path: &Path) -> String {
    let parts: Vec<&str> = path.iter().map(|part| part.to_str().unwrap().trim_end_matches(".rs")).collect();
    let parts = if matches!(parts[..], ["main" | "lib"]) { &[][..] } else { &parts[..] };
    parts.join("::")
}

/// The modules that `text` refers to by paths that begin with `crate::`, `super::`, `self::` or a child of `module`.
fn paths(text: &str, module: &str, modules: &BTreeSet<String>) -> BTreeSet<String> {
    let parents: Vec<&str> = module.split("::").filter(|part| !part.is_empty()).collect();
    let text = expand_groups(text);
    let mut found = BTreeSet::new();
    for token in text.split(|c: char| !is_path_char(c)).filter(|token| token.contains("::")) {
        let parts: Vec<&str> = token.split("::").filter(|part| !part.is_empty()).collect();
        let Some(&first) = parts.first() else { continue };
        let full: Vec<&str> = match first {
            "crate" => parts[1..].to_vec(),
            "super" => {
                let levels = parts.iter().take_while(|part| **part == "super").count();
                [&parents[..parents.len().saturating_sub(levels)], &parts[levels..]].concat()
            }
            "self" => [&parents[..], &parts[1..]].concat(),
            _ => [&parents[..], &parts[..]].concat(),
        };
        // Take the longest prefix that is a module. Paths of other crates have none.
        let prefix = (1..=full.len()).rev().map(|length| full[..length].join("::")).find(|path| modules.contains(path));
        found.extend(prefix.filter(|path| path != module));
    }
    found
}

fn is_path_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == ':'
}

/// Expands groups in `text`: `a::{b, c::d}` becomes `a::b a::c::d`.
fn expand_groups(text: &str) -> String {
    let mut text = text.to_owned();
    while let Some(open) = text.rfind("::{") {
        let Some(close) = text[open..].find('}').map(|at| open + at) else { break };
        let start = text[..open].rfind(|c| !is_path_char(c)).map_or(0, |at| at + 1);
        let prefix = text[start..open].to_owned();
        let paths: Vec<String> = text[open + 3..close].split(',').map(|path| format!("{prefix}::{}", path.trim())).collect();
        text.replace_range(start..=close, &paths.join(" "));
    }
    text
}

/// Removes the comments and the tests at the end of the file from `text`.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn imports(files: &BTreeMap<String, String>) -> Imports {
    let modules: BTreeSet<String> = files.keys().cloned().collect();
    files.iter().map(|(module, text)| (module.clone(), paths(&code(text), module, &modules))).collect()
}

/// The modules of an import cycle, if there is one.
fn find_cycle(imports: &Imports) -> Option<Vec<String>> {
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
fn the_scripts_have_no_import_cycles() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/crates");
    for entry in fs::read_dir(crates).unwrap() {
        let source = entry.unwrap().path().join("src");
        let sources = files(&source).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
        let by_module: BTreeMap<String, String> =
            sources.map(|path| (module(path.strip_prefix(&source).unwrap()), fs::read_to_string(&path).unwrap())).collect();
        assert_eq!(find_cycle(&imports(&by_module)), None, "{}", source.display());
    }
}

#[test]
fn finds_cycles_of_several_files() {
    let files = |c: &str| {
        let sources = [("", "mod a;"), ("a", "use crate::b::B;"), ("a::d", ""), ("b", "fn f() { crate::c::f() }"), ("c", c)];
        sources.map(|(module, text)| (module.to_owned(), text.to_owned())).into()
    };
    assert_eq!(find_cycle(&imports(&files("use std::fmt;"))), None);
    assert_eq!(find_cycle(&imports(&files("// crate::a\n#[cfg(test)]\nmod tests { use crate::a::A; }"))), None);
    let expected = ["a", "b", "c"].map(str::to_owned).to_vec();
    assert_eq!(find_cycle(&imports(&files("use super::a::A;"))), Some(expected.clone()));
    assert_eq!(find_cycle(&imports(&files("use crate::{other::{Thing, More}, a};"))), Some(expected));
}
