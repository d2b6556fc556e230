//! Counts the injected faults.

use std::collections::BTreeMap;
use std::fmt;

use ferrite_aws_proxy::call::Operation;

use crate::faults::FaultKind;

/// Counts of the calls received while faults were on, and of the faults injected into them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FaultCounts {
    /// Number of calls received while faults were on.
    pub calls: u64,
    /// Number of calls that got no response although no fault was injected, by reason.
    pub unplanned_failures: BTreeMap<String, u64>,
    injected: BTreeMap<FaultKey, u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct FaultKey {
    kind: FaultKind,
    operation: Operation,
    function: String,
}

impl FaultCounts {
    pub(crate) fn count(&mut self, kind: FaultKind, operation: Operation, function: String) {
        *self.injected.entry(FaultKey { kind, operation, function }).or_default() += 1;
    }

    /// Returns the number of injected faults of each kind.
    #[must_use]
    pub fn by_kind(&self) -> BTreeMap<FaultKind, u64> {
        self.by(|fault| fault.kind)
    }

    /// Returns the number of faults injected into each operation.
    #[must_use]
    pub fn by_operation(&self) -> BTreeMap<Operation, u64> {
        self.by(|fault| fault.operation.clone())
    }

    /// Returns the number of faults injected into the calls of each function.
    #[must_use]
    pub fn by_function(&self) -> BTreeMap<String, u64> {
        self.by(|fault| fault.function.clone())
    }

    fn by<K: Ord>(&self, key: impl Fn(&FaultKey) -> K) -> BTreeMap<K, u64> {
        let mut sums = BTreeMap::new();
        for (fault, count) in &self.injected {
            *sums.entry(key(fault)).or_default() += count;
        }
        sums
    }
}

/// One line for each kind: the total count, and the count of each operation.
impl fmt::Display for FaultCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, count) in self.by_kind() {
            let of_kind = self.injected.iter().filter(|(fault, _)| fault.kind == kind);
            let injected = of_kind.map(|(fault, count)| (fault.clone(), *count)).collect();
            let counts = Self { injected, ..Self::default() };
            let operations: Vec<_> =
                counts.by_operation().iter().map(|(operation, count)| format!("{operation} {count}")).collect();
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
            (FaultKind::CutAfter, "GetItem", "get-item"),
            (FaultKind::CutAfter, "PutItem", "put-item"),
            (FaultKind::CutAfter, "PutItem", "put-item"),
            (FaultKind::Throttle, "PutItem", "other"),
        ] {
            counts.count(kind, operation(name), function.to_owned());
        }
        assert_eq!(counts.by_kind(), [(FaultKind::Throttle, 1), (FaultKind::CutAfter, 3)].into());
        assert_eq!(counts.by_operation(), [(operation("GetItem"), 1), (operation("PutItem"), 3)].into());
        assert_eq!(counts.by_function()["put-item"], 2);
        let lines = counts.to_string();
        assert!(lines.contains("throttled                         1  DynamoDB.PutItem 1\n"), "{lines}");
        assert!(lines.contains("     3  DynamoDB.GetItem 1, DynamoDB.PutItem 2\n"), "{lines}");
    }
}
