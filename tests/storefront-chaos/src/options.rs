//! The options of a chaos run.

use std::time::Duration;

use ferrite_chaos::faults::{FaultKind, FaultPlan};

/// When customers stop placing orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// After this many orders in total.
    Orders(usize),
    /// After this many seconds.
    Seconds(u64),
}

/// The options of a chaos run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Seed of the purchases, the faults and the duplicate events.
    pub seed: u64,
    /// Number of concurrent customers.
    pub customers: usize,
    /// When customers stop placing orders.
    pub length: Length,
    /// Maximum time for the system to finish all work after the faults have stopped.
    pub quiesce_timeout: Duration,
}

/// The default rate (0 to 1) of each kind of fault.
pub const DEFAULT_RATES: [(FaultKind, f64); 9] = [
    (FaultKind::Throttle, 0.03),
    (FaultKind::InternalError, 0.02),
    (FaultKind::Delay, 0.04),
    (FaultKind::CutBefore, 0.02),
    (FaultKind::CutAfter, 0.04),
    (FaultKind::Partial, 0.1),
    (FaultKind::Conflict, 0.04),
    (FaultKind::KillBefore, 0.005),
    (FaultKind::KillAfter, 0.01),
];

/// Creates a fault plan with [`DEFAULT_RATES`], except for the kinds in `rates`.
#[must_use]
pub fn plan(seed: u64, rates: &[(FaultKind, f64)]) -> FaultPlan {
    DEFAULT_RATES.iter().chain(rates).fold(FaultPlan::new(seed), |plan, (kind, rate)| plan.rate(*kind, *rate))
}

impl Options {
    /// Approximate number of orders, from which the initial stock is derived.
    pub(crate) fn expected_orders(&self) -> usize {
        match self.length {
            Length::Orders(orders) => orders,
            Length::Seconds(seconds) => usize::try_from(seconds).unwrap_or(usize::MAX).saturating_mul(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferrite_aws_proxy::call::{Operation, Service};
    use ferrite_chaos::faults::Fault;

    #[test]
    fn given_rates_override_the_defaults() {
        let kinds = |rates: &[(FaultKind, f64)]| {
            let plan = plan(1, rates);
            let transaction = Operation::new(Service::DynamoDb, "TransactWriteItems");
            (0..5_000).filter_map(|ordinal| plan.fault(&transaction, ordinal)).map(Fault::kind).collect::<Vec<_>>()
        };
        assert!(
            DEFAULT_RATES.iter().filter(|(kind, _)| *kind != FaultKind::Partial).all(|(kind, _)| kinds(&[]).contains(kind))
        );
        let changed = kinds(&[(FaultKind::KillAfter, 0.0), (FaultKind::CutAfter, 0.5)]);
        assert!(!changed.contains(&FaultKind::KillAfter) && changed.contains(&FaultKind::KillBefore));
        assert!(changed.iter().filter(|kind| **kind == FaultKind::CutAfter).count() > 2_000);
    }

    #[test]
    fn finds_every_kind_by_name() {
        assert!(FaultKind::ALL.into_iter().all(|kind| FaultKind::from_name(kind.name()) == Some(kind)));
        assert_eq!(FaultKind::from_name("unknown"), None);
    }
}
