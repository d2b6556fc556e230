//! Reads the project: its crates, its template, its events, and its tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::files::at;
use ferrite_local_stack::template::{Template, function_name};
use ferrite_template_text::TemplateText;
use serde_yaml_ng::Value;

use crate::events::Events;
use crate::name::FunctionName;

/// The path of the template.
pub(crate) const TEMPLATE: &str = "template.yaml";

/// AWS Lambda, quotas: the maximum length of a function's name.
const MAX_FUNCTION_NAME: usize = 64;

/// A checkout and what the commands read from it.
pub(crate) struct Project {
    checkout: Checkout,
    manifest: toml::Table,
    template: TemplateText,
}

/// A function of the template.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    /// The logical id.
    pub(crate) id: String,
    /// The name of the crate.
    pub(crate) name: String,
    /// The events, without their names.
    pub(crate) events: Vec<Value>,
}

impl Function {
    /// Whether a trigger of the type, such as `SQS`, invokes the function.
    pub(crate) fn has_event(&self, kind: &str) -> bool {
        self.events.iter().any(|event| event["Type"] == kind)
    }
}

impl Project {
    /// Reads the manifest of the workspace and the template.
    ///
    /// # Errors
    /// Returns an error if one of them cannot be read or parsed.
    pub(crate) fn read(checkout: Checkout) -> anyhow::Result<Self> {
        let template = TemplateText::read(&checkout.path(TEMPLATE))?;
        let manifest = read(&checkout, "Cargo.toml")?.parse().context("Cargo.toml is not valid TOML")?;
        Ok(Self { checkout, manifest, template })
    }

    /// The checkout.
    pub(crate) fn checkout(&self) -> &Checkout {
        &self.checkout
    }

    /// The folder of the project.
    pub(crate) fn root(&self) -> &Path {
        self.checkout.root()
    }

    /// The template.
    pub(crate) fn template(&self) -> &TemplateText {
        &self.template
    }

    /// Reads a file, given its path relative to the root.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read.
    pub(crate) fn read_file(&self, path: &str) -> anyhow::Result<String> {
        read(&self.checkout, path)
    }

    /// Whether a file or folder exists.
    pub(crate) fn exists(&self, path: &str) -> bool {
        self.checkout.path(path).exists()
    }

    /// The names of the workspace crates that functions and tests use, by their folders.
    pub(crate) fn crates(&self) -> BTreeMap<String, String> {
        let dependencies = self.manifest.get("workspace").and_then(|workspace| workspace.get("dependencies")?.as_table());
        let dependencies = dependencies.into_iter().flatten();
        dependencies.filter_map(|(name, value)| Some((value.get("path")?.as_str()?.to_owned(), name.clone()))).collect()
    }

    /// The name of the workspace crate in a folder.
    ///
    /// # Errors
    /// Returns an error if the workspace has no such crate.
    pub(crate) fn crate_in(&self, folder: &str) -> anyhow::Result<String> {
        let name = self.crates().remove(folder);
        name.with_context(|| format!("[workspace.dependencies] in Cargo.toml has no crate with the path {folder:?}"))
    }

    /// The functions in the order of the template.
    ///
    /// # Errors
    /// Returns an error if the `CodeUri` of a function is not the folder of its binary.
    pub(crate) fn functions(&self) -> anyhow::Result<Vec<Function>> {
        let functions = self.resources().filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function");
        functions
            .map(|(id, resource)| {
                let events = resource["Properties"]["Events"].as_mapping().into_iter().flatten();
                let events = events.map(|(_, event)| event.clone()).collect();
                Ok(Function { id: id.to_owned(), name: function_name(&resource["Properties"])?, events })
            })
            .collect()
    }

    /// All resources with their logical ids, in the order of the template.
    pub(crate) fn resources(&self) -> impl Iterator<Item = (&str, &Value)> {
        let resources = self.template.document()["Resources"].as_mapping().into_iter().flatten();
        resources.filter_map(|(id, resource)| Some((id.as_str()?, resource)))
    }

    /// The logical ids of the resources of a type.
    pub(crate) fn ids_of_type(&self, kind: &str) -> Vec<&str> {
        self.resources().filter(|(_, resource)| resource["Type"] == kind).map(|(id, _)| id).collect()
    }

    /// The routes of the API: function, method and path.
    ///
    /// # Errors
    /// Returns an error if the template cannot be interpreted.
    pub(crate) fn routes(&self) -> anyhow::Result<Vec<(String, String, String)>> {
        let routes = Template::parse(self.template.text())?.routes()?.into_iter();
        Ok(routes.map(|(route, function, _)| (function, route.method, route.path)).collect())
    }

