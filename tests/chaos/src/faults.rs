//! The kinds of faults, and the plan that assigns them to calls.

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
pub enum Kind {
    /// The service throttles the call with its own error.
    Throttle,
    /// The service answers 500, and has not carried the call out.
    InternalError,
    /// The call arrives late. It is carried out even if its caller has given up meanwhile, so perhaps after its retry.
    Delay,
    /// The connection is closed, and the call was not carried out.
    CutBefore,
    /// The connection is closed, and the call was carried out: its answer is lost.
    CutAfter,
    /// A batch succeeds with failed entries inside, which were not carried out.
    Partial,
    /// A transaction is cancelled, because another one is changing some of its items ("TransactionConflict").
    Conflict,
    /// The function that calls is killed, and the call was not carried out.
    KillBefore,
    /// The function that calls is killed, and the call was carried out.
    KillAfter,
}

impl Kind {
    /// Every kind.
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

    /// The kind with this name in `--rates`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Its name in `--rates`.
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

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Throttle => "throttled",
            Self::InternalError => "internal error",
            Self::Delay => "delayed",
            Self::CutBefore => "cut before it was carried out",
            Self::CutAfter => "cut after it was carried out",
            Self::Partial => "failed in part",
            Self::Conflict => "transaction conflict",
            Self::KillBefore => "killed before it was carried out",
            Self::KillAfter => "killed after it was carried out",
        })
    }
}

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// See [`Kind::Throttle`].
    Throttle,
    /// See [`Kind::InternalError`].
    InternalError,
    /// See [`Kind::Delay`].
    Delay(Duration),
    /// See [`Kind::CutBefore`].
    CutBefore,
    /// See [`Kind::CutAfter`].
    CutAfter,
    /// See [`Kind::Partial`]: the entries that fail.
    Partial(Chosen),
    /// See [`Kind::Conflict`]: the items that another transaction is changing.
    Conflict(Chosen),
    /// See [`Kind::KillBefore`].
    KillBefore,
    /// See [`Kind::KillAfter`].
    KillAfter,
}

impl Fault {
    /// Its kind.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Throttle => Kind::Throttle,
            Self::InternalError => Kind::InternalError,
            Self::Delay(_) => Kind::Delay,
            Self::CutBefore => Kind::CutBefore,
            Self::CutAfter => Kind::CutAfter,
            Self::Partial(_) => Kind::Partial,
            Self::Conflict(_) => Kind::Conflict,
            Self::KillBefore => Kind::KillBefore,
            Self::KillAfter => Kind::KillAfter,
        }
    }
}

/// Some elements of a list whose length shows only in the call. No batch of AWS's has more than 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen(u128);

impl Chosen {
    /// For each of `count` elements, whether it is chosen; at least one is, when there is one.
    #[must_use]
    pub fn among(self, count: usize) -> Vec<bool> {
        let mut chosen: Vec<bool> = (0..count).map(|index| self.0 >> (index % 128) & 1 == 1).collect();
        if !chosen.contains(&true)
            && let Some(first) = chosen.first_mut()
        {
            *first = true;
        }
        chosen
    }
}

/// Which call meets which fault: a function of the seed, the operation and how many calls of that operation came
/// before, so that the same seed gives the same faults whatever else goes on at the time.
#[derive(Debug, Clone)]
pub struct Plan {
    seed: u64,
    delay_ms: RangeInclusive<u64>,
    rates: BTreeMap<Kind, f64>,
    rates_at: BTreeMap<(Operation, Kind), f64>,
}

