use std::hash::{DefaultHasher, Hash, Hasher};

use ferrite_runtime::http::{Problem, Request, Response, not_modified, with_etag};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};

// The tests of shared/api generate both files and fail if they differ from the code.
const DOCUMENT: File = File { text: include_str!("../../../shared/api/openapi.json"), content_type: "application/json" };
const PAGE: File = File { text: include_str!("../../../shared/api/openapi.html"), content_type: "text/html; charset=utf-8" };

/// Content security policy of the page, which runs no scripts and loads no resources. The hash is that of its inline
/// style sheet.
const PAGE_CSP: &str = "default-src 'none'; style-src 'sha256-tzcFp/Nm8pKTPg0BqfZgoZYer5zVtewzdzdMRUw6Ul0='; \
                        base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Long enough to save requests while someone reads the page, short enough for a new release to show up soon.
const CACHE_POLICY: HeaderValue = HeaderValue::from_static("public, max-age=300");

struct File {
    text: &'static str,
    content_type: &'static str,
}

impl File {
    /// The entity tag, a hash of the text.
    fn etag(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.text.hash(&mut hasher);
        format!("\"{:016x}\"", hasher.finish())
    }
}

/// Returns the OpenAPI document, or the documentation page for `/docs`. Returns 304 if the client has the current
/// version.
pub(crate) async fn describe_api(request: Request) -> Result<Response, Problem> {
    let is_page = request.uri().path().ends_with("/docs");
    let file = if is_page { PAGE } else { DOCUMENT };
    let etag = file.etag();
    let mut response = match not_modified(&request, &etag)? {
        Some(not_modified) => not_modified,
        None => {
            let mut response = with_etag(Response::new(file.text.into()), &etag)?;
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(file.content_type));
            response
        }
    };
    response.headers_mut().insert(CACHE_CONTROL, CACHE_POLICY);
    if is_page {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_CSP));
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use ferrite_runtime::http::testing::{TestRequest, request};
    use http::{Method, StatusCode};
    use sha2::{Digest, Sha256};

    use super::*;

    async fn get(path: &'static str, if_none_match: &str) -> Response {
        let mut request = request(Method::GET).header("if-none-match", if_none_match);
        *request.uri_mut() = http::Uri::from_static(path);
        describe_api(request).await.unwrap()
    }

    #[tokio::test]
    async fn returns_each_file_and_304_if_it_is_unchanged() {
        for (path, content_type, prefix) in
            [("/v1/openapi.json", "application/json", "{"), ("/v1/docs", "text/html; charset=utf-8", "<!doctype html>")]
        {
            let first = get(path, "").await;
            assert_eq!((first.status(), &first.headers()[CONTENT_TYPE]), (StatusCode::OK, &content_type.parse().unwrap()));
            assert!(first.body().starts_with(prefix.as_bytes()), "{path}");
            let etag = first.headers()["etag"].to_str().unwrap();
            let second = get(path, etag).await;
            assert_eq!((second.status(), second.body().len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
            assert_eq!(second.headers()[CACHE_CONTROL], CACHE_POLICY);
        }
    }

    #[tokio::test]
    async fn page_has_no_scripts_and_its_policy_allows_its_style() {
        assert!(!PAGE.text.contains("<script") && !PAGE.text.contains("style=") && !PAGE.text.contains("src="));
        assert!(!PAGE.text.contains("://"), "the page links to another site");
        let style = PAGE.text.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        let digest = STANDARD.encode(Sha256::digest(style));
        let page = get("/docs", "").await;
        let policy = page.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; ") && policy.contains(&format!("'sha256-{digest}'")), "{digest}");
    }
}
