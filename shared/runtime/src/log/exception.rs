//! An error in the keys that Powertools has for one.

use std::error::Error;
use std::fmt::{self, Write};

use serde_json::{Map, Value, json};

/// An error, as a line tells it: `exception` is its text with everything that led to it, `exception_name` its type, and
/// `stack_trace` what is known of where it came from.
#[derive(Debug, Clone)]
pub struct Exception {
    name: String,
    text: String,
    /// File and line, for a panic; an error does not know its own.
    at: Option<(String, u32)>,
}

impl Exception {
    /// Of `error`.
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        let at = error.downcast_ref::<crate::panics::Panicked>().and_then(|panicked| panicked.at.clone());
        Self { name: type_name(error), text: chain(error), at }
    }

    pub(crate) fn keys(&self) -> Map<String, Value> {
        let frames: Vec<Value> = self.at.iter().map(|(file, line)| json!({ "file": file, "line": line })).collect();
        let trace = json!({ "type": self.name, "value": self.text, "module": "", "frames": frames });
        Map::from_iter([
            ("exception".to_owned(), self.text.as_str().into()),
            ("exception_name".to_owned(), self.name.as_str().into()),
            ("stack_trace".to_owned(), trace),
        ])
    }
}

/// An error with everything that led to it, as one text.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Many errors repeat their cause in their own text.
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

/// The name that the error's `Debug` form begins with, which is that of its type or of its variant: behind `dyn Error`,
/// nothing else knows it.
fn type_name(error: &dyn Error) -> String {
    /// Takes no more than the name: an error of the SDK goes on for kilobytes.
    struct Name(String);

    impl Write for Name {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let end = text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
            self.0.push_str(&text[..end.unwrap_or(text.len())]);
            if end.is_some() { Err(fmt::Error) } else { Ok(()) }
        }
    }

    let mut name = Name(String::new());
    // An error here only means that the name has ended.
    let _ = write!(name, "{error:?}");
    if name.0.is_empty() { "Error".to_owned() } else { name.0 }
}

#[cfg(test)]
mod tests {
    use ferrite_core::ports::PortError;

    use super::*;

    #[test]
    fn an_error_is_told_with_its_type_and_all_that_led_to_it() {
        let error = PortError::new("GetItem", "x".parse::<u8>().unwrap_err());
        let keys = Exception::of(&error).keys();
        assert_eq!(keys["exception_name"], "PortError");
        assert_eq!(keys["exception"], "GetItem failed: invalid digit found in string");
        assert_eq!(keys["stack_trace"]["type"], "PortError");
    }

    #[test]
    fn a_text_that_became_an_error_has_a_name_too() {
        let error: Box<dyn Error> = "not now".into();
        assert_eq!(Exception::of(&*error).keys()["exception_name"], "Error");
    }
}
