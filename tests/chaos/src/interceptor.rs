//! Intercepts calls and injects faults into them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use ferrite_aws_proxy::call::{Operation, Service};
use ferrite_aws_proxy::functions::{Function, ResignError};
use ferrite_aws_proxy::proxy::{Call, Connection, Interceptor};
use ferrite_aws_proxy::upstream::{NoResponse, Upstream};
use http::Response;
use http::request::Parts;
use hyper::body::Bytes;

use crate::duplicates::Duplicates;
use crate::fault_counts::FaultCounts;
use crate::faults::{Fault, FaultKind, FaultPlan};
use crate::kill::kill_function;
use crate::mutation::{self, Mutation};
use crate::partial::SplitBatch;
use crate::responses;
use crate::writes::Writes;

/// An interceptor that injects the faults of a plan.
#[derive(Debug)]
pub(crate) struct FaultInterceptor {
    plan: FaultPlan,
    faults_on: AtomicBool,
    /// Number of calls of each operation so far.
    ordinals: Mutex<BTreeMap<Operation, u64>>,
    counts: Mutex<FaultCounts>,
    pub(crate) duplicates: Duplicates,
    pub(crate) writes: Writes,
    mutation: Mutex<Option<Mutation>>,
    split_transactions: AtomicU64,
}

impl Interceptor for FaultInterceptor {
    async fn intercept(&self, call: Call, upstream: &Upstream) -> Result<Response<Bytes>, NoResponse> {
        let response = self.respond(call, upstream).await;
        if let Err(reason) = &response
            && !matches!(reason, NoResponse::Dropped)
        {
            *lock(&self.counts).unplanned_failures.entry(reason.to_string()).or_default() += 1;
        }
        response
    }
}

impl FaultInterceptor {
    pub(crate) fn new(plan: FaultPlan) -> Self {
        Self {
            plan,
            faults_on: AtomicBool::new(false),
            ordinals: Mutex::default(),
            counts: Mutex::default(),
            duplicates: Duplicates::default(),
            writes: Writes::default(),
            mutation: Mutex::default(),
            split_transactions: AtomicU64::new(0),
        }
    }

    pub(crate) fn set_faults(&self, on: bool) {
        self.faults_on.store(on, Ordering::Relaxed);
    }

    pub(crate) fn mutate(&self, mutation: Mutation) {
        *lock(&self.mutation) = Some(mutation);
    }

    pub(crate) fn fault_counts(&self) -> FaultCounts {
        lock(&self.counts).clone()
    }

    async fn respond(&self, call: Call, upstream: &Upstream) -> Result<Response<Bytes>, NoResponse> {
        let Call { connection, head, body } = call;
        let Some(operation) = Operation::of(&head, &body) else {
            return upstream.forward(head, body).await;
        };
        let Some(fault) = self.next_fault(&operation) else {
            return self.execute(upstream, &operation, head, body).await;
        };
        let functions = upstream.functions();
        let function = functions.caller(&head);
        let response = match fault {
            Fault::Throttle => Ok(responses::throttled(operation.service)),
            Fault::InternalError => Ok(responses::internal_error(operation.service)),
            Fault::Delay(delay) => {
                tokio::time::sleep(delay).await;
                self.execute(upstream, &operation, head, body).await
            }
            Fault::CutBefore => Err(NoResponse::Dropped),
            Fault::CutAfter => self.execute(upstream, &operation, head, body).await.and(Err(NoResponse::Dropped)),
            Fault::Partial(selection) => match function.zip(SplitBatch::of(&operation, &body, selection)) {
                Some((function, split)) => self.execute_partially(upstream, &operation, head, split, function).await,
                None => return self.execute(upstream, &operation, head, body).await,
            },
            Fault::Conflict(selection) => match responses::conflict(&body, selection) {
                Some(conflict) => Ok(conflict),
                None => return self.execute(upstream, &operation, head, body).await,
            },
            Fault::KillBefore => Err(NoResponse::Dropped),
            Fault::KillAfter => self.execute(upstream, &operation, head, body).await.and(Err(NoResponse::Dropped)),
        };
        let kind = match fault {
            // If the process of the function is not found, only the connection is closed.
            Fault::KillBefore if !kill(connection).await => FaultKind::CutBefore,
            Fault::KillAfter if !kill(connection).await => FaultKind::CutAfter,
            fault => fault.kind(),
        };
        let caller = function.map_or("unknown", |function| &function.name);
        lock(&self.counts).count(kind, operation, caller.to_owned());
        response
    }

