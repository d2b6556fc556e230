//! Checks the templates with cfn-lint before they are deployed.

use std::path::Path;

use crate::process::{ProcessError, each_line_logged};
use crate::tools::Tools;

/// The bit of cfn-lint's exit status that is set if a template has errors.
const ERROR_BIT: i32 = 2;

/// The result of a check.
#[derive(Debug, PartialEq, Eq)]
pub struct Findings {
    /// Whether one of the findings is an error. CloudFormation would reject the template, or deploy something else than
    /// intended.
    pub has_errors: bool,
    /// The output of cfn-lint, with all errors and warnings.
    pub text: String,
}

/// Checks templates, whose paths are relative to `folder`. Writes the output to the file `log`, too.
///
/// # Errors
/// Returns an error if cfn-lint cannot be started, crashes or is interrupted.
pub fn lint(tools: &Tools, folder: &Path, templates: &[String], log: &Path) -> Result<Findings, ProcessError> {
    let mut command = tools.command("cfn-lint");
    command.args(["--non-zero-exit-code", "error", "--"]).args(templates).current_dir(folder);
    let mut text = String::new();
    let result = each_line_logged(&mut command, log, |line| {
        text.push_str(line);
        text.push('\n');
    });
    match result {
        Ok(()) => Ok(Findings { has_errors: false, text }),
        // The exit status has a bit for each level. A crash exits with 1, and a signal with no status.
        Err(ProcessError::Failed { status, .. }) if status.code().is_some_and(|code| code & ERROR_BIT != 0) => {
            Ok(Findings { has_errors: true, text })
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn returns_the_findings_of_a_template_with_errors() {
        let folder = std::env::temp_dir().join(format!("ferrite-lint-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let program = folder.join("cfn-lint");
        let script = "#!/bin/sh\neval last=\\$$#\ntest -f $last || exit 1\ngrep -q Misspelled $last || exit 0\n\
            echo E1010 $last; exit 6\n";
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.join("valid.yaml"), "Value: !GetAtt Table.Arn").unwrap();
        fs::write(folder.join("invalid.yaml"), "Value: !GetAtt Misspelled.Arn").unwrap();
        let tools = Tools::in_folder(folder.clone());
        let findings = |name: &str| lint(&tools, &folder, &[name.to_owned()], &folder.join("log"));
        let valid = findings("valid.yaml").unwrap();
        let invalid = findings("invalid.yaml").unwrap();
        let crash = findings("missing.yaml");
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(valid, Findings { has_errors: false, text: String::new() });
        assert_eq!(invalid, Findings { has_errors: true, text: "E1010 invalid.yaml\n".to_owned() });
        assert!(matches!(crash, Err(ProcessError::Failed { .. })), "{crash:?}");
    }
}
