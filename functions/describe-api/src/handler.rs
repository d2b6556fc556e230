use std::hash::{DefaultHasher, Hash, Hasher};

use ferrite_runtime::http::{Problem, Request, Response, not_modified, tagged};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};

/// Generated, and held to the code, by the tests of shared/api.
const DOCUMENT: File = File { text: include_str!("../../../shared/api/openapi.json"), content_type: "application/json" };
const PAGE: File = File { text: include_str!("../../../shared/api/openapi.html"), content_type: "text/html; charset=utf-8" };

/// The page runs nothing and loads nothing; what it looks like stands in it, and this is that text's digest.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'sha256-tzcFp/Nm8pKTPg0BqfZgoZYer5zVtewzdzdMRUw6Ul0='; \
                           base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Long enough for who reads on, short enough for who waits for a release.
const KEPT_FOR: HeaderValue = HeaderValue::from_static("public, max-age=300");

struct File {
    text: &'static str,
    content_type: &'static str,
}

impl File {
    /// Its entity tag, which is another one when the text is.
    fn tag(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.text.hash(&mut hasher);
        format!("\"{:016x}\"", hasher.finish())
    }
}

/// Hands over the document, or the page to whoever asks for that; 304 when the client holds it already.
pub(crate) async fn describe_api(request: Request) -> Result<Response, Problem> {
    let is_page = request.uri().path().ends_with("/docs");
    let file = if is_page { PAGE } else { DOCUMENT };
    let tag = file.tag();
    let mut response = match not_modified(&request, &tag)? {
        Some(not_modified) => not_modified,
        None => {
            let mut response = tagged(Response::new(file.text.into()), &tag)?;
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(file.content_type));
            response
        }
    };
    response.headers_mut().insert(CACHE_CONTROL, KEPT_FOR);
    if is_page {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
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

    async fn get(path: &'static str, held: &str) -> Response {
        let mut request = request(Method::GET).header("if-none-match", held);
        *request.uri_mut() = http::Uri::from_static(path);
        describe_api(request).await.unwrap()
    }

    #[tokio::test]
    async fn each_path_has_its_file_and_a_client_that_holds_it_gets_nothing() {
        for (path, content_type, begins) in
            [("/v1/openapi.json", "application/json", "{"), ("/v1/docs", "text/html; charset=utf-8", "<!doctype html>")]
        {
            let first = get(path, "").await;
            assert_eq!((first.status(), &first.headers()[CONTENT_TYPE]), (StatusCode::OK, &content_type.parse().unwrap()));
            assert!(first.body().starts_with(begins.as_bytes()), "{path}");
            let tag = first.headers()["etag"].to_str().unwrap();
            let second = get(path, tag).await;
            assert_eq!((second.status(), second.body().len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
            assert_eq!(second.headers()[CACHE_CONTROL], KEPT_FOR);
        }
    }

    #[tokio::test]
    async fn the_page_runs_nothing_loads_nothing_and_looks_as_it_should() {
        assert!(!PAGE.text.contains("<script") && !PAGE.text.contains("style=") && !PAGE.text.contains("src="));
        assert!(!PAGE.text.contains("://"), "it links to its own file alone");
        let style = PAGE.text.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        let digest = STANDARD.encode(Sha256::digest(style));
        let page = get("/docs", "").await;
        let policy = page.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; ") && policy.contains(&format!("'sha256-{digest}'")), "{digest}");
    }
}
