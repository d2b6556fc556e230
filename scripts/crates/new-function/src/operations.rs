//! Edits the table of API operations in the API crate, `src/openapi/operations.rs`.
//!
//! The table is code: functions that return `vec![Operation::new("get-note", "get", "/notes/{noteId}", …)…]`. The code is
//! parsed to find the operations, and edited as text, so that comments and formatting stay.

use std::collections::BTreeSet;
use std::ops::Range;

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::visit::Visit;
use syn::{Expr, ExprArray, ExprMacro, File, Item, ItemConst, Token, Type, UseTree};

/// The table cannot be read or edited.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OperationsError {
    /// The file is not valid Rust code.
    #[error("{file} is not valid Rust code: line {}", source.span().start().line)]
    Invalid {
        /// The path of the file.
        file: String,
        /// The error of the parser.
        source: syn::Error,
    },
    /// The file has no list of operations.
    #[error("{0} has no list of operations, vec![Operation::new(…), …], to which the new operation could be added")]
    NoList(String),
    /// The file has no list of tags.
    #[error(
        "{0} has no constant TAGS with a list of (NAME, \"description\"), to which the tag of the new operation could be added"
    )]
    NoTags(String),
}

/// The table of operations.
#[derive(Debug)]
pub(crate) struct Operations {
    file: String,
    text: String,
    lists: Vec<Vec<Operation>>,
}

/// An element of a list.
#[derive(Debug)]
struct Operation {
    /// The arguments of `Operation::new`: the id, the method in lower case, and the path.
    id: String,
    path: String,
    /// The first argument of `describe`, such as `NOTES`.
    tag: Option<String>,
    /// The bytes of the element without the comma after it.
    bytes: Range<usize>,
}

impl Operations {
    /// Parses `text`, the contents of `file`.
    ///
    /// # Errors
    /// Returns an error if the text is not valid code or has no list of operations.
    pub(crate) fn parse(file: &str, text: &str) -> Result<Self, OperationsError> {
        let parsed = syn::parse_file(text).map_err(|source| OperationsError::Invalid { file: file.to_owned(), source })?;
        let mut lists = Lists::default();
        lists.visit_file(&parsed);
        if lists.0.is_empty() {
            return Err(OperationsError::NoList(file.to_owned()));
        }
        Ok(Self { file: file.to_owned(), text: text.to_owned(), lists: lists.0 })
    }

    /// The tag of the operations whose path shares the most segments with `path`, at least one. `None` if there is none.
    pub(crate) fn tag_for(&self, path: &str) -> Option<&str> {
        let (shared, operation) = self.most_similar(path)?;
        operation.tag.as_deref().filter(|_| shared > 0)
    }

    /// Returns the text with the code of one more operation, which is added to the list with the most similar path, or to
    /// the longest list if no path is similar.
    pub(crate) fn with(&self, path: &str, code: &str) -> String {
        let similar = self.most_similar(path).filter(|(shared, _)| *shared > 0).map(|(_, operation)| operation.id.as_str());
        let list = self.lists.iter().find(|list| list.iter().any(|operation| Some(operation.id.as_str()) == similar));
        let list = list.or_else(|| self.lists.iter().rev().max_by_key(|list| list.len()));
        let Some(last) = list.and_then(|list| list.last()) else { return self.text.clone() };
        let (before, after) = self.text.split_at(last.bytes.end);
        // The last element may have no comma.
        let after = after.strip_prefix(',').unwrap_or(after);
        format!("{before},\n{}{after}", indented(code.trim_end()))
    }

    /// Returns the text without the operation `id` and those with a suffix, such as `id.page`. `None` if there is none.
    pub(crate) fn without(&self, id: &str) -> Option<String> {
        let is_removed = |operation: &&Operation| operation.id.split('.').next() == Some(id);
        let removed = self.lists.iter().flatten().filter(is_removed).map(|operation| {
            let mut bytes = self.line(operation.bytes.clone());
            bytes.end += usize::from(self.text[bytes.end..].starts_with(','));
            (bytes, String::new())
        });
        let removed: Vec<_> = removed.collect();
        (!removed.is_empty()).then(|| edited(&self.text, removed))
    }

