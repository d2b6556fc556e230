//! The Lambda Runtime API on loopback, for one execution environment ("Using the Lambda runtime API for custom
//! runtimes").

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

/// A request of a function to the Runtime API, or the delivery of an event to the function.
#[derive(Debug)]
pub(crate) enum RuntimeEvent {
    /// The function requested the next event.
    NextRequested(Instant),
    /// An event was sent to the function.
    EventSent(Instant),
    /// The function sent its response.
    ResponseReceived(Instant, Bytes),
    /// The function reported an init error or an invocation error.
    ErrorReported(Bytes),
}

/// The Runtime API of one function. Dropping it stops the server.
pub(crate) struct RuntimeApi {
    /// Address of the server: the function's `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) address: SocketAddr,
    runtime_events: mpsc::Receiver<RuntimeEvent>,
    invocations: UnboundedSender<String>,
    server: JoinHandle<()>,
}

/// The state that the connections of a server share.
struct ServerState {
    runtime_events: mpsc::Sender<RuntimeEvent>,
    invocations: tokio::sync::Mutex<UnboundedReceiver<String>>,
    invocation_count: std::sync::atomic::AtomicU64,
}

impl RuntimeApi {
    /// Starts a server on a free port.
    ///
    /// # Errors
    /// Returns an error if no port is available.
    pub(crate) fn open(runtime: &Handle) -> io::Result<Self> {
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        let (event_sender, runtime_events) = mpsc::channel();
        let (invocations, invocation_queue) = unbounded_channel();
        let state = Arc::new(ServerState {
            runtime_events: event_sender,
            invocations: invocation_queue.into(),
            invocation_count: 0.into(),
        });
        let server = runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Nagle's algorithm would add 40 ms to the measured times.
                let _ = stream.set_nodelay(true);
                let state = Arc::clone(&state);
                let service = service_fn(move |request| handle(Arc::clone(&state), request));
                tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Ok(Self { address, runtime_events, invocations, server })
    }

    /// Waits up to `timeout` for the next event.
    pub(crate) fn next(&self, timeout: Duration) -> Option<RuntimeEvent> {
        self.runtime_events.recv_timeout(timeout).ok()
    }

    /// Sends `event` to the function as soon as the function requests the next event.
    pub(crate) fn send_event(&self, event: String) {
        // The receiver lives as long as the server, which lives as long as `self`.
        let _ = self.invocations.send(event);
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn handle(state: Arc<ServerState>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, BenchEnd> {
    let arrived = Instant::now();
    let report = |event| state.runtime_events.send(event).map_err(|_| BenchEnd);
    let path = request.uri().path().trim_start_matches("/2018-06-01/runtime/").to_owned();
    if (request.method(), path.as_str()) == (&Method::GET, "invocation/next") {
        report(RuntimeEvent::NextRequested(arrived))?;
        let event = state.invocations.lock().await.recv().await.ok_or(BenchEnd)?;
        let number = state.invocation_count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let response = invocation(number, event);
        report(RuntimeEvent::EventSent(Instant::now()))?;
        return Ok(response);
    }
    let body = request.into_body().collect().await.map_err(|_| BenchEnd)?.to_bytes();
    if path.ends_with("/response") {
        report(RuntimeEvent::ResponseReceived(Instant::now(), body))?;
    } else {
        report(RuntimeEvent::ErrorReported(body))?;
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

/// The measurement is over, so nothing waits for requests of the function.
#[derive(Debug, thiserror::Error)]
#[error("the measurement is over")]
struct BenchEnd;

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(20);

    #[test]
    fn sends_an_event_and_receives_its_response() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_io().build().unwrap();
        let api = RuntimeApi::open(runtime.handle()).unwrap();
        let base = format!("http://{}/2018-06-01/runtime/invocation", api.address);
        let function = std::thread::spawn(move || {
            let http = ferrite_aws_client::endpoint::http_client();
            let mut next = http.get(format!("{base}/next")).call().unwrap();
            let id = next.headers()["lambda-runtime-aws-request-id"].to_str().unwrap().to_owned();
            let deadline: u128 = next.headers()["lambda-runtime-deadline-ms"].to_str().unwrap().parse().unwrap();
            let event = next.body_mut().read_to_string().unwrap();
            let response = http.post(format!("{base}/{id}/response")).send(event.as_bytes()).unwrap();
            let error = http.post(format!("{base}/{id}/error")).send("broken").unwrap();
            (deadline, response.status(), error.status())
        });

        assert!(matches!(api.next(TIMEOUT), Some(RuntimeEvent::NextRequested(_))));
        api.send_event("\"event\"".to_owned());
        let Some(RuntimeEvent::EventSent(sent_at)) = api.next(TIMEOUT) else { panic!("no event was sent") };
        let Some(RuntimeEvent::ResponseReceived(received_at, body)) = api.next(TIMEOUT) else { panic!("no response") };
        assert!(received_at > sent_at);
        assert_eq!(body, "\"event\"");
        assert!(matches!(api.next(TIMEOUT), Some(RuntimeEvent::ErrorReported(reason)) if reason == "broken"));
        let (deadline, response_status, error_status) = function.join().unwrap();
        assert!(deadline > SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis());
        assert_eq!((response_status.as_u16(), error_status.as_u16()), (202, 202));
    }
}
