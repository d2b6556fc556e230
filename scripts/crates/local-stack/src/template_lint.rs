//! Checks the templates with cfn-lint before they are deployed.

use std::path::Path;

use crate::process::{ProcessError, each_line_logged};
use crate::tools::Tools;

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
/// Returns an error if cfn-lint cannot be started or is interrupted.
pub fn lint(tools: &Tools, folder: &Path, templates: &[&str], log: &Path) -> Result<Findings, ProcessError> {
    let mut command = tools.command("cfn-lint");
    command.args(["--non-zero-exit-code", "error", "--"]).args(templates).current_dir(folder);
    let mut text = String::new();
    let result = each_line_logged(&mut command, log, |line| {
        text.push_str(line);
        text.push('\n');
    });
    match result {
        Ok(()) => Ok(Findings { has_errors: false, text }),
        Err(ProcessError::Failed { .. }) => Ok(Findings { has_errors: true, text }),
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
        fs::write(&program, "#!/bin/sh\neval last=\\$$#\ngrep -q Misspelled $last || exit 0\necho E1010 $last; exit 2\n")
            .unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.join("valid.yaml"), "Value: !GetAtt Table.Arn").unwrap();
        fs::write(folder.join("invalid.yaml"), "Value: !GetAtt Misspelled.Arn").unwrap();
        let tools = Tools::in_folder(folder.clone());
        let findings = |name: &str| lint(&tools, &folder, &[name], &folder.join("log")).unwrap();
        let valid = findings("valid.yaml");
        let invalid = findings("invalid.yaml");
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(valid, Findings { has_errors: false, text: String::new() });
        assert_eq!(invalid, Findings { has_errors: true, text: "E1010 invalid.yaml\n".to_owned() });
    }
}