    /// The name by which the code can use an item: `name` if the file imports it, and otherwise `path::name`.
    ///
    /// # Errors
    /// Returns an error if the text is not valid code.
    pub(crate) fn item(&self, path: &str, name: &str) -> Result<String, OperationsError> {
        let file = self.syntax()?;
        let mut imports = file.items.iter().filter_map(|item| match item {
            Item::Use(item) => Some(&item.tree),
            _ => None,
        });
        Ok(if imports.any(|tree| imports_name(tree, name)) { name.to_owned() } else { format!("{path}::{name}") })
    }

    /// Whether the file has a function with this name.
    ///
    /// # Errors
    /// Returns an error if the text is not valid code.
    pub(crate) fn has_function(&self, name: &str) -> Result<bool, OperationsError> {
        let mut items = self.syntax()?.items.into_iter();
        Ok(items.any(|item| matches!(item, Item::Fn(function) if function.sig.ident == name)))
    }

    /// Returns the text with another tag: a constant with the tag's name, and an element of the list `TAGS`.
    ///
    /// # Errors
    /// Returns an error if the file has no list of tags.
    pub(crate) fn with_tag(&self, tag: &Tag) -> Result<String, OperationsError> {
        let file = self.syntax()?;
        let tags = self.tags(&file)?;
        let last = tags.elements.elems.last().ok_or_else(|| OperationsError::NoTags(self.file.clone()))?;
        let end = last.span().byte_range().end;
        let Tag { constant, name, description } = tag;
        let mut edits = vec![(end..end, format!(",\n    ({constant}, {description:?})"))];
        edits.extend(tags.length_edit(1));
        let names: Vec<String> = tags.elements.elems.iter().map(first_name).collect();
        let constants = constants(&file).filter(|constant| names.contains(&constant.ident.to_string()));
        if let Some(last) = constants.last() {
            let end = last.span().byte_range().end;
            edits.push((end..end, format!("\nconst {constant}: &str = {name:?};")));
        }
        Ok(edited(&self.text, edits))
    }

    /// Returns the text without the tag `constant`.
    ///
    /// # Errors
    /// Returns an error if the file has no list of tags.
    pub(crate) fn without_tag(&self, constant: &str) -> Result<String, OperationsError> {
        let file = self.syntax()?;
        let tags = self.tags(&file)?;
        let definition = constants(&file).find(|item| item.ident == constant);
        let definition = definition.map(|item| (self.line(item.span().byte_range()), String::new()));
        let mut edits: Vec<_> = definition.into_iter().collect();
        let bytes: Vec<_> = tags.elements.elems.iter().map(|element| element.span().byte_range()).collect();
        if let Some(index) = tags.elements.elems.iter().position(|element| first_name(element) == constant) {
            // Includes the comma before the element, or the one after it.
            let removed = match (index.checked_sub(1).map(|previous| &bytes[previous]), bytes.get(index + 1)) {
                (Some(previous), _) => previous.end..bytes[index].end,
                (None, Some(next)) => bytes[index].start..next.start,
                (None, None) => bytes[index].clone(),
            };
            edits.push((removed, String::new()));
            edits.extend(tags.length_edit(-1));
        }
        Ok(edited(&self.text, edits))
    }

    /// Whether the file defines or imports a constant with this name.
    ///
    /// # Errors
    /// Returns an error if the text is not valid code.
    pub(crate) fn has_constant(&self, name: &str) -> Result<bool, OperationsError> {
        Ok(self.syntax()?.items.iter().any(|item| match item {
            Item::Const(constant) => constant.ident == name,
            Item::Static(constant) => constant.ident == name,
            Item::Use(import) => imports_name(&import.tree, name),
            _ => false,
        }))
    }

    /// Whether the list of tags contains this constant.
    ///
    /// # Errors
    /// Returns an error if the file has no list of tags.
    pub(crate) fn has_tag(&self, constant: &str) -> Result<bool, OperationsError> {
        let file = self.syntax()?;
        let tags = self.tags(&file)?;
        Ok(tags.elements.elems.iter().any(|element| first_name(element) == constant))
    }

