//! Counts of the injected faults.

use std::collections::BTreeMap;
use std::fmt;

use ferrite_aws_proxy::call::Operation;

use crate::faults::Kind;

/// The calls that came while faults were on, and the faults that they met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FaultCounts {
    /// How many calls came while faults were on.
    pub calls: u64,
    /// Reasons for calls without a response that no plan had, with their counts.
    pub unplanned: BTreeMap<String, u64>,
    met: BTreeMap<Met, u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Met {
    kind: Kind,
    operation: Operation,
    function: String,
}

impl FaultCounts {
    pub(crate) fn count(&mut self, kind: Kind, operation: Operation, function: String) {
        *self.met.entry(Met { kind, operation, function }).or_default() += 1;
    }

    /// How often each kind of fault was met.
    #[must_use]
    pub fn by_kind(&self) -> BTreeMap<Kind, u64> {
        self.by(|met| met.kind)
    }

    /// How many faults each operation met.
    #[must_use]
    pub fn by_operation(&self) -> BTreeMap<Operation, u64> {
        self.by(|met| met.operation.clone())
    }

    /// How many faults each function met.
    #[must_use]
    pub fn by_function(&self) -> BTreeMap<String, u64> {
        self.by(|met| met.function.clone())
    }

    fn by<K: Ord>(&self, key: impl Fn(&Met) -> K) -> BTreeMap<K, u64> {
        let mut sums = BTreeMap::new();
        for (met, count) in &self.met {
            *sums.entry(key(met)).or_default() += count;
        }
        sums
    }
}

/// A line for each kind: how often, and at which operations.
impl fmt::Display for FaultCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, count) in self.by_kind() {
            let met = self.met.iter().filter(|(met, _)| met.kind == kind);
            let only = Self { met: met.map(|(met, count)| (met.clone(), *count)).collect(), ..Self::default() };
            let operations: Vec<_> =
                only.by_operation().iter().map(|(operation, count)| format!("{operation} {count}")).collect();
            writeln!(f, "{kind:<28} {count:>6}  {}", operations.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferrite_aws_proxy::call::Service;

    #[test]
    fn counts_faults_by_kind_operation_and_function() {
        let operation = |name: &str| Operation::new(Service::DynamoDb, name);
        let mut counts = FaultCounts::default();
        for (kind, name, function) in [
            (Kind::CutAfter, "GetItem", "get-order"),
            (Kind::CutAfter, "PutItem", "place-order"),
            (Kind::CutAfter, "PutItem", "place-order"),
            (Kind::Throttle, "PutItem", "create-product"),
        ] {
            counts.count(kind, operation(name), function.to_owned());
        }
        assert_eq!(counts.by_kind(), [(Kind::Throttle, 1), (Kind::CutAfter, 3)].into());
        assert_eq!(counts.by_operation(), [(operation("GetItem"), 1), (operation("PutItem"), 3)].into());
        assert_eq!(counts.by_function()["place-order"], 2);
        let lines = counts.to_string();
        assert!(lines.contains("throttled                         1  DynamoDB.PutItem 1\n"), "{lines}");
        assert!(lines.contains("     3  DynamoDB.GetItem 1, DynamoDB.PutItem 2\n"), "{lines}");
    }
}
