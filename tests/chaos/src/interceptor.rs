//! The way of a call from a function to the emulator and back, with the fault that it meets.

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, Request, Response, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::answers;
use crate::call::{Operation, Service};
use crate::duplicates::Duplicates;
use crate::faults::{Fault, Kind, Plan};
use crate::functions::{Function, Functions, ResignError};
use crate::kill::Connection;
use crate::partial::Split;
use crate::record::{Asked, Record};
use crate::sabotage::{self, Sabotage};
use crate::tally::Tally;
use crate::writes::Writes;

/// Without an answer, hyper closes the connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// As planned.
    #[error("the connection was to be cut")]
    Cut,
    /// The function died while it sent its request.
    #[error("the request broke off")]
    Request(#[source] hyper::Error),
    /// The emulator is gone, or gave up.
    #[error("the emulator has no answer: {0}")]
    Emulator(Box<dyn Error + Send + Sync>),
    /// The emulator's answer to the part of a batch that it was sent does not say what became of each entry.
    #[error("the answer to a part of a batch is not understood")]
    Part,
    /// The part of a batch that is to be carried out cannot be signed.
    #[error("a part of a batch cannot be signed: {0}")]
    Sign(#[from] ResignError),
}

/// The way from the functions to the emulator.
#[derive(Debug)]
pub(crate) struct Way {
    emulator: Authority,
    client: Client<HttpConnector, Full<Bytes>>,
    plan: Plan,
    pub(crate) faults_on: AtomicBool,
    pub(crate) functions: Mutex<Arc<Functions>>,
    ordinals: Mutex<BTreeMap<Operation, u64>>,
    pub(crate) tally: Mutex<Tally>,
    pub(crate) record: Record,
    pub(crate) duplicates: Duplicates,
    pub(crate) writes: Writes,
    pub(crate) sabotage: Mutex<Option<Sabotage>>,
    split_transactions: AtomicU64,
}

impl Way {
    /// # Errors
    /// When there can be no URL with the address.
    pub(crate) fn to(emulator: SocketAddr, plan: Plan) -> io::Result<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            // A connection that is kept may be closed just as a call goes out on it: a fault that no plan has.
            .pool_max_idle_per_host(0)
            // The name that functions called the proxy by is part of what they signed.
            .set_host(false)
            .build(connector);
        Ok(Self {
            emulator: emulator.to_string().parse().map_err(io::Error::other)?,
            client,
            plan,
            faults_on: AtomicBool::new(false),
            functions: Mutex::default(),
            ordinals: Mutex::default(),
            tally: Mutex::default(),
            record: Record::default(),
            duplicates: Duplicates::default(),
            writes: Writes::default(),
            sabotage: Mutex::default(),
            split_transactions: AtomicU64::new(0),
        })
    }

    /// The answer to a function's request.
    ///
    /// # Errors
    /// When it is to get none.
    pub(crate) async fn receive(
        self: Arc<Self>,
        connection: Connection,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, NoAnswer> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(NoAnswer::Request)?.to_bytes();
        // A task of its own: what AWS has received it carries out, even if whoever asked is dead by then.
        let answer = tokio::spawn(async move {
            let answer = self.answer(connection, head, body).await;
            if let Err(reason) = &answer
                && !matches!(reason, NoAnswer::Cut)
            {
                *lock(&self.tally).unplanned.entry(reason.to_string()).or_default() += 1;
            }
            answer
        });
        answer.await.unwrap_or_else(|ended| Err(NoAnswer::Emulator(ended.into()))).map(|answer| answer.map(Full::new))
    }

    async fn answer(&self, connection: Connection, head: Parts, body: Bytes) -> Result<Response<Bytes>, NoAnswer> {
        let Some(operation) = Operation::of(&head, &body) else {
            return self.hand_on(head, body).await;
        };
        let Some(fault) = self.next_fault(&operation) else {
            return self.carry_out(&operation, head, body).await;
        };
        let functions = Arc::clone(&lock(&self.functions));
        let function = functions.caller(&head);
        let answer = match fault {
            Fault::Throttle => Ok(answers::throttled(operation.service)),
            Fault::InternalError => Ok(answers::internal_error(operation.service)),
            Fault::Delay(delay) => {
                tokio::time::sleep(delay).await;
                self.carry_out(&operation, head, body).await
            }
            Fault::CutBefore => Err(NoAnswer::Cut),
            Fault::CutAfter => self.carry_out(&operation, head, body).await.and(Err(NoAnswer::Cut)),
            Fault::Partial(chosen) => match function.zip(Split::of(&operation, &body, chosen)) {
                Some((function, split)) => self.carry_out_in_part(&operation, head, split, function).await,
                None => return self.carry_out(&operation, head, body).await,
            },
            Fault::Conflict(chosen) => match answers::conflict(&body, chosen) {
                Some(conflict) => Ok(conflict),
                None => return self.carry_out(&operation, head, body).await,
            },
            Fault::KillBefore => Err(NoAnswer::Cut),
            Fault::KillAfter => self.carry_out(&operation, head, body).await.and(Err(NoAnswer::Cut)),
        };
        let kind = match fault {
            // Who cannot be found has its connection cut, and nothing worse.
            Fault::KillBefore if !kill(connection).await => Kind::CutBefore,
            Fault::KillAfter if !kill(connection).await => Kind::CutAfter,
            fault => fault.kind(),
        };
        let caller = function.map_or("unknown", |function| &function.name);
        lock(&self.tally).count(kind, operation, caller.to_owned());
        answer
    }

    fn next_fault(&self, operation: &Operation) -> Option<Fault> {
        if !self.faults_on.load(Ordering::Relaxed) {
            return None;
        }
        lock(&self.tally).calls += 1;
        let mut ordinals = lock(&self.ordinals);
        let next = ordinals.entry(operation.clone()).or_default();
        let ordinal = *next;
        *next += 1;
        self.plan.fault(operation, ordinal)
    }

    async fn carry_out_in_part(
        &self,
        operation: &Operation,
        head: Parts,
        split: Split,
        function: &Function,
    ) -> Result<Response<Bytes>, NoAnswer> {
        let whole = match split.request() {
            None => split.answer(None),
            Some(part) => {
                let head = function.resign(head, &part, SystemTime::now())?;
                let answer = self.carry_out(operation, head, part).await?;
                if !answer.status().is_success() {
                    return Ok(answer);
                }
                split.answer(Some(answer.body()))
            }
        };
        Ok(answers::ok(operation.service, whole.ok_or(NoAnswer::Part)?))
    }

    async fn carry_out(&self, operation: &Operation, head: Parts, body: Bytes) -> Result<Response<Bytes>, NoAnswer> {
        let sabotage = lock(&self.sabotage).clone();
        let answer = match sabotage {
            None => self.hand_on(head, body.clone()).await?,
            Some(sabotage) => self.carry_out_broken(&sabotage, operation, head, body.clone()).await?,
        };
        if answer.status().is_success() {
            self.writes.keep(operation, &body);
            if operation.service == Service::EventBridge && operation.name == "PutEvents" {
                self.duplicates.keep(&body, answer.body());
            }
        }
        Ok(answer)
    }

    async fn carry_out_broken(
        &self,
        sabotage: &Sabotage,
        operation: &Operation,
        mut head: Parts,
        body: Bytes,
    ) -> Result<Response<Bytes>, NoAnswer> {
        let functions = Arc::clone(&lock(&self.functions));
        let Some(function) = functions.caller(&head) else {
            return self.hand_on(head, body).await;
        };
        if let Some(body) = sabotage.unconditional(operation, &body) {
            return self.hand_on(function.resign(head, &body, SystemTime::now())?, body).await;
        }
        let transaction = *sabotage == Sabotage::SplitTransaction && operation.name == "TransactWriteItems";
        let Some(writes) = transaction.then(|| sabotage::single_writes(&body)).flatten() else {
            return self.hand_on(head, body).await;
        };
        let half_way = self.split_transactions.fetch_add(1, Ordering::Relaxed) % 3 == 2;
        let count = writes.len();
        for (index, (write, body)) in writes.into_iter().enumerate() {
            if half_way && index > 0 {
                return Err(NoAnswer::Cut);
            }
            head.headers.insert("x-amz-target", write.target());
            let head = function.resign(head.clone(), &body, SystemTime::now())?;
            let answer = self.hand_on(head, body).await?;
            if !answer.status().is_success() {
                let reasons = sabotage::cancelled(count, index, answer.body());
                return Ok(answers::refused(Service::DynamoDb, reasons));
            }
        }
        Ok(answers::ok(operation.service, Bytes::from_static(b"{}")))
    }

    async fn hand_on(&self, mut head: Parts, body: Bytes) -> Result<Response<Bytes>, NoAnswer> {
        let functions = Arc::clone(&lock(&self.functions));
        let asked = Asked::of(&functions, &head, &body);
        let mut uri = head.uri.into_parts();
        (uri.scheme, uri.authority) = (Some(Scheme::HTTP), Some(self.emulator.clone()));
        head.uri = Uri::from_parts(uri).map_err(|error| NoAnswer::Emulator(error.into()))?;
        keep_end_to_end(&mut head.headers);
        let request = Request::from_parts(head, Full::new(body));
        let answer = self.client.request(request).await.map_err(|error| NoAnswer::Emulator(error.into()))?;
        let (mut head, body) = answer.into_parts();
        keep_end_to_end(&mut head.headers);
        let body = body.collect().await.map_err(|error| NoAnswer::Emulator(error.into()))?;
        let answer = Response::from_parts(head, body.to_bytes());
        if let Some(asked) = asked {
            self.record.keep(asked, &answer);
        }
        Ok(answer)
    }
}

/// Kills the function at the other end, if it can be found.
async fn kill(connection: Connection) -> bool {
    tokio::task::spawn_blocking(move || connection.kill_function()).await.unwrap_or(false)
}

/// Takes out what is said about one connection only ("RFC 9110", 7.6.1), and the offer to wait with a body that is here.
fn keep_end_to_end(headers: &mut HeaderMap) {
    for name in [header::CONNECTION, header::EXPECT, header::TE, header::TRANSFER_ENCODING, header::UPGRADE] {
        headers.remove(name);
    }
    headers.remove("keep-alive");
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
