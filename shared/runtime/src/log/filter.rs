//! The filter that decides which events and spans are recorded.

use std::path::Path;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{LevelFilter, Targets};

use crate::config::ConfigError;

/// The environment variable that contains the directives of [`Filter`].
const RUST_LOG: &str = "RUST_LOG";

/// Target prefix of this kit's crates. Projects that use them from a registry do not have them in their workspace.
const KIT_PREFIX: &str = "ferrite_";

/// A target of `lambda_runtime` that logs every error and panic of a handler with its full `Debug` output. It is
/// disabled because the kit's own log line contains the error.
const RUNTIME_PANIC_TARGET: &str = "lambda_runtime::layers::panic";

/// Filters by target and level. The result is the same for every event of a callsite, so `tracing` caches it per
/// callsite.
#[derive(Debug)]
pub(super) struct Filter {
    directives: Targets,
    own_level: LevelFilter,
}

impl Filter {
    /// Parses the directives of `RUST_LOG`. Targets that they do not list get the default level for their crate:
    /// `level` for the workspace and this kit, `WARN` for dependencies.
    ///
    /// # Errors
    /// Returns an error if the directives are invalid.
    pub(super) fn new(directives: Option<&str>, level: Level) -> Result<Self, ConfigError> {
        let directives = match directives {
            Some(directives) => {
                let syntax = "it must be a comma-separated list of target=level";
                directives.parse().map_err(|_| ConfigError::invalid(RUST_LOG, syntax))?
            }
            None => Targets::new(),
        };
        // Events below the level are also recorded, because they are written if the invocation fails.
        Ok(Self { directives, own_level: LevelFilter::from(level).max(LevelFilter::DEBUG) })
    }

    pub(super) fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level(metadata)
    }

    pub(super) fn max_level(&self) -> LevelFilter {
        self.directives
            .iter()
            .map(|(_, level)| level)
            .chain(self.directives.default_level())
            .fold(self.own_level, LevelFilter::max)
    }

    fn level(&self, metadata: &Metadata<'_>) -> LevelFilter {
        let target = metadata.target();
        let matching = self.directives.iter().filter(|(prefix, _)| target.starts_with(prefix));
        let most_specific = matching.max_by_key(|(prefix, _)| prefix.len()).map(|(_, level)| level);
        most_specific.or(self.directives.default_level()).unwrap_or_else(|| {
            if target.starts_with(KIT_PREFIX) || is_in_workspace(metadata.file()) {
                self.own_level
            } else if target == RUNTIME_PANIC_TARGET {
                LevelFilter::OFF
            } else {
                LevelFilter::WARN
            }
        })
    }
}

/// Whether a source file belongs to a workspace member. Cargo compiles workspace members with relative paths, and
/// dependencies with absolute paths.
fn is_in_workspace(file: Option<&str>) -> bool {
    file.is_some_and(|file| Path::new(file).is_relative())
}

#[cfg(test)]
mod tests {
    use tracing::Callsite;
    use tracing::field::FieldSet;
    use tracing::metadata::Kind;
    use tracing::subscriber::Interest;

    use super::*;

    struct NoCallsite;

    impl Callsite for NoCallsite {
        fn set_interest(&self, _: Interest) {}

        fn metadata(&self) -> &Metadata<'_> {
            unreachable!("the callsite is never registered")
        }
    }

    /// Returns the levels at which events with this target and source file are recorded.
    fn recorded_levels(directives: Option<&str>, level: Level, target: &str, file: &str) -> Vec<Level> {
        let filter = Filter::new(directives, level).unwrap();
        let fields = || FieldSet::new(&[], tracing::callsite::Identifier(&NoCallsite));
        let metadata = |level| Metadata::new("event", target, level, Some(file), None, None, fields(), Kind::EVENT);
        let levels = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];
        levels.into_iter().filter(|level| filter.enabled(&metadata(*level))).collect()
    }

    const MEMBER: &str = "functions/write-note/src/handler.rs";
    const DEPENDENCY: &str = "/cargo/registry/src/index/hyper-1.12.0/src/client.rs";

    #[test]
    fn records_dependencies_from_warn_and_the_workspace_from_debug() {
        let warn = vec![Level::ERROR, Level::WARN];
        let debug = vec![Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG];
        for (target, file, levels) in [
            ("write_note::handler", MEMBER, &debug),
            ("audit", MEMBER, &debug),
            ("ferrite_runtime::batch", DEPENDENCY, &debug),
            ("hyper::client", DEPENDENCY, &warn),
            (RUNTIME_PANIC_TARGET, DEPENDENCY, &vec![]),
        ] {
            assert_eq!(recorded_levels(None, Level::INFO, target, file), *levels, "{target}");
            assert_eq!(recorded_levels(None, Level::ERROR, target, file), *levels, "{target}");
        }
        assert_eq!(recorded_levels(None, Level::TRACE, "write_note", MEMBER).len(), 5);
    }

    #[test]
    fn applies_the_most_specific_directive() {
        let directives = Some("hyper=debug,hyper::client=error,write_note=off");
        assert_eq!(recorded_levels(directives, Level::INFO, "hyper::client", DEPENDENCY), [Level::ERROR]);
        assert_eq!(recorded_levels(directives, Level::INFO, "hyper::server", DEPENDENCY).len(), 4);
        assert_eq!(recorded_levels(directives, Level::INFO, "write_note::handler", MEMBER), [] as [Level; 0]);
        assert_eq!(recorded_levels(directives, Level::INFO, "audit", MEMBER).len(), 4);
        assert_eq!(recorded_levels(Some("info"), Level::INFO, "hyper::client", DEPENDENCY).len(), 3);
    }

    #[test]
    fn names_the_variable_when_directives_are_malformed() {
        let error = Filter::new(Some("hyper=loud"), Level::INFO).unwrap_err().to_string();
        assert!(error.starts_with("the environment variable RUST_LOG is not valid"), "{error}");
    }
}
