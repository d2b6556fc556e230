//! Renders the code and the resources of a function from the files in the folder `templates`.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde_json::Value;

/// All templates by their paths in the folder.
const TEMPLATES: [(&str, &str); 22] = [
    ("Cargo.toml", include_str!("../templates/Cargo.toml.jinja")),
    ("template/function.yaml", include_str!("../templates/template/function.yaml.jinja")),
    ("template/consumer.yaml", include_str!("../templates/template/consumer.yaml.jinja")),
    ("template/queue.yaml", include_str!("../templates/template/queue.yaml.jinja")),
    ("template/outputs.yaml", include_str!("../templates/template/outputs.yaml.jinja")),
    ("route/main.rs", include_str!("../templates/route/main.rs.jinja")),
    ("route/handler.rs", include_str!("../templates/route/handler.rs.jinja")),
    ("route/operation.rs", include_str!("../templates/route/operation.rs.jinja")),
    ("route/responses.snap", include_str!("../templates/route/responses.snap.jinja")),
    ("route/test.rs", include_str!("../templates/route/test.rs.jinja")),
    ("event/main.rs", include_str!("../templates/event/main.rs.jinja")),
    ("event/handler.rs", include_str!("../templates/event/handler.rs.jinja")),
    ("event/test.rs", include_str!("../templates/event/test.rs.jinja")),
    ("schedule/main.rs", include_str!("../templates/schedule/main.rs.jinja")),
    ("schedule/handler.rs", include_str!("../templates/schedule/handler.rs.jinja")),
    ("schedule/test.rs", include_str!("../templates/schedule/test.rs.jinja")),
    ("upload/main.rs", include_str!("../templates/upload/main.rs.jinja")),
    ("upload/handler.rs", include_str!("../templates/upload/handler.rs.jinja")),
    ("upload/test.rs", include_str!("../templates/upload/test.rs.jinja")),
    ("stream/main.rs", include_str!("../templates/stream/main.rs.jinja")),
    ("stream/handler.rs", include_str!("../templates/stream/handler.rs.jinja")),
    ("stream/test.rs", include_str!("../templates/stream/test.rs.jinja")),
];

/// Renders templates with the values of one function.
pub(crate) struct Renderer {
    environment: Environment<'static>,
    values: Value,
}

impl Renderer {
    /// Creates a renderer with these values.
    ///
    /// # Errors
    /// Returns an error if a template has a syntax error.
    pub(crate) fn new(values: Value) -> anyhow::Result<Self> {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()?;
        environment.set_syntax(syntax);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        // A misspelled value is an error, not an empty text.
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, text) in TEMPLATES {
            environment.add_template(name, text)?;
        }
        Ok(Self { environment, values })
    }

    /// Renders the template with this path, such as `route/handler.rs`.
    ///
    /// # Errors
    /// Returns an error if the template uses a value that is not set.
    pub(crate) fn render(&self, name: &str) -> anyhow::Result<String> {
        let template = self.environment.get_template(name)?;
        template.render(Serde(&self.values)).with_context(|| format!("the template {name}"))
    }
}

/// Formats Rust code as `cargo fmt` does in the project.
///
/// # Errors
/// Returns an error if rustfmt is not installed or cannot parse the code.
pub(crate) fn rustfmt(root: &Path, code: &str) -> anyhow::Result<String> {
    let mut command = Command::new("rustfmt");
    command.args(["--edition", "2024", "--emit", "stdout", "--quiet", "--config-path"]).arg(root);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run rustfmt; install it with: rustup component add rustfmt")?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(code.as_bytes()).context("cannot pass the code to rustfmt")?;
    }
    let output = child.wait_with_output().context("cannot run rustfmt")?;
    if !output.status.success() {
        bail!("rustfmt failed ({}) on this code:\n{code}", output.status);
    }
    String::from_utf8(output.stdout).context("the output of rustfmt is not UTF-8")
}
