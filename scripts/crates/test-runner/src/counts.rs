//! Counts of passed, failed and skipped tests, read from the output of test runners.

use std::fmt;
use std::ops::AddAssign;

/// Tests by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Passed.
    pub passed: usize,
    /// Failed.
    pub failed: usize,
    /// Skipped (`#[ignore]`, `unittest.skip`).
    pub skipped: usize,
}

impl Counts {
    /// Reads the last line of libtest: `test result: ok. 5 passed; 0 failed; 1 ignored; …`.
    #[must_use]
    pub fn of_libtest(line: &str) -> Option<Self> {
        let (_, counts) = line.split_once("test result: ")?;
        let count = |label: &str| number_before(counts, label);
        Some(Self { passed: count(" passed")?, failed: count(" failed")?, skipped: count(" ignored")? })
    }

    /// Reads the output of Python's unittest: `Ran 7 tests in 1.2s`, then `OK (skipped=1)` or
    /// `FAILED (failures=1, errors=2)`.
    #[must_use]
    pub fn of_unittest(output: &str) -> Option<Self> {
        let mut lines = output.lines().rev();
        let summary = lines.find(|line| line.starts_with("OK") || line.starts_with("FAILED"))?;
        let ran = lines.find(|line| line.starts_with("Ran "))?;
        let count = |label: &str| number_after(summary, label).unwrap_or(0);
        let failed = count("failures=") + count("errors=") + count("unexpected successes=");
        let skipped = count("skipped=");
        Some(Self { passed: number_after(ran, "Ran ")?.saturating_sub(failed + skipped), failed, skipped })
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(out, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

fn number_before(text: &str, label: &str) -> Option<usize> {
    let (before, _) = text.split_once(label)?;
    before.rsplit(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

fn number_after(text: &str, label: &str) -> Option<usize> {
    let (_, after) = text.split_once(label)?;
    after.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: usize, failed: usize, skipped: usize) -> Option<Counts> {
        Some(Counts { passed, failed, skipped })
    }

    #[test]
    fn reads_libtests_last_line_with_and_without_color() {
        let plain = "test result: ok. 12 passed; 0 failed; 2 ignored; 0 measured; 3 filtered out; finished in 0.01s";
        let colored = "test result: \u{1b}[31mFAILED\u{1b}[0m. 1 passed; 4 failed; 0 ignored; 0 measured";
        assert_eq!(Counts::of_libtest(plain), counts(12, 0, 2));
        assert_eq!(Counts::of_libtest(colored), counts(1, 4, 0));
        assert_eq!(Counts::of_libtest("test a_result ... ok"), None);
    }

    #[test]
    fn reads_unittests_summary() {
        let failed = "E..F\nRan 9 tests in 0.1s\n\nFAILED (failures=1, errors=2, skipped=3)\n";
        assert_eq!(Counts::of_unittest(failed), counts(3, 3, 3));
        assert_eq!(Counts::of_unittest("Ran 4 tests in 0.1s\n\nOK\n"), counts(4, 0, 0));
        assert_eq!(Counts::of_unittest("Traceback"), None);
    }

    #[test]
    fn mentions_skipped_tests_if_there_are_any() {
        assert_eq!(counts(3, 1, 0).unwrap().to_string(), "3 passed, 1 failed");
        assert_eq!(counts(3, 0, 2).unwrap().to_string(), "3 passed, 0 failed, 2 skipped");
    }
}
