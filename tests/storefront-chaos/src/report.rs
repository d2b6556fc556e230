//! The report of a chaos run.

use std::fmt;
use std::time::Duration;

use ferrite_chaos::fault_counts::FaultCounts;

use crate::history::History;
use crate::invariants::INVARIANTS;
use crate::snapshot::Snapshot;

/// At most this many violations of an invariant are shown.
const SHOWN: usize = 10;

/// The report of a chaos run.
#[derive(Debug, Clone)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// The faults.
    pub faults: FaultCounts,
    /// How many events were delivered again.
    pub duplicates: usize,
    /// How many poison messages, items and payloads were planted.
    pub poison: usize,
    /// How long customers bought, and how long the system took to finish all work.
    pub took: [Duration; 2],
    /// Each invariant with its violations.
    pub violations: Vec<(&'static str, Vec<String>)>,
    requests: u64,
    retries: u64,
    same: u64,
    out_of_stock: u64,
    orders: Vec<(&'static str, usize)>,
    mails: usize,
}

impl Report {
    pub(crate) fn of(seed: u64, faults: FaultCounts, duplicates: usize, took: [Duration; 2], snapshot: &Snapshot) -> Self {
        let histories = snapshot.histories.values();
        let sum = |of: fn(&History) -> u64| histories.clone().map(of).sum();
        let with = |status: &'static str| (status, snapshot.orders.values().filter(|order| order.status == status).count());
        Self {
            seed,
            faults,
            duplicates,
            poison: snapshot.poison.len(),
            took,
            violations: INVARIANTS.iter().map(|invariant| (invariant.name, (invariant.violations)(snapshot))).collect(),
            requests: sum(|history| history.requests),
            retries: sum(|history| history.retries),
            same: sum(|history| history.same),
            out_of_stock: sum(|history| history.out_of_stock),
            orders: ["paid", "payment_failed", "cancelled", "pending"].map(with).into(),
            mails: snapshot.mails.len(),
        }
    }

    /// How many violations there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.violations.iter().map(|(_, violations)| violations.len()).sum()
    }

    /// Whether an invariant whose name contains `part` is violated.
    #[must_use]
    pub fn violates(&self, part: &str) -> bool {
        self.violations.iter().any(|(name, violations)| name.contains(part) && !violations.is_empty())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [faults_on, quiesce] = self.took.map(|took| took.as_secs_f64());
        let placed: usize = self.orders.iter().map(|(_, count)| count).sum();
        let orders: Vec<_> = self.orders.iter().map(|(status, count)| format!("{count} {status}")).collect();
        let injected: u64 = self.faults.by_kind().values().sum();
        writeln!(f, "seed {}: {faults_on:.0} s of faults, {quiesce:.0} s until all work was done", self.seed)?;
        writeln!(f, "orders     {placed} placed ({}), {} rejected as out of stock", orders.join(", "), self.out_of_stock)?;
        writeln!(
            f,
            "requests   {}, sent again {} times; {} repeats with the same response",
            self.requests, self.retries, self.same
        )?;
        writeln!(f, "e-mails    {}", self.mails)?;
        writeln!(f, "duplicates {} events delivered again, out of order", self.duplicates)?;
        writeln!(f, "poison     {} planted", self.poison)?;
        writeln!(f, "faults     {injected} in {} calls\n{}", self.faults.calls, self.faults)?;
        for (name, violations) in &self.violations {
            writeln!(f, "{:>4} violations  {name}", violations.len())?;
            for violation in violations.iter().take(SHOWN) {
                writeln!(f, "       {violation}")?;
            }
            if violations.len() > SHOWN {
                writeln!(f, "       … and {} more", violations.len() - SHOWN)?;
            }
        }
        write!(f, "{} violations", self.count())
    }
}