    fn next_fault(&self, operation: &Operation) -> Option<Fault> {
        if !self.faults_on.load(Ordering::Relaxed) {
            return None;
        }
        lock(&self.counts).calls += 1;
        let mut ordinals = lock(&self.ordinals);
        let next = ordinals.entry(operation.clone()).or_default();
        let ordinal = *next;
        *next += 1;
        self.plan.fault(operation, ordinal)
    }

    async fn execute_partially(
        &self,
        upstream: &Upstream,
        operation: &Operation,
        head: Parts,
        split: SplitBatch,
        function: &Function,
    ) -> Result<Response<Bytes>, NoResponse> {
        let body = match split.request() {
            None => split.response(None),
            Some(part) => {
                let head = function.resign(head, &part, SystemTime::now()).map_err(cannot_resign)?;
                let response = self.execute(upstream, operation, head, part).await?;
                if !response.status().is_success() {
                    return Ok(response);
                }
                split.response(Some(response.body()))
            }
        };
        Ok(responses::ok(operation.service, body.ok_or(invalid_batch_response())?))
    }

    async fn execute(
        &self,
        upstream: &Upstream,
        operation: &Operation,
        head: Parts,
        body: Bytes,
    ) -> Result<Response<Bytes>, NoResponse> {
        let mutation = lock(&self.mutation).clone();
        let response = match mutation {
            None => upstream.forward(head, body.clone()).await?,
            Some(mutation) => self.execute_mutated(upstream, &mutation, operation, head, body.clone()).await?,
        };
        if response.status().is_success() {
            self.writes.add(operation, &body);
            if operation.service == Service::EventBridge && operation.name == "PutEvents" {
                self.duplicates.add(&body, response.body());
            }
        }
        Ok(response)
    }

    async fn execute_mutated(
        &self,
        upstream: &Upstream,
        mutation: &Mutation,
        operation: &Operation,
        mut head: Parts,
        body: Bytes,
    ) -> Result<Response<Bytes>, NoResponse> {
        let functions = upstream.functions();
        let Some(function) = functions.caller(&head) else {
            return upstream.forward(head, body).await;
        };
        if let Some(body) = mutation.without_condition(operation, &body) {
            return upstream.forward(function.resign(head, &body, SystemTime::now()).map_err(cannot_resign)?, body).await;
        }
        let is_transaction = *mutation == Mutation::SplitTransaction && operation.name == "TransactWriteItems";
        let Some(writes) = is_transaction.then(|| mutation::single_writes(&body)).flatten() else {
            return upstream.forward(head, body).await;
        };
        let stop_early = self.split_transactions.fetch_add(1, Ordering::Relaxed) % 3 == 2;
        let count = writes.len();
        for (index, (write, body)) in writes.into_iter().enumerate() {
            if stop_early && index > 0 {
                return Err(NoResponse::Dropped);
            }
            head.headers.insert("x-amz-target", write.target());
            let head = function.resign(head.clone(), &body, SystemTime::now()).map_err(cannot_resign)?;
            let response = upstream.forward(head, body).await?;
            if !response.status().is_success() {
                let reasons = mutation::cancelled(count, index, response.body());
                return Ok(responses::rejected(Service::DynamoDb, reasons));
            }
        }
        Ok(responses::ok(operation.service, Bytes::from_static(b"{}")))
    }
}

/// Kills the function at the other end of a connection. Returns whether it was found.
async fn kill(connection: Connection) -> bool {
    tokio::task::spawn_blocking(move || kill_function(connection)).await.unwrap_or(false)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The error for a batch response of the emulator that does not contain the expected results.
fn invalid_batch_response() -> NoResponse {
    NoResponse::Interceptor("the emulator's response to the batch lacks expected results".into())
}

fn cannot_resign(error: ResignError) -> NoResponse {
    NoResponse::Interceptor(Box::new(error))
}
