//! `LegacyOrigin` forwards every request for which the template has no route.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::Request;

use crate::legacy_backend::BINARY;
use crate::stack::{Response, STACK, Stack, send};

/// How long a test waits for a route to move. This is many times what a deployment takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(120);

#[test]
fn forwards_method_path_query_headers_and_body() {
    let request = Request::builder()
        .method("PATCH")
        .header("Authorization", "Bearer of.the.legacy.backend")
        .header("Content-Type", "image/png")
        .header("Accept-Encoding", "gzip, br")
        .header("Cookie", "session=1; theme=dark")
        .header("X-Custom", "kept");
    let response = STACK.send("/a%20b/caf%C3%A9?tag=1&tag=2&empty=&text=a%26b", request, &BINARY);
    let received = response.json();
    assert_eq!((response.status, received["method"].as_str()), (200, Some("PATCH")), "{received}");
    assert_eq!(received["target"], "/a%20b/caf%C3%A9?tag=1&tag=2&empty=&text=a%26b");
    assert_eq!(received["body"], BASE64_STANDARD.encode(BINARY));
    for (name, value) in [
        ("authorization", "Bearer of.the.legacy.backend"),
        ("content-type", "image/png"),
        ("accept-encoding", "gzip, br"),
        ("cookie", "session=1; theme=dark"),
        ("x-custom", "kept"),
    ] {
        assert_eq!(response.received(name), [value], "{name}");
    }
}

#[test]
fn returns_status_headers_and_body_of_the_backend() {
    let redirect = STACK.get("/pages/redirect");
    assert_eq!((redirect.status, redirect.body.len()), (302, 0));
    assert_eq!(redirect.values("location"), ["https://elsewhere.example/path?x=1"]);
    assert_eq!(redirect.values("set-cookie"), ["one=1; Path=/", "two=2; Path=/"]);
    assert_eq!(redirect.values("x-legacy"), ["kept"]);

    let binary = STACK.get("/pages/binary");
    assert_eq!((binary.status, binary.body.as_slice()), (200, BINARY.as_slice()));
    assert_eq!((binary.values("content-type"), binary.values("content-encoding")), (vec!["image/png"], vec!["br"]));

    let unauthorized = STACK.get("/pages/unauthorized");
    assert_eq!((unauthorized.status, unauthorized.body.as_slice()), (401, b"sign in".as_slice()));
    assert_eq!(unauthorized.values("content-type"), ["text/plain; charset=utf-8"]);
}

#[test]
fn adds_the_correlation_id() {
    let response = STACK.get("/items");
    assert_eq!(response.received("x-correlation-id"), response.values("x-amzn-requestid"));
    assert!(response.received("x-client-correlation-id").is_empty());

    let response = STACK.send("/items", Request::builder().header("X-Correlation-Id", "of-the-client"), &[]);
    assert_eq!(response.received("x-correlation-id"), response.values("x-amzn-requestid"));
    assert_eq!(response.received("x-client-correlation-id"), ["of-the-client"]);
}

#[test]
fn tells_the_backend_the_host_that_the_client_called() {
    let response = STACK.get("/items");
    let host = |url: &str| url.split('/').nth(2).unwrap().to_owned();
    assert_eq!(response.received("host"), [host(&STACK.origin)]);
    assert_eq!(response.received("x-forwarded-host"), [host(&STACK.api)]);
}

#[test]
fn forwards_every_method_and_path_without_a_route() {
    let served = |method: &str, path: &str| {
        let response = STACK.send(path, Request::builder().method(method), &[]).json();
        (response["servedBy"].as_str().unwrap_or_default().to_owned(), response["target"].clone())
    };
    assert_eq!(served("GET", "/kept/1").0, "function");
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/elsewhere"),
        ("POST", "/kept/1"),
        ("OPTIONS", "/kept/1"),
        ("GET", "/kept"),
        ("GET", "/kept/1/parts/2"),
    ] {
        let (server, target) = served(method, path);
        assert_eq!((server.as_str(), &target), ("legacy", &path.into()), "{method} {path}");
    }
    let head = STACK.send("/kept/1", Request::builder().method("HEAD"), &[]);
    assert_eq!(head.status, 200);
}

#[test]
fn returns_a_problem_if_the_backend_does_not_respond() {
    let response = STACK.get("/hang-up");
    assert_eq!((response.status, response.values("content-type")), (504, vec!["application/problem+json"]));
}

/// What a client observed: the component that served each successful request, without repetitions, and the failures.
#[derive(Debug, Default, PartialEq, Eq)]
struct Observed {
    servers: Vec<String>,
    failures: Vec<String>,
}

impl Observed {
    fn record(&mut self, response: Result<Response, ureq::Error>) {
        match response {
            Ok(response) if response.status == 200 => {
                let server = response.json()["servedBy"].as_str().unwrap_or("nobody").to_owned();
                if self.servers.last() != Some(&server) {
                    self.servers.push(server);
                }
            }
            Ok(response) => self.failures.push(format!("{response:?}")),
            Err(error) => self.failures.push(error.to_string()),
        }
    }
}

/// Stops a client when it is dropped, so that a failed assertion does not leave it running.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Calls the moved path with GET, POST and DELETE until `stop` is set.
fn call_until(stop: &AtomicBool, url: &str) -> [Observed; 3] {
    let mut observed: [Observed; 3] = Default::default();
    let requests = [("GET", ""), ("POST", r#"{"name":"value"}"#), ("DELETE", "")];
    while !stop.load(Ordering::Relaxed) {
        for (observed, (method, body)) in observed.iter_mut().zip(requests) {
            let request = Request::builder().method(method).uri(url).header("Content-Type", "application/json");
            observed.record(send(request, body.as_bytes()));
        }
    }
    observed
}

/// Waits until `server` serves a route.
fn wait_until_served_by(stack: &Stack, server: &str) {
    let start = Instant::now();
    while stack.get("/moved").json()["servedBy"] != server {
        assert!(start.elapsed() < DEADLINE, "GET /moved is not served by the {server}");
    }
}

#[test]
fn moves_a_route_and_back_without_a_failed_request() {
    let stack = &*STACK;
    wait_until_served_by(stack, "legacy");
    let url = format!("{}/moved", stack.api);
    let stop = AtomicBool::new(false);
    let observed = thread::scope(|scope| {
        let client = scope.spawn(|| call_until(&stop, &url));
        let stop_client = StopOnDrop(&stop);
        stack.deploy(true);
        wait_until_served_by(stack, "function");
        stack.deploy(false);
        wait_until_served_by(stack, "legacy");
        drop(stop_client);
        client.join().unwrap()
    });
    let moved = || Observed { servers: ["legacy", "function", "legacy"].map(str::to_owned).into(), failures: vec![] };
    let never_moved = Observed { servers: vec!["legacy".to_owned()], failures: vec![] };
    assert_eq!(observed, [moved(), moved(), never_moved], "GET, POST and DELETE of the moved path");
}