impl Plan {
    /// A plan without faults.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, delay_ms: 10..=500, rates: BTreeMap::new(), rates_at: BTreeMap::new() }
    }

    /// With `kind` for this share (0 to 1) of the calls that can meet it. A call meets one fault at most; where the
    /// shares add up to more than 1, the last of [`Kind::ALL`] come short.
    #[must_use]
    pub fn rate(mut self, kind: Kind, share: f64) -> Self {
        self.rates.insert(kind, share);
        self
    }

    /// As [`Plan::rate`], for the calls of one operation, whose rate this replaces.
    #[must_use]
    pub fn rate_at(mut self, operation: Operation, kind: Kind, share: f64) -> Self {
        self.rates_at.insert((operation, kind), share);
        self
    }

    /// With delays of this many milliseconds; 10 to 500 when nothing else is said.
    #[must_use]
    pub fn delays(mut self, milliseconds: RangeInclusive<u64>) -> Self {
        self.delay_ms = milliseconds;
        self
    }

    /// What happens to the call of `operation` that `ordinal` others came before.
    #[must_use]
    pub fn fault(&self, operation: &Operation, ordinal: u64) -> Option<Fault> {
        let seed = Sha256::digest(format!("{}/{operation}/{ordinal}", self.seed));
        let mut dice = ChaCha8Rng::from_seed(seed.into());
        let mut point: f64 = dice.random();
        let met = Kind::ALL.into_iter().filter(|kind| kind.applies_to(operation)).find(|kind| {
            point -= self.share(operation, *kind);
            point < 0.0
        });
        Some(match met? {
            Kind::Throttle => Fault::Throttle,
            Kind::InternalError => Fault::InternalError,
            Kind::Delay => Fault::Delay(Duration::from_millis(dice.random_range(self.delay_ms.clone()))),
            Kind::CutBefore => Fault::CutBefore,
            Kind::CutAfter => Fault::CutAfter,
            Kind::Partial => Fault::Partial(Chosen(dice.random())),
            Kind::Conflict => Fault::Conflict(Chosen(dice.random())),
            Kind::KillBefore => Fault::KillBefore,
            Kind::KillAfter => Fault::KillAfter,
        })
    }

    fn share(&self, operation: &Operation, kind: Kind) -> f64 {
        let at = self.rates_at.get(&(operation.clone(), kind));
        at.or_else(|| self.rates.get(&kind)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(name: &str) -> Operation {
        Operation::new(Service::DynamoDb, name)
    }

    fn of_each_kind(seed: u64) -> Plan {
        Kind::ALL.into_iter().fold(Plan::new(seed), |plan, kind| plan.rate(kind, 0.1))
    }

    fn faults(plan: &Plan, operation: &Operation) -> Vec<Option<Fault>> {
        (0..2_000).map(|ordinal| plan.fault(operation, ordinal)).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_faults_and_another_seed_others() {
        let transaction = operation("TransactWriteItems");
        assert_eq!(faults(&of_each_kind(7), &transaction), faults(&of_each_kind(7), &transaction));
        assert_ne!(faults(&of_each_kind(7), &transaction), faults(&of_each_kind(8), &transaction));
    }

    #[test]
    fn operations_meet_faults_of_their_own() {
        let plan = of_each_kind(7);
        assert_ne!(faults(&plan, &operation("GetItem")), faults(&plan, &operation("PutItem")));
    }

    #[test]
    fn each_kind_comes_as_often_as_the_plan_says() {
        let faults = faults(&of_each_kind(7), &operation("TransactWriteItems"));
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Partial) {
            let met = faults.iter().flatten().filter(|fault| fault.kind() == kind).count();
            // 200 are to be expected, give or take five standard deviations.
            assert!((133..267).contains(&met), "{kind}: {met}");
        }
        assert!(faults.contains(&None));
    }

    #[test]
    fn only_batches_fail_in_part_and_only_transactions_conflict() {
        let plan = of_each_kind(7);
        let kinds = |name| faults(&plan, &operation(name)).into_iter().flatten().map(Fault::kind).collect::<Vec<_>>();
        assert!(kinds("BatchGetItem").contains(&Kind::Partial));
        assert!(!kinds("BatchGetItem").contains(&Kind::Conflict));
        assert!(kinds("TransactWriteItems").contains(&Kind::Conflict));
        assert!(!kinds("TransactWriteItems").contains(&Kind::Partial));
        assert!(!kinds("GetItem").iter().any(|kind| [Kind::Partial, Kind::Conflict].contains(kind)));
    }

    #[test]
    fn an_operation_can_be_spared_or_hit_every_time() {
        let plan = Plan::new(7).rate(Kind::CutAfter, 1.0).rate_at(operation("GetItem"), Kind::CutAfter, 0.0).rate_at(
            operation("PutItem"),
            Kind::Throttle,
            1.0,
        );
        assert!(faults(&plan, &operation("Query")).iter().all(|fault| *fault == Some(Fault::CutAfter)));
        assert!(faults(&plan, &operation("GetItem")).iter().all(Option::is_none));
        assert!(faults(&plan, &operation("PutItem")).iter().all(|fault| *fault == Some(Fault::Throttle)));
    }

    #[test]
    fn delays_are_within_their_range() {
        let plan = Plan::new(7).rate(Kind::Delay, 1.0).delays(3..=5);
        let mut seen: Vec<_> = faults(&plan, &operation("GetItem")).into_iter().flatten().collect();
        seen.sort_by_key(|fault| if let Fault::Delay(delay) = fault { *delay } else { Duration::ZERO });
        seen.dedup();
        assert_eq!(seen, [3, 4, 5].map(|delay| Fault::Delay(Duration::from_millis(delay))));
    }

    #[test]
    fn at_least_one_element_is_chosen() {
        assert_eq!(Chosen(0).among(3), [true, false, false]);
        assert_eq!(Chosen(0b110).among(3), [false, true, true]);
        assert!(Chosen(1).among(0).is_empty());
    }
}
