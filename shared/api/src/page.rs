//! JSON body for pages of a listing, and its query parameters.

use std::fmt::Display;
use std::str::FromStr;

use ferrite_core::{Page, PageRequest};
use ferrite_runtime::http::{Problem, Request, query};
use serde::Serialize;

/// One page of a listing. `nextCursor` is present if there are more pages.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "{T}Page"))]
pub struct PageBody<T> {
    items: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    next_cursor: Option<String>,
}

impl<T> PageBody<T> {
    /// Creates the body of `page`. `body` converts each item.
    ///
    /// # Errors
    /// Returns the first error of `body`.
    pub fn new<I, Id: Display, E>(page: Page<I, Id>, body: impl FnMut(I) -> Result<T, E>) -> Result<Self, E> {
        Ok(Self {
            next_cursor: page.next.map(|cursor| cursor.to_string()),
            items: page.items.into_iter().map(body).collect::<Result<_, _>>()?,
        })
    }
}

/// Parses the query parameters `limit` and `cursor`.
///
/// # Errors
/// Returns a 400 problem if a parameter is invalid.
pub fn page_request<Id: FromStr>(request: &Request) -> Result<PageRequest<Id>, Problem> {
    Ok(PageRequest { limit: query(request, "limit")?.unwrap_or_default(), after: query(request, "cursor")? })
}
