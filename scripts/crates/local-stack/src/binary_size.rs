//! The size limit for the functions' binaries. Sizes do not vary between runs, so the test suite can enforce the limit.

use std::path::{Path, PathBuf};

use crate::checkout::Checkout;
use crate::files::{FileError, at};
use crate::template::{Function, Template, TemplateError};

/// Error returned when binaries are too large, or their sizes cannot be checked.
#[derive(Debug, thiserror::Error)]
pub enum SizeError {
    /// Some binaries exceed the limit.
    #[error(
        "binaries larger than {limit} bytes: {binaries}. `cargo tree --edges normal --package NAME` shows what a function depends \
         on. Remove a dependency or one of its features, or raise MAX_BINARY_BYTES in {file} with the reason",
        file = file!()
    )]
    TooLarge {
        /// The maximum size in bytes.
        limit: u64,
        /// The names of the binaries that are too large, each with its size in bytes.
        binaries: String,
    },
    /// The template could not be read.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A binary is missing.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Maximum size in bytes of the binary of an HTTP function.
///
/// The limit was 4,000,000 bytes before `tracing` events were compiled into release builds. The events in the AWS SDK and
/// hyper add about 0.15 MB.
pub const MAX_BINARY_BYTES: u64 = 4_400_000;

/// Returns the names of the functions that the limit applies to, which are those with an API route in the template.
///
/// # Errors
/// Returns an error if the template cannot be read.
pub fn http_functions(checkout: &Checkout) -> Result<Vec<String>, TemplateError> {
    let functions = Template::read(&checkout.path("template.yaml"))?.functions()?;
    Ok(functions.into_iter().filter(|function| function.route.is_some()).map(|function| function.name).collect())
}

/// Checks that the binary of every HTTP function, which cargo-lambda wrote to `folder/<function>/bootstrap`, has at most
/// [`MAX_BINARY_BYTES`].
///
/// # Errors
/// Returns an error that names the binaries that are too large, or an error if a binary is missing.
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
        Err(SizeError::TooLarge { limit: MAX_BINARY_BYTES, binaries: too_large.join(", ") })
    }
}

/// Returns the path of a function's binary in cargo-lambda's output folder.
#[must_use]
pub fn bootstrap(folder: &Path, function: &str) -> PathBuf {
    folder.join(function).join("bootstrap")
}

/// Returns the size of a file in bytes.
///
/// # Errors
/// Returns an error if the file does not exist.
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

    /// Checks functions whose binaries have these sizes.
    fn check_all(test: &str, sizes: &[(Function, u64)]) -> Result<(), String> {
        let folder = std::env::temp_dir().join(format!("ferrite-budget-{test}-{}", std::process::id()));
        for (function, size) in sizes {
            fs::create_dir_all(folder.join(&function.name)).unwrap();
            File::create(bootstrap(&folder, &function.name)).unwrap().set_len(*size).unwrap();
        }
        let functions: Vec<_> = sizes.iter().map(|(function, _)| function.clone()).collect();
        let result = check(&functions, &folder);
        fs::remove_dir_all(&folder).unwrap();
        result.map_err(|error| error.to_string())
    }

    #[test]
    fn names_http_functions_over_the_limit_with_their_sizes() {
        let sizes = [
            (function("a", true), MAX_BINARY_BYTES),
            (function("b", true), MAX_BINARY_BYTES + 1),
            (function("c", true), 5_000_000),
        ];
        let error = check_all("named", &sizes).unwrap_err();
        assert!(error.contains("b 4400001, c 5000000") && !error.contains("a 4"), "{error}");
    }

    #[test]
    fn does_not_limit_functions_without_a_route() {
        assert_eq!(check_all("others", &[(function("a", true), 1), (function("b", false), MAX_BINARY_BYTES + 1)]), Ok(()));
    }

    #[test]
    fn returns_an_error_if_a_binary_is_missing() {
        let folder = std::env::temp_dir().join("ferrite-budget-nothing");
        assert!(check(&[function("a", true)], &folder).is_err());
    }
}
