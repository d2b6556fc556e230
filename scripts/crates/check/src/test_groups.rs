//! Runs the test binaries that have the same requirements.

use std::process::Command;

use ferrite_local_stack::command::AlreadyReported;
use ferrite_local_stack::console::{report, step};
use ferrite_local_stack::process::{check_interrupted, interrupted};
use ferrite_test_runner::binaries::{Needs, TestBinary};
use ferrite_test_runner::counts::Counts;

use crate::options::Options;
use crate::progress::Progress;

/// Runs the binaries with the requirement `needs`, except the tests in `skipped`. `prepare` sets the environment.
///
/// # Errors
/// Returns an error only after an interrupt. Failures are added to `progress`.
pub(crate) fn run_group(
    options: &Options,
    progress: &mut Progress,
    title: &str,
    binaries: &[TestBinary],
    needs: Needs,
    skipped: &[String],
    prepare: impl Fn(&mut Command),
) -> anyhow::Result<()> {
    let mut total = Counts::default();
    let mut failed = Vec::new();
    // The step only prints its outcome. Failures are added below.
    let _ = step(title, || {
        let is_skipped = |binary: &TestBinary| skipped.iter().any(|name| binary.name.ends_with(&format!("/{name}")));
        for binary in binaries.iter().filter(|binary| binary.needs == needs && !is_skipped(binary)) {
            match binary.run(options.filter.as_deref(), skipped, &prepare) {
                Ok(counts) if counts.failed > 0 => failed.push((binary.name.clone(), counts)),
                Ok(counts) => total += counts,
                Err(error) if interrupted() => return Err(anyhow::Error::from(error)),
                Err(error) => {
                    report(&format!("  {:#}", anyhow::Error::from(error)));
                    failed.push((binary.name.clone(), Counts { failed: 1, ..Counts::default() }));
                }
            }
        }
        let mut all = total;
        failed.iter().for_each(|(_, counts)| all += *counts);
        report(&format!("  {all}"));
        if failed.is_empty() { Ok(()) } else { Err(AlreadyReported.into()) }
    });
    check_interrupted()?;
    progress.totals += total;
    for (name, counts) in failed {
        progress.add_failed(&format!("{title}: {name}"), counts);
    }
    Ok(())
}
