//! The options of a chaos run.

use std::time::Duration;

use ferrite_chaos::faults::{Kind, Plan};

/// When customers stop buying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// After this many orders of all customers together.
    Orders(usize),
    /// After this many seconds.
    Seconds(u64),
}

/// The options of a chaos run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The seed of the customers' purchases, the faults and the duplicates.
    pub seed: u64,
    /// How many customers there are at the same time.
    pub customers: usize,
    /// When they stop.
    pub length: Length,
    /// How long the system may take to finish all work once the faults have stopped.
    pub quiesce_timeout: Duration,
}

/// The default shares of calls that meet a fault.
pub const RATES: [(Kind, f64); 9] = [
    (Kind::Throttle, 0.03),
    (Kind::InternalError, 0.02),
    (Kind::Delay, 0.04),
    (Kind::CutBefore, 0.02),
    (Kind::CutAfter, 0.04),
    (Kind::Partial, 0.1),
    (Kind::Conflict, 0.04),
    (Kind::KillBefore, 0.005),
    (Kind::KillAfter, 0.01),
];

/// The plan of faults with [`RATES`], except for the kinds in `rates`.
#[must_use]
pub fn plan(seed: u64, rates: &[(Kind, f64)]) -> Plan {
    RATES.iter().chain(rates).fold(Plan::new(seed), |plan, (kind, share)| plan.rate(*kind, *share))
}

impl Options {
    /// About how many orders there will be, which decides how scarce the stock is.
    pub(crate) fn orders(&self) -> usize {
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
    fn given_rates_replace_the_defaults() {
        let kinds = |rates: &[(Kind, f64)]| {
            let (plan, transaction) = (plan(1, rates), Operation::new(Service::DynamoDb, "TransactWriteItems"));
            (0..5_000).filter_map(|ordinal| plan.fault(&transaction, ordinal)).map(Fault::kind).collect::<Vec<_>>()
        };
        assert!(RATES.iter().filter(|(kind, _)| *kind != Kind::Partial).all(|(kind, _)| kinds(&[]).contains(kind)));
        let changed = kinds(&[(Kind::KillAfter, 0.0), (Kind::CutAfter, 0.5)]);
        assert!(!changed.contains(&Kind::KillAfter) && changed.contains(&Kind::KillBefore));
        assert!(changed.iter().filter(|kind| **kind == Kind::CutAfter).count() > 2_000);
    }

    #[test]
    fn finds_every_kind_by_its_name() {
        assert!(Kind::ALL.into_iter().all(|kind| Kind::named(kind.name()) == Some(kind)));
        assert_eq!(Kind::named("rain"), None);
    }
}