    fn syntax(&self) -> Result<File, OperationsError> {
        syn::parse_file(&self.text).map_err(|source| OperationsError::Invalid { file: self.file.clone(), source })
    }

    fn tags<'a>(&self, file: &'a File) -> Result<Tags<'a>, OperationsError> {
        let item = constants(file).find(|constant| constant.ident == "TAGS");
        let elements = item.and_then(|item| match &*item.expr {
            Expr::Array(elements) => Some(elements),
            Expr::Reference(reference) => match &*reference.expr {
                Expr::Array(elements) => Some(elements),
                _ => None,
            },
            _ => None,
        });
        item.zip(elements)
            .map(|(item, elements)| Tags { item, elements })
            .ok_or_else(|| OperationsError::NoTags(self.file.clone()))
    }

    /// The bytes with the line break and the indentation before them.
    fn line(&self, bytes: Range<usize>) -> Range<usize> {
        self.text[..bytes.start].rfind('\n').unwrap_or(bytes.start)..bytes.end
    }

    /// The tags of the operation `id` and of those with a suffix.
    pub(crate) fn tags_of(&self, id: &str) -> BTreeSet<String> {
        let operations = self.lists.iter().flatten().filter(|operation| operation.id.split('.').next() == Some(id));
        operations.filter_map(|operation| operation.tag.clone()).collect()
    }

    /// Whether an operation has this tag.
    pub(crate) fn uses_tag(&self, tag: &str) -> bool {
        self.lists.iter().flatten().any(|operation| operation.tag.as_deref() == Some(tag))
    }

    /// The last operation whose path shares the most segments with `path`, and their number.
    fn most_similar(&self, path: &str) -> Option<(usize, &Operation)> {
        let shared = |other: &str| {
            let segments = path.split('/').skip(1).zip(other.split('/').skip(1));
            segments.take_while(|(one, other)| one == other).count()
        };
        let operations = self.lists.iter().flatten().map(|operation| (shared(&operation.path), operation));
        operations.max_by_key(|(shared, _)| *shared)
    }
}

/// A group of operations in the document.
#[derive(Debug)]
pub(crate) struct Tag {
    /// The name of the constant, such as `NOTES`.
    pub(crate) constant: String,
    /// The name in the document, such as `Notes`.
    pub(crate) name: String,
    /// What the operations are about.
    pub(crate) description: String,
}

/// The constant `TAGS`.
struct Tags<'a> {
    item: &'a ItemConst,
    elements: &'a ExprArray,
}

impl Tags<'_> {
    /// The edit that changes the length in the type of the constant. A slice has none.
    fn length_edit(&self, difference: isize) -> Option<(Range<usize>, String)> {
        let Type::Array(array) = &*self.item.ty else { return None };
        let length = self.elements.elems.len().checked_add_signed(difference)?;
        Some((array.len.span().byte_range(), length.to_string()))
    }
}

fn imports_name(tree: &UseTree, name: &str) -> bool {
    match tree {
        UseTree::Path(path) => imports_name(&path.tree, name),
        UseTree::Name(import) => import.ident == name,
        UseTree::Rename(import) => import.rename == name,
        UseTree::Group(group) => group.items.iter().any(|tree| imports_name(tree, name)),
        _ => false,
    }
}

fn constants(file: &File) -> impl Iterator<Item = &ItemConst> {
    file.items.iter().filter_map(|item| match item {
        Item::Const(constant) => Some(constant),
        _ => None,
    })
}

/// The name at the beginning of a tuple such as `(NOTES, "…")`.
fn first_name(element: &Expr) -> String {
    match element {
        Expr::Tuple(tuple) => match tuple.elems.first() {
            Some(Expr::Path(path)) => path.path.get_ident().map(ToString::to_string).unwrap_or_default(),
            _ => String::new(),
        },
        _ => String::new(),
    }
}

/// Replaces the text of each range.
fn edited(text: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    let mut text = text.to_owned();
    edits.sort_by_key(|(bytes, _)| bytes.start);
    for (bytes, new) in edits.into_iter().rev() {
        text.replace_range(bytes, &new);
    }
    text
}

