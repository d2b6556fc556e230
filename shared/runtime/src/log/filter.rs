//! Which events and spans are recorded at all.

use std::path::Path;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{LevelFilter, Targets};

use crate::config::ConfigError;

/// The variable with the directives of [`Filter`].
const RUST_LOG: &str = "RUST_LOG";

/// Targets of this kit, which a team may use from a registry.
const KIT: &str = "ferrite_";

/// Reports every error and panic of a handler again, with the error's whole `Debug` form. The kit's own line has them.
const REPEATED: &str = "lambda_runtime::layers::panic";

/// Decides by target and level. The result is the same for every event of a callsite, so `tracing` asks once for each.
#[derive(Debug)]
pub(super) struct Filter {
    directives: Targets,
    own: LevelFilter,
}

impl Filter {
    /// Reads the directives of `RUST_LOG`; what they do not mention depends on whose code it is.
    ///
    /// # Errors
    /// The directives are malformed.
    pub(super) fn new(directives: Option<&str>, level: Level) -> Result<Self, ConfigError> {
        let directives = match directives {
            Some(directives) => {
                let syntax = "it must be a list of target=level, separated by commas";
                directives.parse().map_err(|_| ConfigError::malformed(RUST_LOG, syntax))?
            }
            None => Targets::new(),
        };
        // Lines below the level are recorded, too, because they are written if the invocation fails.
        Ok(Self { directives, own: LevelFilter::from(level).max(LevelFilter::DEBUG) })
    }

    pub(super) fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level(metadata)
    }

    pub(super) fn max_level(&self) -> LevelFilter {
        self.directives
            .iter()
            .map(|(_, level)| level)
            .chain(self.directives.default_level())
            .fold(self.own, LevelFilter::max)
    }

    fn level(&self, metadata: &Metadata<'_>) -> LevelFilter {
        let target = metadata.target();
        let matching = self.directives.iter().filter(|(prefix, _)| target.starts_with(prefix));
        let most_specific = matching.max_by_key(|(prefix, _)| prefix.len()).map(|(_, level)| level);
        most_specific.or(self.directives.default_level()).unwrap_or_else(|| {
            if target.starts_with(KIT) || is_in_workspace(metadata.file()) {
                self.own
            } else if target == REPEATED {
                LevelFilter::OFF
            } else {
                LevelFilter::WARN
            }
        })
    }
}

/// Whether code is a member of the workspace that was built. Cargo compiles members with paths relative to the workspace,
/// and dependencies with absolute ones.
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
            unreachable!("nothing registers it")
        }
    }

    /// The levels that are recorded of the events of a target in a file.
    fn recorded(directives: Option<&str>, level: Level, target: &str, file: &str) -> Vec<Level> {
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
        let (warn, debug) = (vec![Level::ERROR, Level::WARN], vec![Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG]);
        for (target, file, levels) in [
            ("place_order::handler", MEMBER, &debug),
            ("audit", MEMBER, &debug),
            ("ferrite_runtime::batch", DEPENDENCY, &debug),
            ("hyper::client", DEPENDENCY, &warn),
            (REPEATED, DEPENDENCY, &vec![]),
        ] {
            assert_eq!(recorded(None, Level::INFO, target, file), *levels, "{target}");
            assert_eq!(recorded(None, Level::ERROR, target, file), *levels, "{target}");
        }
        assert_eq!(recorded(None, Level::TRACE, "place_order", MEMBER).len(), 5);
    }

    #[test]
    fn the_most_specific_directive_decides() {
        let directives = Some("hyper=debug,hyper::client=error,place_order=off");
        assert_eq!(recorded(directives, Level::INFO, "hyper::client", DEPENDENCY), [Level::ERROR]);
        assert_eq!(recorded(directives, Level::INFO, "hyper::server", DEPENDENCY).len(), 4);
        assert_eq!(recorded(directives, Level::INFO, "place_order::handler", MEMBER), [] as [Level; 0]);
        assert_eq!(recorded(directives, Level::INFO, "audit", MEMBER).len(), 4);
        assert_eq!(recorded(Some("info"), Level::INFO, "hyper::client", DEPENDENCY).len(), 3);
    }

    #[test]
    fn names_the_variable_of_malformed_directives() {
        let error = Filter::new(Some("hyper=loud"), Level::INFO).unwrap_err().to_string();
        assert!(error.starts_with("the environment variable RUST_LOG cannot be used"), "{error}");
    }
}
