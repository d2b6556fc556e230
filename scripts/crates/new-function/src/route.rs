//! Routes of the API, and the conflicts between them.

use std::fmt;
use std::str::FromStr;

/// The methods that a function can serve. API Gateway needs a separate event for each of them.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// A text is not a route.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{route:?} is not a route: {reason}")]
pub(crate) struct InvalidRoute {
    route: String,
    reason: String,
}

/// A method and a path, such as `GET /notes/{noteId}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    /// The method in upper case.
    pub(crate) method: String,
    /// The path with parameters in braces.
    pub(crate) path: String,
}

/// Why a route cannot be added to the existing routes.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum RouteConflict {
    /// Another function serves the route.
    #[error("{function} already serves {existing}; choose another path or method")]
    Exists {
        /// The function that serves it.
        function: String,
        /// The existing route.
        existing: String,
    },
    /// Another path has a parameter with another name at the same position.
    #[error(
        "{path} has the parameter {{{new}}} where {existing} has {{{old}}}, and API Gateway allows only one name per position; \
         use {{{old}}}"
    )]
    Parameter {
        /// The new path.
        path: String,
        /// The new parameter.
        new: String,
        /// The existing path.
        existing: String,
        /// Its parameter.
        old: String,
    },
}

impl FromStr for Route {
    type Err = InvalidRoute;

    fn from_str(text: &str) -> Result<Self, InvalidRoute> {
        let error = |reason: &str| Err(InvalidRoute { route: text.to_owned(), reason: reason.to_owned() });
        let Some((method, path)) = text.split_once(' ') else {
            return error("give the method and the path, as in 'GET /notes/{noteId}'");
        };
        match method {
            "HEAD" => return error("every GET route also serves HEAD"),
            "OPTIONS" => return error("answer-preflight serves OPTIONS for every path"),
            _ if !METHODS.contains(&method) => return error(&format!("the method must be one of {}", METHODS.join(", "))),
            _ => {}
        }
        let Some(segments) = path.strip_prefix('/') else { return error("the path must begin with a slash") };
        let mut parameters = Vec::new();
        for segment in segments.split('/') {
            match parameter(segment) {
                Some(name) if !is_parameter_name(name) => {
                    return error("a parameter must have a name in camel case, as in {noteId}");
                }
                Some(name) if parameters.contains(&name) => return error("a parameter must not occur twice"),
                Some(name) => parameters.push(name),
                None if !is_literal(segment) => {
                    return error(
                        "a segment of the path must be a parameter, as in {noteId}, or consist of letters, digits, and - _ . ~",
                    );
                }
                None => {}
            }
        }
        Ok(Self { method: method.to_owned(), path: path.to_owned() })
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

impl Route {
    /// The names of the path parameters, in order.
    pub(crate) fn parameters(&self) -> Vec<&str> {
        self.path.split('/').filter_map(parameter).collect()
    }

    /// Checks that the route can be added to the `existing` routes, each with the name of its function.
    ///
    /// # Errors
    /// Returns the first conflict.
    pub(crate) fn check<'a>(
        &self,
        existing: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>,
    ) -> Result<(), RouteConflict> {
        for (function, method, path) in existing {
            match compare(&self.path, path) {
                Comparison::Same if method == self.method => {
                    let existing = format!("{method} {path}");
                    return Err(RouteConflict::Exists { function: function.to_owned(), existing });
                }
                Comparison::OtherParameter { new, old } => {
                    let [path, new, existing, old] = [&self.path, new, path, old].map(str::to_owned);
                    return Err(RouteConflict::Parameter { path, new, existing, old });
                }
                Comparison::Same | Comparison::Different => {}
            }
        }
        Ok(())
    }
}

/// How two paths differ.
enum Comparison<'a> {
    Same,
    /// The first difference is a parameter with another name.
    OtherParameter {
        new: &'a str,
        old: &'a str,
    },
    Different,
}

fn compare<'a>(new: &'a str, old: &'a str) -> Comparison<'a> {
    let mut new = new.split('/');
    let mut old = old.split('/');
    loop {
        match (new.next(), old.next()) {
            (None, None) => return Comparison::Same,
            (Some(new), Some(old)) if new == old => {}
            (Some(new), Some(old)) => {
                return match parameter(new).zip(parameter(old)) {
                    Some((new, old)) => Comparison::OtherParameter { new, old },
                    None => Comparison::Different,
                };
            }
            _ => return Comparison::Different,
        }
    }
}

/// The name of the parameter that the segment of a path consists of.
fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

fn is_parameter_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn is_literal(segment: &str) -> bool {
    !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXISTING: [(&str, &str, &str); 3] = [
        ("list-notes", "GET", "/notes"),
        ("get-note", "GET", "/notes/{noteId}"),
        ("share-note", "POST", "/notes/{noteId}/share"),
    ];

    fn check(route: &str) -> Result<(), RouteConflict> {
        route.parse::<Route>().unwrap().check(EXISTING)
    }

    #[test]
    fn accepts_new_paths_and_methods() {
        for route in
            ["POST /notes", "DELETE /notes/{noteId}", "GET /notes/{noteId}/share", "GET /notes/recent", "GET /v1.0/a_b~c"]
        {
            assert_eq!(check(route), Ok(()), "{route}");
        }
        let route: Route = "GET /teams/{teamId}/notes/{noteId}".parse().unwrap();
        assert_eq!(route.parameters(), ["teamId", "noteId"]);
    }

    #[test]
    fn rejects_routes_that_exist() {
        let error = check("GET /notes/{noteId}").unwrap_err();
        assert_eq!(error.to_string(), "get-note already serves GET /notes/{noteId}; choose another path or method");
    }

    #[test]
    fn rejects_another_parameter_name_at_the_same_position() {
        for route in ["DELETE /notes/{id}", "GET /notes/{id}/comments"] {
            let error = check(route).unwrap_err().to_string();
            assert!(
                error.ends_with("has {noteId}, and API Gateway allows only one name per position; use {noteId}"),
                "{error}"
            );
        }
    }

    #[test]
    fn rejects_text_that_is_not_a_route() {
        for (text, reason) in [
            ("/notes", "give the method"),
            ("get /notes", "the method must be one of GET"),
            ("HEAD /notes", "also serves HEAD"),
            ("OPTIONS /notes", "answer-preflight"),
            ("GET notes", "begin with a slash"),
            ("GET /", "a segment of the path"),
            ("GET /notes/", "a segment of the path"),
            ("GET /notes/ä", "a segment of the path"),
            ("GET /notes/{noteId", "a segment of the path"),
            ("GET /notes/{proxy+}", "name in camel case"),
            ("GET /notes/{NoteId}", "name in camel case"),
            ("GET /a/{id}/b/{id}", "twice"),
        ] {
            let error = text.parse::<Route>().unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
