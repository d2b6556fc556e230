//! Asks for the settings that an environment lacks.

use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::command::AlreadyReported;
use ferrite_local_stack::samconfig::Settings;
use ferrite_local_stack::template::Template;

use crate::missing::{Defaults, Missing, missing};
use crate::saved_settings::{Setting, save};
use crate::terminal::Terminal;

/// Asks for the settings that `settings` lack until each answer is valid, saves every answer at once, and returns the
/// complete settings.
///
/// # Errors
/// Returns an error if samconfig.toml cannot be written, or [`AlreadyReported`] if the input ends.
pub(crate) fn ask(
    terminal: &mut dyn Terminal,
    checkout: &Checkout,
    environment: &str,
    template: &Template,
    mut settings: Settings,
    defaults: &Defaults,
) -> anyhow::Result<Settings> {
    let questions = missing(template, &settings);
    if !questions.is_empty() {
        terminal.show(&format!("samconfig.toml lacks settings of {environment}. Your answers are saved there."));
    }
    let mut saved = Vec::new();
    for question in &questions {
        let default = question.default(&settings, defaults);
        let Some((setting, value)) = answer(terminal, template, question, default) else {
            terminal.show(&interruption(environment, &saved));
            return Err(AlreadyReported.into());
        };
        save(checkout, environment, &setting, &value)?;
        saved.push(setting.name().to_owned());
        match setting {
            Setting::Region => settings.region = Some(value),
            Setting::StackName => settings.stack = Some(value),
            Setting::Parameter(name) => drop(settings.parameters.insert(name, value)),
        }
    }
    Ok(settings)
}

/// Asks until the answer is valid. Returns `None` if the input ends.
fn answer(
    terminal: &mut dyn Terminal,
    template: &Template,
    question: &Missing,
    default: Option<String>,
) -> Option<(Setting, String)> {
    terminal.show("");
    terminal.show(&format!("{}: {}", question.title(), question.description(template)));
    loop {
        let prompt = default.as_ref().map_or_else(|| "> ".to_owned(), |default| format!("[{default}] > "));
        let line = terminal.read_line(&prompt)?;
        let value = if line.is_empty() { default.clone().unwrap_or_default() } else { line };
        match question.accept(template, &value) {
            Ok(setting) => return Some((setting, value)),
            Err(reason) => terminal.show(&format!("  not valid: {reason}")),
        }
    }
}

fn interruption(environment: &str, saved: &[String]) -> String {
    let saved = if saved.is_empty() { "nothing".to_owned() } else { saved.join(", ") };
    format!(
        "\nNothing was built or deployed. Saved in samconfig.toml: {saved}.\n\
         To continue with the next question, run ./scripts/deploy {environment}"
    )
}

