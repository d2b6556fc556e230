//! The size budget of the functions. Sizes do not vary from run to run, so the suite enforces them.

use std::path::{Path, PathBuf};

use crate::checkout::Checkout;
use crate::files::{FileError, at};
use crate::template::{Function, Template, TemplateError};

/// Why the binaries are not within the budget.
#[derive(Debug, thiserror::Error)]
pub enum SizeError {
    /// Some are larger.
    #[error("larger than the budget of {budget} bytes: {binaries}")]
    TooLarge {
        /// The most bytes that each may have.
        budget: u64,
        /// Each with its size in bytes.
        binaries: String,
    },
    /// The template could not be read.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A binary is missing.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The maximum size in bytes of the binary of an HTTP function. It was 4,000,000 before events of `tracing` were compiled
/// into release builds; those of the SDK and of hyper alone add about 0.15 MB.
pub const MAX_BINARY_BYTES: u64 = 4_400_000;

/// The functions that the budget is for: those that the template's API calls.
///
/// # Errors
/// When the template cannot be read.
pub fn http_functions(checkout: &Checkout) -> Result<Vec<String>, TemplateError> {
    let functions = Template::read(&checkout.path("template.yaml"))?.functions()?;
    Ok(functions.into_iter().filter(|function| function.route.is_some()).map(|function| function.name).collect())
}

/// Compares the binary of every HTTP function of the template, as cargo-lambda left it in `folder/<function>/bootstrap`, with
/// [`MAX_BINARY_BYTES`].
///
/// # Errors
/// When some are larger, which are named with their sizes; or when one is not there.
pub fn check_sizes(checkout: &Checkout, folder: &Path) -> Result<(), SizeError> {
    check(&Template::read(&checkout.path("template.yaml"))?.functions()?, folder)
}

fn check(functions: &[Function], folder: &Path) -> Result<(), SizeError> {
    let mut too_large = Vec::new();
    for function in functions.iter().filter(|function| function.route.is_some()) {
        let size = binary_size(&bootstrap(folder, &function.name))?;
        if size > MAX_BINARY_BYTES {
            too_large.push(format!("{} {size}", function.name));
        }
    }
    if too_large.is_empty() {
        Ok(())
    } else {
        Err(SizeError::TooLarge { budget: MAX_BINARY_BYTES, binaries: too_large.join(", ") })
    }
}

/// Where cargo-lambda leaves a function's binary.
#[must_use]
pub fn bootstrap(folder: &Path, function: &str) -> PathBuf {
    folder.join(function).join("bootstrap")
}

/// The size of a file in bytes.
///
/// # Errors
/// When it is not there.
pub fn binary_size(path: &Path) -> Result<u64, FileError> {
    Ok(std::fs::metadata(path).map_err(at(path))?.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Route;
    use std::fs::{self, File};

    fn function(name: &str, over_http: bool) -> Function {
        let route = over_http.then(|| Route { method: "GET".to_owned(), path: "/".to_owned() });
        Function { name: name.to_owned(), route }
    }

    /// Checks functions of these sizes.
    fn check_all(test: &str, sizes: &[(Function, u64)]) -> Result<(), String> {
        let folder = std::env::temp_dir().join(format!("ferrite-budget-{test}-{}", std::process::id()));
        for (function, size) in sizes {
            fs::create_dir_all(folder.join(&function.name)).unwrap();
            File::create(bootstrap(&folder, &function.name)).unwrap().set_len(*size).unwrap();
        }
        let functions: Vec<_> = sizes.iter().map(|(function, _)| function.clone()).collect();
        let outcome = check(&functions, &folder);
        fs::remove_dir_all(&folder).unwrap();
        outcome.map_err(|error| error.to_string())
    }

    #[test]
    fn an_http_function_over_the_budget_is_named_with_its_size() {
        let sizes = [
            (function("a", true), MAX_BINARY_BYTES),
            (function("b", true), MAX_BINARY_BYTES + 1),
            (function("c", true), 5_000_000),
        ];
        let error = check_all("named", &sizes).unwrap_err();
        assert!(error.contains("b 4400001, c 5000000") && !error.contains("a 4"), "{error}");
    }

    #[test]
    fn functions_without_a_route_have_no_budget() {
        assert_eq!(check_all("others", &[(function("a", true), 1), (function("b", false), MAX_BINARY_BYTES + 1)]), Ok(()));
    }

    #[test]
    fn a_binary_that_is_not_there_is_no_small_one() {
        let folder = std::env::temp_dir().join("ferrite-budget-nothing");
        assert!(check(&[function("a", true)], &folder).is_err());
    }
}