    /// A setting that functions without the property inherit from `Globals`.
    ///
    /// # Errors
    /// Returns an error if the template does not set it.
    pub(crate) fn default_of(&self, property: &str) -> anyhow::Result<u64> {
        let value = self.template.document()["Globals"]["Function"][property].as_u64();
        value.with_context(|| format!("template.yaml does not set Globals.Function.{property}"))
    }

    /// The events that the domain crate declares.
    ///
    /// # Errors
    /// Returns an error if it declares none, or if a file cannot be read.
    pub(crate) fn events(&self) -> anyhow::Result<Events> {
        let folder = self.checkout.path("shared/domain/src");
        let mut files: Vec<_> = fs::read_dir(&folder).map_err(at(&folder))?.flatten().map(|entry| entry.path()).collect();
        files.sort();
        for path in files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs")) {
            let text = fs::read_to_string(path).map_err(at(path))?;
            let found = Events::find(&text).with_context(|| format!("{} is not valid Rust code", path.display()))?;
            if let Some(events) = found {
                return Ok(events);
            }
        }
        bail!("shared/domain/src declares no events: no file implements the trait Event for an enum")
    }

    /// The folder of the end-to-end tests, which has a main.rs, relative to the root.
    ///
    /// # Errors
    /// Returns an error if there is not exactly one.
    pub(crate) fn tests_folder(&self) -> anyhow::Result<String> {
        let parent = self.checkout.path("tests/tests");
        let entries = fs::read_dir(&parent).map_err(at(&parent))?.flatten();
        let folders = entries.filter(|entry| entry.path().join("main.rs").is_file());
        let folders: Vec<String> = folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        match &folders[..] {
            [folder] => Ok(format!("tests/tests/{folder}")),
            _ => bail!(
                "tests/tests must have exactly one folder with a main.rs for the new test, but it has {}",
                folders.len()
            ),
        }
    }

    /// Checks that no function, resource, crate or deployed function has the name or a name that is derived from it.
    ///
    /// # Errors
    /// Returns an error that states what has the name.
    pub(crate) fn check_name(&self, name: &FunctionName, resources: &[String]) -> anyhow::Result<()> {
        for function in self.functions()? {
            if function.name == name.as_str() {
                bail!("there is already a function {name}");
            }
            // The alarms are named after the function, without hyphens.
            if function.name.replace('-', "") == name.as_str().replace('-', "") {
                bail!(
                    "{name} and {} have the same letters, so that their alarms would have the same logical ids",
                    function.name
                );
            }
        }
        if self.exists(&format!("functions/{name}")) {
            bail!("the folder functions/{name} exists already; delete it or choose another name");
        }
        if self.packages()?.contains(name.as_str()) {
            bail!("the workspace contains or depends on a crate {name}; choose another name");
        }
        let document = self.template.document();
        for section in ["Resources", "Outputs", "Parameters", "Conditions", "Mappings"] {
            if let Some(taken) = resources.iter().find(|id| document[section].get(id.as_str()).is_some()) {
                bail!("{section} in template.yaml already has an entry {taken}; choose another name");
            }
        }
        let stack = self.longest_stack_name()?;
        let length = stack.len() + 1 + name.as_str().len();
        if length > MAX_FUNCTION_NAME {
            bail!(
                "the deployed function {stack}-{name} would have a name of {length} characters, and Lambda allows \
                 {MAX_FUNCTION_NAME}; choose a name with at most {} characters",
                MAX_FUNCTION_NAME.saturating_sub(stack.len() + 1)
            );
        }
        Ok(())
    }

    /// The names of all packages in Cargo.lock.
    fn packages(&self) -> anyhow::Result<BTreeSet<String>> {
        let lock: toml::Table = self.read_file("Cargo.lock")?.parse().context("Cargo.lock is not valid TOML")?;
        let packages = lock.get("package").and_then(toml::Value::as_array).into_iter().flatten();
        Ok(packages.filter_map(|package| Some(package.get("name")?.as_str()?.to_owned())).collect())
    }

    /// The longest name of a stack. A local stack is also deployed for production, with a longer name.
    fn longest_stack_name(&self) -> anyhow::Result<String> {
        let config: toml::Table = self.read_file("samconfig.toml")?.parse().context("samconfig.toml is not valid TOML")?;
        let stacks =
            config.values().filter_map(|section| section.get("deploy")?.get("parameters")?.get("stack_name")?.as_str());
        let stacks = stacks.map(|stack| match stack.strip_suffix("-local") {
            Some(project) => format!("{project}-production"),
            None => stack.to_owned(),
        });
        Ok(stacks.max_by_key(String::len).unwrap_or_default())
    }
}

fn read(checkout: &Checkout, path: &str) -> anyhow::Result<String> {
    let path = checkout.path(path);
    Ok(fs::read_to_string(&path).map_err(at(&path))?)
}
