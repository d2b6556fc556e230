//! Measures the time that the middleware adds to a warm request: the log line with its metrics, the trace, the
//! deadline, the panic handler and the idempotency record. The record is stored in memory, so the result includes no
//! network time.
//!
//! `./scripts/bench` runs this example with the release profile of the functions. The example writes log lines to
//! stdout, as in Lambda, followed by the results in microseconds as one line of JSON.

use std::error::Error;
use std::io::Write;
use std::time::{Duration, Instant, SystemTime};

use ferrite_core::memory::MemoryIdempotency;
use ferrite_runtime::http::testing::{TestRequest, request};
use ferrite_runtime::http::{Problem, Request, Response, idempotency, limit_body, no_content};
use ferrite_runtime::idempotency::Idempotency;
use ferrite_runtime::tower::{Service, ServiceBuilder};
use ferrite_runtime::{SystemClock, deadline, invocation, log, metrics, panics, service_fn, trace};
use lambda_http::{Context, RequestExt};

/// Number of rounds with and without the middleware. The rounds alternate so that other load on the machine affects
/// both equally. The result is the median round.
const ROUNDS: usize = 41;
/// Number of requests per round.
const REQUESTS: u32 = 500;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    log::init()?;
    let idempotency_store = Idempotency::new(MemoryIdempotency::default(), SystemClock, "bench");
    let mut bare = service_fn(handler);
    let mut hooked = ServiceBuilder::new()
        .layer(invocation::layer())
        .layer(trace::layer())
        .layer(log::layer())
        .layer(metrics::layer())
        .layer(deadline::layer())
        .layer(limit_body())
        .layer(panics::layer())
        .layer(idempotency::layer(&idempotency_store))
        .service(service_fn(handler));
    let mut without = Vec::new();
    let mut with = Vec::new();
    for round in 0..ROUNDS {
        without.push(measure(&mut bare, round).await?);
        with.push(measure(&mut hooked, round).await?);
    }
    let without = median(without);
    let with = median(with);
    let results = serde_json::json!({ "bare_us": without, "hooked_us": with, "added_us": with - without });
    writeln!(std::io::stdout(), "{results}")?;
    Ok(())
}

async fn handler(_: Request) -> Result<Response, Problem> {
    Ok(no_content())
}

/// Sends one round of requests and returns the average time per request in microseconds.
async fn measure<S>(service: &mut S, round: usize) -> Result<f64, Box<dyn Error>>
where
    S: Service<Request, Response = Response, Error = Problem>,
{
    let requests: Vec<Request> = (0..REQUESTS).map(|n| post(round, n)).collect::<Result<_, _>>()?;
    let start = Instant::now();
    for request in requests {
        service.call(request).await.map_err(|problem| problem.kind().to_owned())?;
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / f64::from(REQUESTS))
}

/// Creates a request with a unique idempotency key, a correlation ID, a trace and a deadline.
fn post(round: usize, n: u32) -> Result<Request, Box<dyn Error>> {
    let deadline = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)? + Duration::from_secs(10);
    let mut context = Context::default();
    context.request_id = format!("52fdfc07-2182-154f-{round:04x}-{n:012x}");
    context.deadline = u64::try_from(deadline.as_millis())?;
    context.xray_trace_id = Some("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1".to_owned());
    let body = serde_json::json!({"items": [{"noteId": "note_0192f0c1a2b37c4d8e5f60718293a4b5", "quantity": 1}]});
    let request = request(http::Method::POST)
        .with_caller("ada", "")
        .header("idempotency-key", &format!("{round}-{n}"))
        .header("x-correlation-id", "session-07")
        .json(&body);
    Ok(request.with_lambda_context(context))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
