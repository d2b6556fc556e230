//! The kinds of faults, and the plan that assigns faults to calls.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest as _, Sha256};

use ferrite_aws_proxy::call::{Operation, Service};

use crate::operations::Batch;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// The service throttles the call, with its own throttling error.
    Throttle,
    /// The service returns status 500 and does not execute the call.
    InternalError,
    /// The call is delayed. It is executed even if the caller has given up, so possibly after the retry.
    Delay,
    /// The connection is closed before the call is executed.
    CutBefore,
    /// The connection is closed after the call is executed, so that the response is lost.
    CutAfter,
    /// A batch operation succeeds but reports some entries as failed. Those entries are not executed.
    Partial,
    /// A transaction is cancelled because another one is changing some of its items (`TransactionConflict`).
    Conflict,
    /// The calling function is killed before the call is executed.
    KillBefore,
    /// The calling function is killed after the call is executed.
    KillAfter,
}

impl FaultKind {
    /// All kinds. [`FaultPlan`] checks them in this order.
    pub const ALL: [Self; 9] = [
        Self::Throttle,
        Self::InternalError,
        Self::Delay,
        Self::CutBefore,
        Self::CutAfter,
        Self::Partial,
        Self::Conflict,
        Self::KillBefore,
        Self::KillAfter,
    ];

    /// Returns the kind with this name in `--rates`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Name of the kind in `--rates`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Throttle => "throttle",
            Self::InternalError => "internal-error",
            Self::Delay => "delay",
            Self::CutBefore => "cut-before",
            Self::CutAfter => "cut-after",
            Self::Partial => "partial",
            Self::Conflict => "conflict",
            Self::KillBefore => "kill-before",
            Self::KillAfter => "kill-after",
        }
    }

    fn applies_to(self, operation: &Operation) -> bool {
        match self {
            Self::Partial => Batch::of(operation).is_some(),
            Self::Conflict => operation.service == Service::DynamoDb && operation.name == "TransactWriteItems",
            _ => true,
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Throttle => "throttled",
            Self::InternalError => "internal error",
            Self::Delay => "delayed",
            Self::CutBefore => "cut before execution",
            Self::CutAfter => "cut after execution",
            Self::Partial => "partial batch failure",
            Self::Conflict => "transaction conflict",
            Self::KillBefore => "killed before execution",
            Self::KillAfter => "killed after execution",
        })
    }
}

/// A fault to inject into one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// See [`FaultKind::Throttle`].
    Throttle,
    /// See [`FaultKind::InternalError`].
    InternalError,
    /// See [`FaultKind::Delay`]: the length of the delay.
    Delay(Duration),
    /// See [`FaultKind::CutBefore`].
    CutBefore,
    /// See [`FaultKind::CutAfter`].
    CutAfter,
    /// See [`FaultKind::Partial`]: the entries that fail.
    Partial(Selection),
    /// See [`FaultKind::Conflict`]: the items in conflict.
    Conflict(Selection),
    /// See [`FaultKind::KillBefore`].
    KillBefore,
    /// See [`FaultKind::KillAfter`].
    KillAfter,
}

impl Fault {
    /// Kind of the fault.
    #[must_use]
    pub fn kind(self) -> FaultKind {
        match self {
            Self::Throttle => FaultKind::Throttle,
            Self::InternalError => FaultKind::InternalError,
            Self::Delay(_) => FaultKind::Delay,
            Self::CutBefore => FaultKind::CutBefore,
            Self::CutAfter => FaultKind::CutAfter,
            Self::Partial(_) => FaultKind::Partial,
            Self::Conflict(_) => FaultKind::Conflict,
            Self::KillBefore => FaultKind::KillBefore,
            Self::KillAfter => FaultKind::KillAfter,
        }
    }
}

/// A random selection of elements of a list, whose length is known only when the call is received. AWS batches have at
/// most 100 entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection(u128);

impl Selection {
    /// Returns for each of `count` elements whether it is selected. Selects at least one element unless `count` is 0.
    #[must_use]
    pub fn among(self, count: usize) -> Vec<bool> {
        let mut selected: Vec<bool> = (0..count).map(|index| self.0 >> (index % 128) & 1 == 1).collect();
        if !selected.contains(&true)
            && let Some(first) = selected.first_mut()
        {
            *first = true;
        }
        selected
    }
}

/// Assigns faults to calls. The fault depends only on the seed, the operation and the number of earlier calls of that
/// operation, so that the same seed gives the same faults regardless of concurrent calls.
#[derive(Debug, Clone)]
pub struct FaultPlan {
    seed: u64,
    delay_ms: RangeInclusive<u64>,
    rates: BTreeMap<FaultKind, f64>,
    operation_rates: BTreeMap<(Operation, FaultKind), f64>,
}