/// Indents each line by the indentation of an element of a list.
fn indented(code: &str) -> String {
    code.lines().map(|line| format!("        {line}")).collect::<Vec<_>>().join("\n")
}

/// Collects the lists of operations in the order of the file.
#[derive(Default)]
struct Lists(Vec<Vec<Operation>>);

impl<'ast> Visit<'ast> for Lists {
    fn visit_expr_macro(&mut self, expression: &'ast ExprMacro) {
        if !expression.mac.path.is_ident("vec") {
            return;
        }
        let Ok(elements) = expression.mac.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) else { return };
        let operations = elements.iter().map(|element| operation(element, expression.mac.tokens.clone()));
        let operations: Vec<Operation> = operations.flatten().collect();
        if !operations.is_empty() {
            self.0.push(operations);
        }
    }
}

fn operation(element: &Expr, list: TokenStream) -> Option<Operation> {
    let bytes = element.span().byte_range();
    let inside = list.into_iter().filter(|token| {
        let token = token.span().byte_range();
        bytes.start <= token.start && token.end <= bytes.end
    });
    let tokens = flatten(inside.collect());
    let call = tokens.windows(3).position(|window| window == ["Operation", "::new", "("])?;
    let texts: Vec<String> = tokens[call + 3..].iter().filter_map(|token| literal(token)).take(3).collect();
    let [id, _, path] = &texts[..] else { return None };
    let describe = tokens.windows(2).position(|window| window == [".describe", "("]);
    let tag = describe.and_then(|position| tokens.get(position + 2)).cloned();
    Some(Operation { id: id.clone(), path: path.clone(), tag, bytes })
}

/// The tokens with their groups, in order. The tokens `::` and `.` are joined with the name after them.
fn flatten(tokens: TokenStream) -> Vec<String> {
    let mut flat = Vec::new();
    let mut prefix = String::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                if group.delimiter() == Delimiter::Parenthesis {
                    flat.push("(".to_owned());
                }
                flat.extend(flatten(group.stream()));
            }
            TokenTree::Punct(punct) if punct.as_char() == ':' || punct.as_char() == '.' => {
                prefix.push(punct.as_char());
                continue;
            }
            token => flat.push(format!("{prefix}{token}")),
        }
        prefix.clear();
    }
    flat
}

