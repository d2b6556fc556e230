//! Writes settings to samconfig.toml, and keeps its comments.

use std::fs;
use std::io::Write as _;

use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::files::{FileError, at};
use ferrite_local_stack::samconfig::SamconfigError;
use toml_edit::{Array, DocumentMut, Item, Value, value};

/// A setting in the section of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Setting {
    /// `region`
    Region,
    /// `stack_name`
    StackName,
    /// An entry of `parameter_overrides`.
    Parameter(String),
}

impl Setting {
    /// The name of the key or of the parameter.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Region => "region",
            Self::StackName => "stack_name",
            Self::Parameter(name) => name,
        }
    }
}

/// Writes a setting to the section of `environment`. The file is replaced as a whole, so that an interruption cannot
/// truncate it.
///
/// # Errors
/// Returns an error if the file is not valid TOML, has no such section, or cannot be written.
pub(crate) fn save(checkout: &Checkout, environment: &str, setting: &Setting, text: &str) -> Result<(), SamconfigError> {
    // The file may be a symbolic link, which a rename would replace.
    let link = checkout.path("samconfig.toml");
    let path = fs::canonicalize(&link).map_err(at(&link))?;
    let edited = with(&fs::read_to_string(&path).map_err(at(&path))?, environment, setting, text)?;
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(path.with_file_name(""))?;
        file.write_all(edited.as_bytes())?;
        file.as_file().set_permissions(fs::metadata(&path)?.permissions())?;
        file.persist(&path).map_err(std::io::Error::from)
    };
    write().map(drop).map_err(|error| FileError { path: path.clone(), source: error }.into())
}

fn with(file: &str, environment: &str, setting: &Setting, text: &str) -> Result<String, SamconfigError> {
    let mut document: DocumentMut =
        file.parse().map_err(|error: toml_edit::TomlError| SamconfigError::Invalid(error.to_string()))?;
    let section = document.get_mut(environment).and_then(|item| item.get_mut("deploy")?.get_mut("parameters"));
    let missing = || SamconfigError::Invalid(format!("there is no section [{environment}.deploy.parameters]"));
    let section = section.and_then(Item::as_table_like_mut).ok_or_else(missing)?;
    match setting {
        Setting::Region | Setting::StackName => {
            section.insert(setting.name(), value(text));
        }
        Setting::Parameter(name) => match section.get_mut("parameter_overrides").and_then(Item::as_value_mut) {
            Some(Value::Array(list)) => set_in_list(list, name, text),
            // The format of `sam deploy --guided`.
            Some(Value::String(words)) => {
                let added = format!("{} {name}=\"{text}\"", words.value());
                section.insert("parameter_overrides", value(added));
            }
            _ => {
                let mut list = Array::new();
                set_in_list(&mut list, name, text);
                section.insert("parameter_overrides", value(list));
            }
        },
    }
    Ok(document.to_string())
}

/// Adds a parameter at the end, on a line of its own, or replaces its value.
fn set_in_list(list: &mut Array, name: &str, text: &str) {
    let entry = format!("{name}={text}");
    let is_own = |item: &Value| item.as_str().and_then(|item| item.split_once('=')).is_some_and(|(own, _)| own == name);
    let position = list.iter().position(is_own);
    if let Some(index) = position {
        list.replace(index, entry);
        return;
    }
    for item in list.iter_mut() {
        let prefix = item.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
        if !prefix.contains('\n') {
            item.decor_mut().set_prefix("\n  ");
        }
    }
    // A comment behind the last entry stays behind that entry.
    let comment = list.trailing().as_str().unwrap_or_default().trim_end().to_owned();
    list.push_formatted(Value::from(entry).decorated(format!("{comment}\n  "), ""));
    list.set_trailing_comma(true);
    list.set_trailing("\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"# Settings of the environments.
version = 0.1

# The first stage.
[staging.deploy.parameters]
resolve_s3 = true # code
parameter_overrides = ["Environment=staging"]

# What users see.
[production.deploy.parameters]
parameter_overrides = [
  # always
  "Environment=production",
  "LogLevel=WARN", # fewer lines
]

[guided.deploy.parameters]
parameter_overrides = "Environment=\"guided\""
"#;

    fn set(file: &str, environment: &str, setting: Setting, text: &str) -> String {
        with(file, environment, &setting, text).unwrap()
    }

    fn parameter(name: &str) -> Setting {
        Setting::Parameter(name.to_owned())
    }

    #[test]
    fn adds_settings_and_keeps_comments() {
        let file = set(FILE, "staging", Setting::Region, "eu-west-1");
        let file = set(&file, "staging", parameter("JwtIssuer"), "https://issuer.example");
        let expected = FILE.replace(
            "parameter_overrides = [\"Environment=staging\"]\n",
            "parameter_overrides = [\n  \"Environment=staging\",\n  \"JwtIssuer=https://issuer.example\",\n]\n\
             region = \"eu-west-1\"\n",
        );
        assert_eq!(file, expected);
    }

    #[test]
    fn comments_stay_behind_their_parameter() {
        let file = set(FILE, "production", parameter("A"), "1");
        let entry = "\"LogLevel=WARN\", # fewer lines\n";
        assert_eq!(file, FILE.replace(entry, &format!("{entry}  \"A=1\",\n")));
    }

    #[test]
    fn replaces_the_value_of_a_parameter() {
        let file = set(FILE, "production", parameter("LogLevel"), "INFO");
        assert_eq!(file, FILE.replace("LogLevel=WARN", "LogLevel=INFO"));
    }

    #[test]
    fn extends_the_format_of_a_guided_deployment() {
        let file = set(FILE, "guided", parameter("Note"), "two words");
        assert!(file.contains(r#"Environment="guided" Note="two words""#), "{file}");
    }

    #[test]
    fn replaces_the_file_and_keeps_its_permissions() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("samconfig.toml");
        fs::write(&path, FILE).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let checkout = Checkout::at(folder.path());
        save(&checkout, "staging", &Setting::StackName, "app-staging").unwrap();
        assert!(fs::read_to_string(&path).unwrap().contains("stack_name = \"app-staging\""));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(save(&checkout, "unknown", &Setting::Region, "eu-west-1").is_err());
    }
}
