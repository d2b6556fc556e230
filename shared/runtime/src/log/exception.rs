//! Formats an error with the keys that Powertools uses for exceptions.

use std::error::Error;
use std::fmt::{self, Write};

use serde_json::{Value, json};

use crate::panics::{PanicError, PanicLocation};

/// An error formatted for a log line.
///
/// The key `exception` contains the message of the error and of all its sources. `exception_name` is the error type,
/// and `stack_trace` contains the location if it is known.
#[derive(Debug, Clone)]
pub struct Exception {
    name: String,
    text: String,
    /// Known only for panics; other errors do not record where they were created.
    location: Option<PanicLocation>,
}

impl Exception {
    /// Formats `error` for the log.
    pub fn new(error: &(dyn Error + 'static)) -> Self {
        let location = error.downcast_ref::<PanicError>().and_then(PanicError::location).cloned();
        Self { name: type_name(error), text: error_chain(error), location }
    }

    pub(super) fn keys(&self) -> [(&'static str, Value); 3] {
        let frame = |at: &PanicLocation| json!({ "file": at.file, "line": at.line });
        let frames: Vec<Value> = self.location.iter().map(frame).collect();
        let trace = json!({ "type": self.name, "value": self.text, "module": "", "frames": frames });
        [("exception", self.text.as_str().into()), ("exception_name", self.name.as_str().into()), ("stack_trace", trace)]
    }
}

/// Returns the message of `error` followed by the messages of its sources, separated by colons.
pub fn error_chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let next = error.to_string();
        // Many errors repeat the message of their source in their own message.
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        source = error.source();
    }
    text
}

/// Returns the name at the beginning of the `Debug` output of `error`, which is the name of its type or variant.
///
/// `dyn Error` does not provide the type name.
fn type_name(error: &dyn Error) -> String {
    /// Stops formatting after the name, because the `Debug` output of an SDK error is several kilobytes long.
    struct Name(String);

    impl Write for Name {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let end = text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
            self.0.push_str(&text[..end.unwrap_or(text.len())]);
            if end.is_some() { Err(fmt::Error) } else { Ok(()) }
        }
    }

    let mut name = Name(String::new());
    // `Name` returns an error only to stop formatting.
    let _ = write!(name, "{error:?}");
    if name.0.is_empty() { "Error".to_owned() } else { name.0 }
}

#[cfg(test)]
mod tests {
    use ferrite_core::ports::PortError;

    use super::*;

    fn keys(error: &(dyn Error + 'static)) -> Value {
        Exception::new(error).keys().into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    #[test]
    fn formats_the_type_and_all_sources_of_an_error() {
        let keys = keys(&PortError::new("GetItem", "x".parse::<u8>().unwrap_err()));
        assert_eq!(keys["exception_name"], "PortError");
        assert_eq!(keys["exception"], "GetItem failed: invalid digit found in string");
        assert_eq!(keys["stack_trace"]["type"], "PortError");
    }

    #[test]
    fn uses_a_generic_name_for_an_error_created_from_a_string() {
        let error: Box<dyn Error> = "not now".into();
        assert_eq!(keys(&*error)["exception_name"], "Error");
    }
}