fn literal(token: &str) -> Option<String> {
    syn::parse_str::<syn::LitStr>(token).ok().map(|literal| literal.value())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = r#"//! The table.

use kit::{Access, JSON as TEXT, Operation, problems::{NOT_FOUND, problem}};

const TAGS: [(&str, &str); 2] = [
    (NOTES, "Notes, in groups."),
    (DOCUMENTATION, "This document."),
];

const NOTES: &str = "Notes";
const DOCUMENTATION: &str = "Documentation";

fn note_operations(schemas: &mut Schemas) -> Vec<Operation> {
    let other = vec![1, 2];
    vec![
        // Lists.
        paginated(Operation::new("list-notes", "get", "/notes", Access::User).describe(
            NOTES,
            "List notes",
            "Returns \"notes\".",
        ))
        .response(SuccessResponse::new(200, "Notes.")),
        Operation::new("get-note", "get", "/notes/{noteId}", Access::User)
            .describe(NOTES, "Get a note", "Returns the note.")
            .problems([problem(409, "busy", "Busy.")]),
    ]
}

fn document_operations() -> Vec<Operation> {
    vec![
        Operation::new("describe-api", "get", "/openapi.json", Access::Anyone).describe(DOCUMENTATION, "Get this", "Returns."),
        Operation::new("describe-api.page", "get", "/docs", Access::Anyone).describe(DOCUMENTATION, "Page", "Returns."),
    ]
}
"#;

    fn table(text: &str) -> Operations {
        Operations::parse("operations.rs", text).unwrap()
    }

    const NEW: &str = "Operation::new(\"count-notes\", \"get\", \"/notes/count\", Access::User)\n    .describe(NOTES, \"Count\", \"Counts.\"),\n";

    #[test]
    fn adds_an_operation_to_the_list_with_the_most_similar_path() {
        let with = table(TABLE).with("/notes/count", NEW);
        let expected = TABLE.replace(
            "\"Busy.\")]),\n",
            "\"Busy.\")]),\n        Operation::new(\"count-notes\", \"get\", \"/notes/count\", Access::User)\n            .describe(NOTES, \"Count\", \"Counts.\"),\n",
        );
        assert_eq!(with, expected);
        assert_eq!(table(&with).without("count-notes").as_deref(), Some(TABLE));
    }

    #[test]
    fn adds_an_operation_with_an_unrelated_path_to_the_longest_list() {
        let with = table(TABLE).with("/teams", &NEW.replace("/notes/count", "/teams"));
        assert!(with.contains("\"Busy.\")]),\n        Operation::new(\"count-notes\""), "{with}");
        assert_eq!(table(&with).without("count-notes").as_deref(), Some(TABLE));
    }

    #[test]
    fn finds_the_tag_of_similar_paths() {
        let table = table(TABLE);
        assert_eq!(table.tag_for("/notes/{noteId}/share"), Some("NOTES"));
        assert_eq!(table.tag_for("/teams"), None);
        assert!(table.uses_tag("NOTES") && !table.uses_tag("TEAMS"));
    }

    #[test]
    fn qualifies_items_that_are_not_imported() {
        let table = table(TABLE);
        for (name, expected) in [
            ("Access", "Access"),
            ("NOT_FOUND", "NOT_FOUND"),
            ("TEXT", "TEXT"),
            ("JSON", "kit::JSON"),
            ("Parameter", "kit::Parameter"),
        ] {
            assert_eq!(table.item("kit", name).unwrap(), expected);
        }
        assert!(table.has_function("note_operations").unwrap() && !table.has_function("note_id").unwrap());
    }

    #[test]
    fn adds_and_removes_a_tag() {
        let [constant, name, description] = ["TEAMS", "Teams", "Operations on \"teams\"."].map(str::to_owned);
        let with = table(TABLE).with_tag(&Tag { constant, name, description }).unwrap();
        assert!(with.contains("TAGS: [(&str, &str); 3] = ["), "{with}");
        assert!(with.contains("\"This document.\"),\n    (TEAMS, \"Operations on \\\"teams\\\".\"),\n];"), "{with}");
        assert!(with.contains("\"Documentation\";\nconst TEAMS: &str = \"Teams\";\n\n"), "{with}");
        assert!(table(&with).has_constant("TEAMS").unwrap() && table(&with).has_tag("TEAMS").unwrap());
        assert_eq!(table(&with).without_tag("TEAMS").unwrap(), TABLE);
        let slice = TABLE.replace("[(&str, &str); 2] = [", "&[(&str, &str)] = &[");
        let [constant, name, description] = ["TEAMS", "Teams", "Teams."].map(str::to_owned);
        let with = table(&slice).with_tag(&Tag { constant, name, description }).unwrap();
        assert_eq!(table(&with).without_tag("TEAMS").unwrap(), slice);
    }

    #[test]
    fn finds_constants_and_imports() {
        let table = table(TABLE);
        for name in ["TAGS", "NOTES", "NOT_FOUND", "TEXT"] {
            assert!(table.has_constant(name).unwrap(), "{name}");
        }
        assert!(!table.has_constant("JSON").unwrap());
        assert!(table.has_tag("NOTES").unwrap() && !table.has_tag("TAGS").unwrap());
    }

    #[test]
    fn removes_all_operations_of_a_function() {
        let without = table(TABLE).without("describe-api").unwrap();
        assert!(!without.contains("describe-api") && without.contains("vec![\n    ]"), "{without}");
        assert_eq!(table(TABLE).without("describe"), None);
    }

    #[test]
    fn rejects_files_without_a_table() {
        assert!(matches!(Operations::parse("a.rs", "fn a() {}"), Err(OperationsError::NoList(_))));
        let error = Operations::parse("a.rs", "fn a() {}\nfn {").unwrap_err();
        assert_eq!(error.to_string(), "a.rs is not valid Rust code: line 2");
    }
}
