//! What a storm was, and what it found.

use std::fmt;
use std::time::Duration;

use super::books::Books;
use super::invariants::INVARIANTS;
use crate::Tally;

/// At most this many violations of one promise are shown.
const SHOWN: usize = 10;

/// What a storm was, and what it found.
#[derive(Debug, Clone)]
pub struct Report {
    /// What it was drawn from.
    pub seed: u64,
    /// The faults.
    pub tally: Tally,
    /// How many events were delivered once more.
    pub duplicates: usize,
    /// How many poison messages, items and payloads were planted.
    pub poison: usize,
    /// How long customers bought, and how long the system took to come to rest.
    pub took: [Duration; 2],
    /// Each promise with what breaks it.
    pub violations: Vec<(&'static str, Vec<String>)>,
    requests: u64,
    retries: u64,
    same: u64,
    refused: u64,
    orders: Vec<(&'static str, usize)>,
    mails: usize,
}

impl Report {
    pub(super) fn of(seed: u64, tally: Tally, duplicates: usize, took: [Duration; 2], books: &Books) -> Self {
        let diaries = books.diaries.values();
        let sum = |of: fn(&super::customer::Diary) -> u64| diaries.clone().map(of).sum();
        let with = |status: &'static str| (status, books.orders.values().filter(|order| order.status == status).count());
        Self {
            seed,
            tally,
            duplicates,
            poison: books.poison.len(),
            took,
            violations: INVARIANTS.iter().map(|promise| (promise.name, (promise.violations)(books))).collect(),
            requests: sum(|diary| diary.requests),
            retries: sum(|diary| diary.retries),
            same: sum(|diary| diary.same),
            refused: sum(|diary| diary.refused),
            orders: ["paid", "payment_failed", "cancelled", "pending"].map(with).into(),
            mails: books.mails.len(),
        }
    }

    /// How many violations there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.violations.iter().map(|(_, violations)| violations.len()).sum()
    }

    /// Whether a promise whose name contains `part` is broken.
    #[must_use]
    pub fn breaks(&self, part: &str) -> bool {
        self.violations.iter().any(|(name, violations)| name.contains(part) && !violations.is_empty())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [storm, rest] = self.took.map(|took| took.as_secs_f64());
        let placed: usize = self.orders.iter().map(|(_, count)| count).sum();
        let orders: Vec<_> = self.orders.iter().map(|(status, count)| format!("{count} {status}")).collect();
        let faults: u64 = self.tally.by_kind().values().sum();
        writeln!(f, "seed {}: {storm:.0} s of storm, {rest:.0} s until all was at rest", self.seed)?;
        writeln!(f, "orders     {placed} placed ({}), {} refused for want of stock", orders.join(", "), self.refused)?;
        writeln!(
            f,
            "requests   {}, sent again {} times; {} repeats answered the same",
            self.requests, self.retries, self.same
        )?;
        writeln!(f, "e-mails    {}", self.mails)?;
        writeln!(f, "duplicates {} events delivered again, out of order", self.duplicates)?;
        writeln!(f, "poison     {} planted", self.poison)?;
        writeln!(f, "faults     {faults} in {} calls\n{}", self.tally.calls, self.tally)?;
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