impl FaultPlan {
    /// Creates a plan without faults. Delays are 10 to 500 milliseconds long.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, delay_ms: 10..=500, rates: BTreeMap::new(), operation_rates: BTreeMap::new() }
    }

    /// Sets the rate of a kind: the fraction (0 to 1) of the calls to inject it into, among the calls that support it.
    /// A call gets at most one fault. If the rates add up to more than 1, the last kinds in [`FaultKind::ALL`] occur
    /// less often.
    #[must_use]
    pub fn rate(mut self, kind: FaultKind, rate: f64) -> Self {
        self.rates.insert(kind, rate);
        self
    }

    /// Sets the rate of a kind for one operation, which overrides [`FaultPlan::rate`].
    #[must_use]
    pub fn operation_rate(mut self, operation: Operation, kind: FaultKind, rate: f64) -> Self {
        self.operation_rates.insert((operation, kind), rate);
        self
    }

    /// Sets the range of delays, in milliseconds.
    #[must_use]
    pub fn delays(mut self, milliseconds: RangeInclusive<u64>) -> Self {
        self.delay_ms = milliseconds;
        self
    }

    /// Returns the fault of the call of `operation` with the number `ordinal`, counting from 0.
    #[must_use]
    pub fn fault(&self, operation: &Operation, ordinal: u64) -> Option<Fault> {
        let seed = Sha256::digest(format!("{}/{operation}/{ordinal}", self.seed));
        let mut rng = ChaCha8Rng::from_seed(seed.into());
        let mut point: f64 = rng.random();
        let kind = FaultKind::ALL.into_iter().filter(|kind| kind.applies_to(operation)).find(|kind| {
            point -= self.rate_of(operation, *kind);
            point < 0.0
        });
        Some(match kind? {
            FaultKind::Throttle => Fault::Throttle,
            FaultKind::InternalError => Fault::InternalError,
            FaultKind::Delay => Fault::Delay(Duration::from_millis(rng.random_range(self.delay_ms.clone()))),
            FaultKind::CutBefore => Fault::CutBefore,
            FaultKind::CutAfter => Fault::CutAfter,
            FaultKind::Partial => Fault::Partial(Selection(rng.random())),
            FaultKind::Conflict => Fault::Conflict(Selection(rng.random())),
            FaultKind::KillBefore => Fault::KillBefore,
            FaultKind::KillAfter => Fault::KillAfter,
        })
    }

    fn rate_of(&self, operation: &Operation, kind: FaultKind) -> f64 {
        let operation_rate = self.operation_rates.get(&(operation.clone(), kind));
        operation_rate.or_else(|| self.rates.get(&kind)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(name: &str) -> Operation {
        Operation::new(Service::DynamoDb, name)
    }

    fn plan_with_all_kinds(seed: u64) -> FaultPlan {
        FaultKind::ALL.into_iter().fold(FaultPlan::new(seed), |plan, kind| plan.rate(kind, 0.1))
    }

    fn faults(plan: &FaultPlan, operation: &Operation) -> Vec<Option<Fault>> {
        (0..2_000).map(|ordinal| plan.fault(operation, ordinal)).collect()
    }

    #[test]
    fn faults_depend_on_the_seed() {
        let transaction = operation("TransactWriteItems");
        assert_eq!(faults(&plan_with_all_kinds(7), &transaction), faults(&plan_with_all_kinds(7), &transaction));
        assert_ne!(faults(&plan_with_all_kinds(7), &transaction), faults(&plan_with_all_kinds(8), &transaction));
    }

    #[test]
    fn faults_differ_between_operations() {
        let plan = plan_with_all_kinds(7);
        assert_ne!(faults(&plan, &operation("GetItem")), faults(&plan, &operation("PutItem")));
    }

    #[test]
    fn each_kind_occurs_at_its_rate() {
        let faults = faults(&plan_with_all_kinds(7), &operation("TransactWriteItems"));
        for kind in FaultKind::ALL.into_iter().filter(|kind| *kind != FaultKind::Partial) {
            let count = faults.iter().flatten().filter(|fault| fault.kind() == kind).count();
            // 200 are expected, within five standard deviations.
            assert!((133..267).contains(&count), "{kind}: {count}");
        }
        assert!(faults.contains(&None));
    }

    #[test]
    fn only_batches_fail_partially_and_only_transactions_conflict() {
        let plan = plan_with_all_kinds(7);
        let kinds = |name| faults(&plan, &operation(name)).into_iter().flatten().map(Fault::kind).collect::<Vec<_>>();
        assert!(kinds("BatchGetItem").contains(&FaultKind::Partial));
        assert!(!kinds("BatchGetItem").contains(&FaultKind::Conflict));
        assert!(kinds("TransactWriteItems").contains(&FaultKind::Conflict));
        assert!(!kinds("TransactWriteItems").contains(&FaultKind::Partial));
        assert!(!kinds("GetItem").iter().any(|kind| [FaultKind::Partial, FaultKind::Conflict].contains(kind)));
    }

    #[test]
    fn rate_of_an_operation_overrides_the_general_rate() {
        let plan = FaultPlan::new(7)
            .rate(FaultKind::CutAfter, 1.0)
            .operation_rate(operation("GetItem"), FaultKind::CutAfter, 0.0)
            .operation_rate(operation("PutItem"), FaultKind::Throttle, 1.0);
        assert!(faults(&plan, &operation("Query")).iter().all(|fault| *fault == Some(Fault::CutAfter)));
        assert!(faults(&plan, &operation("GetItem")).iter().all(Option::is_none));
        assert!(faults(&plan, &operation("PutItem")).iter().all(|fault| *fault == Some(Fault::Throttle)));
    }

    #[test]
    fn delays_are_within_their_range() {
        let plan = FaultPlan::new(7).rate(FaultKind::Delay, 1.0).delays(3..=5);
        let mut delays: Vec<_> = faults(&plan, &operation("GetItem")).into_iter().flatten().collect();
        delays.sort_by_key(|fault| if let Fault::Delay(delay) = fault { *delay } else { Duration::ZERO });
        delays.dedup();
        assert_eq!(delays, [3, 4, 5].map(|delay| Fault::Delay(Duration::from_millis(delay))));
    }

    #[test]
    fn selects_at_least_one_element() {
        assert_eq!(Selection(0).among(3), [true, false, false]);
        assert_eq!(Selection(0b110).among(3), [false, true, true]);
        assert!(Selection(1).among(0).is_empty());
    }
}
