//! What a fault does to a call.

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
use crate::faults::{Fault, Kind, Plan};
use crate::kill::kill_function;
use crate::mutation::{self, Mutation};
use crate::partial::Split;
use crate::responses;
use crate::writes::Writes;

/// Injects the faults of a plan.
#[derive(Debug)]
pub(crate) struct FaultInterceptor {
    plan: Plan,
    faults_on: AtomicBool,
    /// How many calls of each operation there were.
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
            *lock(&self.counts).unplanned.entry(reason.to_string()).or_default() += 1;
        }
        response
    }
}

impl FaultInterceptor {
    pub(crate) fn new(plan: Plan) -> Self {
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
            return self.carry_out(upstream, &operation, head, body).await;
        };
        let functions = upstream.functions();
        let function = functions.caller(&head);
        let answer = match fault {
            Fault::Throttle => Ok(responses::throttled(operation.service)),
            Fault::InternalError => Ok(responses::internal_error(operation.service)),
            Fault::Delay(delay) => {
                tokio::time::sleep(delay).await;
                self.carry_out(upstream, &operation, head, body).await
            }
            Fault::CutBefore => Err(NoResponse::Dropped),
            Fault::CutAfter => self.carry_out(upstream, &operation, head, body).await.and(Err(NoResponse::Dropped)),
            Fault::Partial(chosen) => match function.zip(Split::of(&operation, &body, chosen)) {
                Some((function, split)) => self.carry_out_in_part(upstream, &operation, head, split, function).await,
                None => return self.carry_out(upstream, &operation, head, body).await,
            },
            Fault::Conflict(chosen) => match responses::conflict(&body, chosen) {
                Some(conflict) => Ok(conflict),
                None => return self.carry_out(upstream, &operation, head, body).await,
            },
            Fault::KillBefore => Err(NoResponse::Dropped),
            Fault::KillAfter => self.carry_out(upstream, &operation, head, body).await.and(Err(NoResponse::Dropped)),
        };
        let kind = match fault {
            // If the function's process is not found, only its connection is cut.
            Fault::KillBefore if !kill(connection).await => Kind::CutBefore,
            Fault::KillAfter if !kill(connection).await => Kind::CutAfter,
            fault => fault.kind(),
        };
        let caller = function.map_or("unknown", |function| &function.name);
        lock(&self.counts).count(kind, operation, caller.to_owned());
        answer
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

    async fn carry_out_in_part(
        &self,
        upstream: &Upstream,
        operation: &Operation,
        head: Parts,
        split: Split,
        function: &Function,
    ) -> Result<Response<Bytes>, NoResponse> {
        let whole = match split.request() {
            None => split.answer(None),
            Some(part) => {
                let head = function.resign(head, &part, SystemTime::now()).map_err(cannot_resign)?;
                let answer = self.carry_out(upstream, operation, head, part).await?;
                if !answer.status().is_success() {
                    return Ok(answer);
                }
                split.answer(Some(answer.body()))
            }
        };
        Ok(responses::ok(operation.service, whole.ok_or(incomplete_part())?))
    }

    async fn carry_out(
        &self,
        upstream: &Upstream,
        operation: &Operation,
        head: Parts,
        body: Bytes,
    ) -> Result<Response<Bytes>, NoResponse> {
        let mutation = lock(&self.mutation).clone();
        let answer = match mutation {
            None => upstream.forward(head, body.clone()).await?,
            Some(mutation) => self.carry_out_mutated(upstream, &mutation, operation, head, body.clone()).await?,
        };
        if answer.status().is_success() {
            self.writes.add(operation, &body);
            if operation.service == Service::EventBridge && operation.name == "PutEvents" {
                self.duplicates.add(&body, answer.body());
            }
        }
        Ok(answer)
    }

    async fn carry_out_mutated(
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
        if let Some(body) = mutation.unconditional(operation, &body) {
            return upstream.forward(function.resign(head, &body, SystemTime::now()).map_err(cannot_resign)?, body).await;
        }
        let transaction = *mutation == Mutation::SplitTransaction && operation.name == "TransactWriteItems";
        let Some(writes) = transaction.then(|| mutation::single_writes(&body)).flatten() else {
            return upstream.forward(head, body).await;
        };
        let half_way = self.split_transactions.fetch_add(1, Ordering::Relaxed) % 3 == 2;
        let count = writes.len();
        for (index, (write, body)) in writes.into_iter().enumerate() {
            if half_way && index > 0 {
                return Err(NoResponse::Dropped);
            }
            head.headers.insert("x-amz-target", write.target());
            let head = function.resign(head.clone(), &body, SystemTime::now()).map_err(cannot_resign)?;
            let answer = upstream.forward(head, body).await?;
            if !answer.status().is_success() {
                let reasons = mutation::cancelled(count, index, answer.body());
                return Ok(responses::rejected(Service::DynamoDb, reasons));
            }
        }
        Ok(responses::ok(operation.service, Bytes::from_static(b"{}")))
    }
}

/// Kills the function at the other end, if it can be found.
async fn kill(connection: Connection) -> bool {
    tokio::task::spawn_blocking(move || kill_function(connection)).await.unwrap_or(false)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The emulator's response to the remaining part of a batch does not have a result for each entry.
fn incomplete_part() -> NoResponse {
    NoResponse::Interceptor("the response to a part of a batch is not understood".into())
}

fn cannot_resign(error: ResignError) -> NoResponse {
    NoResponse::Interceptor(Box::new(error))
}
