//! The settings of `cargo lambda deploy` in the manifests of the functions. `sam deploy` reads the same settings from
//! template.yaml, and deploying with one after the other must not change them.

use ferrite_local_stack::template::{Template, function_name};
use toml_edit::{DocumentMut, Item, value};

use crate::{GenerateError, invalid};

/// Updates the memory size and timeout of a function's manifest, if it has these settings.
pub(crate) fn update(template: &Template, function: &str, path: &str, text: &str) -> Result<String, GenerateError> {
    let mut manifest: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| invalid(path, error.to_string()))?;
    let mut functions = template.resources_of_type("AWS::Serverless::Function");
    let properties = functions.find(|(_, properties)| function_name(properties).is_ok_and(|name| name == function));
    let defaults = &template.root()["Globals"]["Function"];
    let deploy = ["package", "metadata", "lambda", "deploy"];
    let deploy = deploy.iter().try_fold(manifest.as_item_mut(), |item, key| item.get_mut(key));
    let (Some((_, properties)), Some(deploy)) = (properties, deploy) else { return Ok(text.to_owned()) };
    for (setting, property) in [("memory", "MemorySize"), ("timeout", "Timeout")] {
        let expected = properties.get(property).unwrap_or(&defaults[property]).as_i64();
        let Some(expected) = expected.filter(|expected| deploy[setting].as_integer() != Some(*expected)) else { continue };
        let decor = deploy.get(setting).and_then(Item::as_value).map(|old| old.decor().clone());
        deploy[setting] = value(expected);
        if let (Some(decor), Some(new)) = (decor, deploy[setting].as_value_mut()) {
            *new.decor_mut() = decor;
        }
    }
    Ok(manifest.to_string())
}