/// The message for a run without a terminal: exactly what is missing, and where to set it. Returns `None` if nothing is
/// missing.
pub(crate) fn missing_message(environment: &str, template: &Template, settings: &Settings) -> Option<String> {
    let missing = missing(template, settings);
    let lines: Vec<_> =
        missing.iter().map(|missing| format!("\n  {}: {}", missing.line(), missing.description(template))).collect();
    (!lines.is_empty()).then(|| {
        format!(
            "[{environment}.deploy.parameters] in samconfig.toml lacks these settings; set them there, or run \
             ./scripts/deploy {environment} in a terminal to be asked for them:{}",
            lines.concat()
        )
    })
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::fs;

    use super::*;

    const TEMPLATE: &str = r#"
Parameters:
  Environment: {Type: String, Default: local}
  JwtIssuer: {Type: String, MinLength: 1, Description: Issuer of tokens.}
  JwksUrl: {Type: String, Default: ""}
"#;

    const FILE: &str = "# Comment\n[staging.deploy.parameters]\nparameter_overrides = [\"Environment=staging\"]\n";

    struct Script {
        answers: VecDeque<&'static str>,
        shown: String,
    }

    impl Terminal for Script {
        fn show(&mut self, line: &str) {
            self.shown += line;
            self.shown += "\n";
        }

        fn read_line(&mut self, prompt: &str) -> Option<String> {
            self.shown += prompt;
            self.answers.pop_front().map(str::to_owned)
        }
    }

    /// Asks with these answers, and returns the result, what was shown, and the file.
    fn run(file: &str, answers: &[&'static str]) -> (anyhow::Result<Settings>, String, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("samconfig.toml");
        fs::write(&path, file).unwrap();
        let checkout = Checkout::at(folder.path());
        let mut terminal = Script { answers: answers.iter().copied().collect(), shown: String::new() };
        let settings = Settings::read(&checkout, "staging").unwrap().unwrap();
        let defaults = Defaults { region: Some("eu-west-1".to_owned()), stack: "app-staging".to_owned() };
        let template = Template::parse(TEMPLATE).unwrap();
        let result = ask(&mut terminal, &checkout, "staging", &template, settings, &defaults);
        assert!(terminal.answers.is_empty(), "answers that were not read: {:?}", terminal.answers);
        (result, terminal.shown, fs::read_to_string(&path).unwrap())
    }

    #[test]
    fn saves_the_answers_and_accepts_defaults() {
        let (settings, _, file) = run(FILE, &["", "", "https://a.example/", ""]);
        let settings = settings.unwrap();
        assert_eq!((settings.region.as_deref(), settings.stack.as_deref()), (Some("eu-west-1"), Some("app-staging")));
        assert_eq!(settings.parameters["JwksUrl"], "https://a.example/.well-known/jwks.json");
        assert!(file.starts_with("# Comment\n"), "{file}");
        // The next run reads the same settings and asks nothing.
        let (again, shown, _) = run(&file, &[]);
        assert_eq!((again.unwrap(), shown.as_str()), (settings, ""));
    }

    #[test]
    fn asks_again_with_the_reason_until_the_answer_is_valid() {
        let answers = ["europe", "us-east-1", "My App", "app", "", "issuer", "http://keys.example", "https://keys.example"];
        let (settings, shown, _) = run(FILE, &answers);
        let settings = settings.unwrap();
        assert_eq!((settings.region.as_deref(), settings.stack.as_deref()), (Some("us-east-1"), Some("app")));
        for reason in ["code of a region", "start with a lower-case letter", "must not be empty", "starts with https://"] {
            assert!(shown.contains(reason), "{reason} is not in:\n{shown}");
        }
    }

    #[test]
    fn end_of_the_input_keeps_the_answers_and_names_the_next_command() {
        let (result, shown, file) = run(FILE, &["", "app"]);
        assert!(result.unwrap_err().is::<AlreadyReported>());
        assert!(shown.contains("Saved in samconfig.toml: region, stack_name."), "{shown}");
        assert!(shown.contains("run ./scripts/deploy staging"), "{shown}");
        let (settings, shown, _) = run(&file, &["https://a.example", ""]);
        assert_eq!(settings.unwrap().stack.as_deref(), Some("app"));
        assert!(!shown.contains("region:"), "{shown}");
    }

    #[test]
    fn message_without_a_terminal_lists_exactly_the_missing_settings() {
        let template = Template::parse(TEMPLATE).unwrap();
        let mut settings = Settings { region: Some("eu-west-1".to_owned()), ..Settings::default() };
        let message = missing_message("staging", &template, &settings).unwrap();
        for part in ["[staging.deploy.parameters]", "stack_name = ", "\"JwtIssuer=...\"", "\"JwksUrl=https://...\""] {
            assert!(message.contains(part), "{part} is not in:\n{message}");
        }
        assert!(!message.contains("region = "), "{message}");
        settings.stack = Some("app".to_owned());
        settings.parameters.insert("JwtIssuer".to_owned(), "a".to_owned());
        settings.parameters.insert("JwksUrl".to_owned(), "https://a.example".to_owned());
        assert_eq!(missing_message("staging", &template, &settings), None);
    }
}
