//! Lambda's Runtime API on loopback, for one execution environment ("Using the Lambda runtime API for custom runtimes").

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// What a function did, and when.
#[derive(Debug)]
pub(crate) enum Seen {
    /// It polled for its next event.
    Polled(Instant),
    /// It was given one.
    HandedOut(Instant),
    /// It answered.
    Answered(Instant, Bytes),
    /// It said that its init or its invocation failed.
    Failed(Bytes),
}

/// The API that one function talks to; gone when dropped.
pub(crate) struct RuntimeApi {
    /// Where it listens: the function's `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) address: SocketAddr,
    seen: mpsc::Receiver<Seen>,
    events: UnboundedSender<String>,
    server: JoinHandle<()>,
}

struct Environment {
    seen: mpsc::Sender<Seen>,
    events: tokio::sync::Mutex<UnboundedReceiver<String>>,
    invocations: std::sync::atomic::AtomicU64,
}

impl RuntimeApi {
    /// Listens on a free port.
    ///
    /// # Errors
    /// When there is none to be had.
    pub(crate) fn open(servers: &Handle) -> io::Result<Self> {
        let listener = servers.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        let (saw, seen) = mpsc::channel();
        let (events, queue) = unbounded_channel();
        let environment = Arc::new(Environment { seen: saw, events: queue.into(), invocations: 0.into() });
        let server = servers.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Nagle's algorithm would add 40 ms to what is measured.
                let _ = stream.set_nodelay(true);
                let environment = Arc::clone(&environment);
                let service = service_fn(move |request| answer(Arc::clone(&environment), request));
                tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Ok(Self { address, seen, events, server })
    }

    /// The next thing that the function does within `timeout`.
    pub(crate) fn next(&self, timeout: Duration) -> Option<Seen> {
        self.seen.recv_timeout(timeout).ok()
    }

    /// Hands `event` out, at once if the function is polling and else when it does.
    pub(crate) fn hand_out(&self, event: String) {
        // The receiver lives as long as the server, which lives as long as `self`.
        let _ = self.events.send(event);
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(environment: Arc<Environment>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, BenchEnd> {
    let arrived = Instant::now();
    let see = |seen| environment.seen.send(seen).map_err(|_| BenchEnd);
    let path = request.uri().path().trim_start_matches("/2018-06-01/runtime/").to_owned();
    if (request.method(), path.as_str()) == (&Method::GET, "invocation/next") {
        see(Seen::Polled(arrived))?;
        let event = environment.events.lock().await.recv().await.ok_or(BenchEnd)?;
        let number = environment.invocations.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let response = invocation(number, event);
        see(Seen::HandedOut(Instant::now()))?;
        return Ok(response);
    }
    let body = request.into_body().collect().await.map_err(|_| BenchEnd)?.to_bytes();
    if path.ends_with("/response") {
        see(Seen::Answered(Instant::now(), body))?;
    } else {
        see(Seen::Failed(body))?;
    }
    let mut accepted = Response::new(Full::from(r#"{"status":"OK"}"#));
    *accepted.status_mut() = StatusCode::ACCEPTED;
    Ok(accepted)
}

fn invocation(number: u64, event: String) -> Response<Full<Bytes>> {
    let deadline = SystemTime::now() + Duration::from_secs(30);
    let deadline = deadline.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let mut response = Response::new(Full::from(event));
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    };
    set("content-type", "application/json".to_owned());
    set("lambda-runtime-aws-request-id", format!("8476a536-e9f4-41e8-9739-{number:012x}"));
    set("lambda-runtime-deadline-ms", deadline.to_string());
    set("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:ferrite-bench".to_owned());
    set("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0".to_owned());
    response
}

/// The measurement is over, so nothing waits for the function.
#[derive(Debug, thiserror::Error)]
#[error("the measurement is over")]
struct BenchEnd;

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(20);

    #[test]
    fn an_event_goes_out_and_its_answer_comes_in() {
        let servers = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_io().build().unwrap();
        let api = RuntimeApi::open(servers.handle()).unwrap();
        let base = format!("http://{}/2018-06-01/runtime/invocation", api.address);
        let function = std::thread::spawn(move || {
            let http = ferrite_aws_client::endpoint::http_client();
            let mut next = http.get(format!("{base}/next")).call().unwrap();
            let id = next.headers()["lambda-runtime-aws-request-id"].to_str().unwrap().to_owned();
            let deadline: u128 = next.headers()["lambda-runtime-deadline-ms"].to_str().unwrap().parse().unwrap();
            let event = next.body_mut().read_to_string().unwrap();
            let answer = http.post(format!("{base}/{id}/response")).send(event.as_bytes()).unwrap();
            let failure = http.post(format!("{base}/{id}/error")).send("broken").unwrap();
            (deadline, answer.status(), failure.status())
        });

        assert!(matches!(api.next(TIMEOUT), Some(Seen::Polled(_))));
        api.hand_out("\"event\"".to_owned());
        let Some(Seen::HandedOut(out)) = api.next(TIMEOUT) else { panic!("nothing was handed out") };
        let Some(Seen::Answered(back, body)) = api.next(TIMEOUT) else { panic!("nothing was answered") };
        assert!(back > out);
        assert_eq!(body, "\"event\"");
        assert!(matches!(api.next(TIMEOUT), Some(Seen::Failed(reason)) if reason == "broken"));
        let (deadline, answered, failed) = function.join().unwrap();
        assert!(deadline > SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis());
        assert_eq!((answered.as_u16(), failed.as_u16()), (202, 202));
    }
}
