//! Merges TOML files such as `Cargo.toml` by key instead of by line.
//!
//! A manifest is a list of neighboring lines, so a member or dependency that the project adds is often next to one that
//! Ferrite changes, and a merge by lines has conflicts.

use toml_edit::{Array, DocumentMut, Item, Table, TableLike, Value};

/// Returns the text of `project` with the changes of `release` since `base`. Returns `None` if both changed the same value,
/// or if a text is not TOML.
pub(crate) fn merge(base: &str, project: &str, release: &str) -> Option<String> {
    let [base, mut project, release] =
        [base.parse::<DocumentMut>().ok()?, project.parse::<DocumentMut>().ok()?, release.parse::<DocumentMut>().ok()?];
    merge_tables(base.as_table(), project.as_table_mut(), release.as_table()).then(|| project.to_string())
}

/// Applies the changes to `project`, and returns `false` if both sides changed the same value.
fn merge_tables(base: &dyn TableLike, project: &mut dyn TableLike, release: &dyn TableLike) -> bool {
    for (key, _) in base.iter() {
        // A value that the project has changed stays, even if the release no longer has it.
        if release.get(key).is_none() && same(base.get(key), project.get(key)) {
            project.remove(key);
        }
    }
    release.iter().all(|(key, new)| {
        let old = base.get(key);
        let is_unchanged = same(old, Some(new)) || same(project.get(key), Some(new));
        // A value that the project has removed stays removed.
        let is_removed = old.is_some() && project.get(key).is_none();
        if is_unchanged || is_removed {
            return true;
        }
        if same(old, project.get(key)) {
            insert(project, key, release, new);
            return true;
        }
        let Some(own) = project.get_mut(key) else { return false };
        let empty = Item::Table(Table::new());
        merge_items(old.unwrap_or(&empty), own, new)
    })
}

fn merge_items(base: &Item, project: &mut Item, release: &Item) -> bool {
    if let (Some(base), Some(release)) = (base.as_array(), release.as_array()) {
        return project.as_array_mut().is_some_and(|project| merge_arrays(base, project, release));
    }
    let (Some(base), Some(release)) = (base.as_table_like(), release.as_table_like()) else { return false };
    project.as_table_like_mut().is_some_and(|project| merge_tables(base, project, release))
}

/// Merges arrays as sets, and keeps the order of the project.
fn merge_arrays(base: &Array, project: &mut Array, release: &Array) -> bool {
    let has = |array: &Array, value: &Value| array.iter().any(|other| text(other) == text(value));
    let is_kept = |value: &Value| !has(base, value) || has(release, value);
    project.retain(is_kept);
    for value in release {
        if !has(base, value) && !has(project, value) {
            project.push_formatted(value.clone());
        }
    }
    true
}

/// Adds or replaces a value, with the comments of the release.
fn insert(project: &mut dyn TableLike, key: &str, release: &dyn TableLike, value: &Item) {
    project.insert(key, value.clone());
    if let (Some(mut own), Some(new)) = (project.key_mut(key), release.key(key)) {
        *own.leaf_decor_mut() = new.leaf_decor().clone();
    }
}

/// Whether two values are the same, apart from comments and white space around them.
fn same(one: Option<&Item>, other: Option<&Item>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return one.is_none() && other.is_none() };
    match (one, other) {
        (Item::Value(Value::InlineTable(_)) | Item::Table(_), _) => {
            let (Some(one), Some(other)) = (one.as_table_like(), other.as_table_like()) else { return false };
            one.len() == other.len() && one.iter().all(|(key, value)| same(Some(value), other.get(key)))
        }
        (Item::Value(one), Item::Value(other)) => text(one) == text(other),
        (Item::ArrayOfTables(one), Item::ArrayOfTables(other)) => one.to_string() == other.to_string(),
        _ => false,
    }
}

fn text(value: &Value) -> String {
    value.clone().decorated("", "").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "# The workspace.\n[workspace]\nmembers = [\"core\", \"tests\"]\n\n[workspace.dependencies]\naws = \"1\"\ncsv = \"1\" # reports\n";

    #[test]
    fn combines_neighboring_changes_of_both_sides() {
        let project = BASE.replace("\"core\"", "\"core\", \"mine\"").replace("csv = ", "bytes = \"1\" # mine\ncsv = ");
        let release = BASE.replace("\"tests\"", "\"tests\", \"tools\"").replace("aws = \"1\"", "aws = \"2\"")
            + "# Cache.\nlru = \"1\"\n";

        let merged = merge(BASE, &project, &release).unwrap();

        let expected = "# The workspace.\n[workspace]\nmembers = [\"core\", \"mine\", \"tests\", \"tools\"]\n\n[workspace.dependencies]\naws = \"2\"\nbytes = \"1\" # mine\ncsv = \"1\" # reports\n# Cache.\nlru = \"1\"\n";
        assert_eq!(merged, expected);
    }

    #[test]
    fn removes_what_one_side_has_removed() {
        let project = BASE.replace("csv = \"1\" # reports\n", "");
        let release = BASE.replace("aws = \"1\"\n", "").replace(", \"tests\"", "").replace("csv = \"1\"", "csv = \"2\"");

        let merged = merge(BASE, &project, &release).unwrap();

        assert_eq!(merged, "# The workspace.\n[workspace]\nmembers = [\"core\"]\n\n[workspace.dependencies]\n");
    }

    #[test]
    fn adds_whole_tables_of_the_release() {
        let release = format!("{BASE}\n# Small code.\n[profile.release]\nlto = \"fat\"\n");

        assert_eq!(merge(BASE, BASE, &release).unwrap(), release);
    }

    #[test]
    fn reports_values_that_both_sides_have_changed() {
        let change = |to: &str| BASE.replace("aws = \"1\"", to);

        assert_eq!(merge(BASE, &change("aws = \"2\""), &change("aws = \"3\"")), None);
        assert_eq!(merge(BASE, &change("aws = \"2\""), &change("aws = { version = \"3\" }")), None);
        assert_eq!(merge(BASE, &change("aws = \"2\""), &change("aws = \"2\"")), Some(change("aws = \"2\"")));
    }

    #[test]
    fn rejects_text_that_is_not_toml() {
        assert_eq!(merge(BASE, "<<<<<<<", BASE), None);
    }
}
