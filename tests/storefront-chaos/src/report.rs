//! The report of a chaos run.

use std::fmt;
use std::time::Duration;

use ferrite_chaos::fault_counts::FaultCounts;

use crate::history::History;
use crate::invariants::INVARIANTS;
use crate::snapshot::Snapshot;

/// Maximum number of violations of an invariant in the displayed report.
const MAX_DISPLAYED: usize = 10;

/// The report of a chaos run.
#[derive(Debug, Clone)]
pub struct Report {
    /// Seed of the run.
    pub seed: u64,
    /// Counts of the injected faults.
    pub faults: FaultCounts,
    /// Number of events that were delivered again.
    pub duplicates: usize,
    /// Number of poison messages, items and payloads.
    pub poison: usize,
    /// Time during which faults were on.
    pub faults_duration: Duration,
    /// Time until the system had finished all work after the faults stopped.
    pub quiesce_duration: Duration,
    /// Each invariant with its violations.
    pub violations: Vec<(&'static str, Vec<String>)>,
    requests: u64,
    retries: u64,
    same: u64,
    out_of_stock: u64,
    orders: Vec<(&'static str, usize)>,
    emails: usize,
}

impl Report {
    /// Creates the report, and checks the invariants. `durations` are the times with faults on and until all work was done.
    pub(crate) fn new(
        seed: u64,
        faults: FaultCounts,
        duplicates: usize,
        durations: [Duration; 2],
        snapshot: &Snapshot,
    ) -> Self {
        let [faults_duration, quiesce_duration] = durations;
        let histories = snapshot.histories.values();
        let sum = |count: fn(&History) -> u64| histories.clone().map(count).sum();
        let count_status =
            |status: &'static str| (status, snapshot.orders.values().filter(|order| order.status == status).count());
        Self {
            seed,
            faults,
            duplicates,
            poison: snapshot.poison.len(),
            faults_duration,
            quiesce_duration,
            violations: INVARIANTS.iter().map(|invariant| (invariant.name, (invariant.violations)(snapshot))).collect(),
            requests: sum(|history| history.requests),
            retries: sum(|history| history.retries),
            same: sum(|history| history.same),
            out_of_stock: sum(|history| history.out_of_stock),
            orders: ["paid", "payment_failed", "cancelled", "pending"].map(count_status).into(),
            emails: snapshot.emails.len(),
        }
    }

    /// Total number of violations.
    #[must_use]
    pub fn violation_count(&self) -> usize {
        self.violations.iter().map(|(_, violations)| violations.len()).sum()
    }

    /// Returns whether an invariant whose name contains `part` is violated.
    #[must_use]
    pub fn violates(&self, part: &str) -> bool {
        self.violations.iter().any(|(name, violations)| name.contains(part) && !violations.is_empty())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults_seconds = self.faults_duration.as_secs_f64();
        let quiesce_seconds = self.quiesce_duration.as_secs_f64();
        let placed: usize = self.orders.iter().map(|(_, count)| count).sum();
        let orders: Vec<_> = self.orders.iter().map(|(status, count)| format!("{count} {status}")).collect();
        let injected: u64 = self.faults.by_kind().values().sum();
        writeln!(
            f,
            "seed {}: {faults_seconds:.0} s with faults, {quiesce_seconds:.0} s until all work was done",
            self.seed
        )?;
        writeln!(f, "orders     {placed} placed ({}), {} rejected as out of stock", orders.join(", "), self.out_of_stock)?;
        writeln!(
            f,
            "requests   {} with {} retries; {} repeated requests got the same response",
            self.requests, self.retries, self.same
        )?;
        writeln!(f, "e-mails    {}", self.emails)?;
        writeln!(f, "duplicates {} events delivered again in random order", self.duplicates)?;
        writeln!(f, "poison     {} messages sent", self.poison)?;
        writeln!(f, "faults     {injected} injected into {} calls\n{}", self.faults.calls, self.faults)?;
        for (name, violations) in &self.violations {
            writeln!(f, "{:>4} violations  {name}", violations.len())?;
            for violation in violations.iter().take(MAX_DISPLAYED) {
                writeln!(f, "       {violation}")?;
            }
            if violations.len() > MAX_DISPLAYED {
                writeln!(f, "       … and {} more", violations.len() - MAX_DISPLAYED)?;
            }
        }
        write!(f, "{} violations", self.violation_count())
    }
}
