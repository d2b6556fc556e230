//! The running stack of `./scripts/dev`, and the edits that are deployed to it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fs;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, anyhow, bail};
use ferrite_application_tools::demo::{self, Demo, DemoError, USER};
use ferrite_aws_client::client::AwsClient;
use ferrite_aws_client::endpoint::Target;
use ferrite_local_stack::change_set::{ChangeSet, stack_outputs};
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::command::AlreadyReported;
use ferrite_local_stack::console::{format_duration, report, step};
use ferrite_local_stack::emulator::{Emulator, EmulatorKind, InstalledEmulator, functions_log};
use ferrite_local_stack::files::{at, delete_if_exists};
use ferrite_local_stack::functions::{build, functions};
use ferrite_local_stack::logs;
use ferrite_local_stack::package;
use ferrite_local_stack::process::{check_interrupted, interrupted};
use ferrite_local_stack::samconfig::Section;
use ferrite_local_stack::sources::{changed_since_deployment, delete_record, record_deployed};
use ferrite_local_stack::stack::{host_architecture, output};
use ferrite_local_stack::staging::{Candidate, Staging};
use ferrite_local_stack::template::Template;
use ferrite_local_stack::template_lint::{Findings, lint};
use ferrite_local_stack::tools::{DEPLOY_TOOLS, Tools, install};
use ferrite_token_issuer::issuer::Issuer;

use crate::token::{Bearer, mint};
use crate::update::{Functions, Outcome};
use crate::watch::{Edit, Sources};

/// What is built and installed before the stack can run.
pub(crate) struct Prepared {
    tools: Tools,
    /// The time at which the build has read the sources.
    as_of: SystemTime,
    /// The functions whose code has changed since the last run.
    changed: Vec<String>,
    templates: Candidate,
}

/// The running stack and what is needed to update it.
pub(crate) struct Session<'a> {
    checkout: &'a Checkout,
    run_folder: PathBuf,
    config: Section,
    staging: Staging,
    target: Target,
    tools: Tools,
    issuer: Issuer,
    /// The edits that are not deployed, because the code does not compile or the deployment of the template has failed.
    pending: Cell<Edit>,
    /// Whether cfn-lint has rejected the template. Only another edit of the template can fix it.
    is_rejected: Cell<bool>,
    /// The functions whose staged code is not confirmed to run.
    unconfirmed: RefCell<BTreeSet<String>>,
}

impl Prepared {
    /// Builds the functions, and installs the tools and the emulator. Checks the templates, except those that are deployed.
    ///
    /// Everything runs in parallel: the installation is limited by the network, and the build by the CPU.
    ///
    /// # Errors
    /// Returns an error if a part fails, or if the template has errors.
    pub(crate) fn new(
        checkout: &Checkout,
        run_folder: &Path,
        kind: EmulatorKind,
    ) -> anyhow::Result<(Self, InstalledEmulator)> {
        let staging = Staging::open(run_folder)?;
        let templates = staging.copy_candidate(checkout)?;
        thread::scope(|scope| {
            let tools = scope.spawn(|| {
                let tools = install(checkout, &DEPLOY_TOOLS)?;
                let findings = lint_templates(run_folder, &tools, &templates)?;
                anyhow::Ok((tools, findings))
            });
            let emulator = scope.spawn(|| kind.install(checkout));
            let as_of = SystemTime::now();
            let names = functions(checkout)?;
            let changed = step(&format!("Building {} functions", names.len()), || {
                anyhow::Ok(staging.put_launchers(&build(checkout, &names)?)?)
            })?;
            let (tools, findings) = tools.join().unwrap_or_else(|panic| resume_unwind(panic))?;
            let emulator = emulator.join().unwrap_or_else(|panic| resume_unwind(panic))?;
            check_interrupted()?;
            findings.into_iter().try_for_each(report_findings)?;
            Ok((Self { tools, as_of, changed, templates: templates.clone() }, emulator))
        })
    }
}

impl<'a> Session<'a> {
    /// Deploys the stack to the emulator on `port`, unless it is deployed already, and prints how to use it.
    ///
    /// # Errors
    /// Returns an error if the deployment fails.
    pub(crate) fn start(checkout: &'a Checkout, run_folder: PathBuf, port: u16, prepared: Prepared) -> anyhow::Result<Self> {
        let session = Self {
            checkout,
            config: Section::load(checkout, "local")?,
            staging: Staging::open(&run_folder)?,
            run_folder,
            target: Target::local(port),
            tools: prepared.tools,
            issuer: Issuer::open(&checkout.keys_folder())?,
            pending: Cell::new(Edit::default()),
            is_rejected: Cell::new(false),
            unconfirmed: RefCell::new(BTreeSet::new()),
        };
        let started = Instant::now();
        session.unconfirmed.borrow_mut().extend(prepared.changed);
        let templates = prepared.templates;
        let deployed = if templates.changed().is_empty() { session.deployed_api_url()? } else { None };
        let api = match deployed {
            Some(api) => api,
            None => step(&format!("Deploying template.yaml as {}", session.config.stack), || {
                session.execute(session.create_change_set(&templates)?, &templates, started)
            })?,
        };
        session.confirm(started)?;
        session.save(prepared.as_of)?;
        session.print_instructions(&api)?;
        Ok(session)
    }

    /// Returns the URL of the API if the emulator has the stack, and nothing has changed since its deployment.
    fn deployed_api_url(&self) -> anyhow::Result<Option<String>> {
        let deployed = fs::read_to_string(self.fingerprint_file()).unwrap_or_default();
        if deployed != self.fingerprint()? {
            return Ok(None);
        }
        // The emulator starts empty if it was killed before it could save its state.
        let outputs = stack_outputs(&self.target, &self.config.stack)?;
        // A stack without outputs is what a failed creation has left behind.
        Ok(outputs.and_then(|outputs| output(&outputs, "ApiUrl").ok().map(str::to_owned)))
    }

    /// Returns a text that changes with the template, its parameters, the issuer's keys and the code.
    fn fingerprint(&self) -> anyhow::Result<String> {
        Ok(format!("{:?}\n{}\n{}", self.config, self.issuer.jwks(), self.staging.fingerprint()?))
    }

    /// The file with the fingerprint of the deployed stack.
    fn fingerprint_file(&self) -> PathBuf {
        self.run_folder.join("deployed")
    }

    /// Records that the stack has all changes before `as_of`, unless an edit is pending.
    fn save(&self, as_of: SystemTime) -> anyhow::Result<()> {
        if self.pending.get() != Edit::default() {
            return Ok(());
        }
        let file = self.fingerprint_file();
        fs::write(&file, self.fingerprint()?).map_err(at(&file))?;
        Ok(record_deployed(self.checkout, as_of)?)
    }

    /// Deletes the records of the deployment before the stack changes, so that nothing uses a stack that is changed only in
    /// part.
    fn delete_records(&self) -> anyhow::Result<()> {
        delete_if_exists(&self.fingerprint_file())?;
        Ok(delete_record(self.checkout)?)
    }

    fn aws(&self) -> AwsClient {
        AwsClient::new(self.target.clone())
    }

    /// Uploads the template and the staged code. The stack is unchanged until [`Self::execute`].
    fn create_change_set(&self, templates: &Candidate) -> anyhow::Result<ChangeSet> {
        let aws = self.aws();
        aws.put_parameter(self.config.parameter("JwksParameter")?, &self.issuer.jwks())?;
        let template = package::upload(&aws, templates.folder(), &self.staging)?;
        let mut parameters = self.config.parameters.clone();
        parameters.insert("Architecture".to_owned(), host_architecture().to_owned());
        Ok(ChangeSet::create(&aws, &self.config.stack, &template, &parameters)?)
    }

    /// Executes a change set for `templates`, and returns the URL of the API.
    fn execute(&self, change_set: ChangeSet, templates: &Candidate, started: Instant) -> anyhow::Result<String> {
        let removed = self.removed_functions(templates)?;
        self.delete_records()?;
        if let Err(error) = change_set.execute(&self.aws()) {
            self.update_all(started);
            return Err(error.into());
        }
        self.staging.accept(templates)?;
        for name in &removed {
            // If it is added again, its code is new to the stack.
            self.staging.delete(name)?;
            self.unconfirmed.borrow_mut().remove(name);
        }
        if !removed.is_empty() {
            report(&format!("removed: {}", removed.join(", ")));
        }
        let outputs = stack_outputs(&self.target, &self.config.stack)?.context("the stack has just been deleted")?;
        Ok(output(&outputs, "ApiUrl")?.to_owned())
    }

    /// The functions of the deployed template that `templates` no longer has.
    fn removed_functions(&self, templates: &Candidate) -> anyhow::Result<Vec<String>> {
        let names = |template: &Path| {
            let functions = Template::read(template)?.functions()?.into_iter();
            anyhow::Ok(functions.map(|function| function.name).collect::<BTreeSet<_>>())
        };
        let remaining = names(&templates.folder().join("template.yaml"))?;
        // Before the first deployment, there is no deployed template.
        let deployed = names(&self.staging.template()).unwrap_or_default();
        Ok(deployed.difference(&remaining).cloned().collect())
    }

    fn mint(&self, bearer: &Bearer) -> String {
        mint(&self.issuer, bearer)
    }

    /// Loads the demo data, and prints the API's URL, tokens, and sample requests.
    fn print_instructions(&self, api: &str) -> anyhow::Result<()> {
        let admin = self.mint(&Bearer::Admin);
        let user = self.mint(&Bearer::User(USER.to_owned()));
        // Only report a failure: the developer may have started the stack to fix the API.
        let demo = step("Loading the demo data", || demo::load(api, &admin, &user, self.checkout.root()));
        check_interrupted()?;
        self.print_requests(api, &admin, &user, demo)
    }

    fn print_requests(&self, api: &str, admin: &str, user: &str, demo: Result<Demo, DemoError>) -> anyhow::Result<()> {
        // curl reads the headers from files, so that the commands are short and the shell history contains no tokens.
        let header = |name: &str, token: &str| {
            let path = self.run_folder.join(format!("{name}.header"));
            fs::write(&path, format!("authorization: Bearer {token}\n")).map_err(at(&path))?;
            anyhow::Ok(format!("-H @'{}'", path.display()))
        };
        let admin_header = header("admin", admin)?;
        let user_header = header("user", user)?;
        report(&format!("\nAPI URL:     {api}\nAdmin token: {admin}\nUser token:  {user}\n"));
        match demo {
            Ok(demo) => report(&demo.requests(api, &admin_header, &user_header)),
            Err(error) => report(&format!("warning: cannot load the demo data: {:#}", anyhow!(error))),
        }
        Ok(())
    }

    /// Deploys every edit until an interrupt.
    ///
    /// # Errors
    /// Returns an error if the sources cannot be watched, or if the emulator exits. A failed deployment is only printed.
    pub(crate) fn watch(&self, emulator: &mut Emulator) -> anyhow::Result<()> {
        let sources = Sources::watch(self.checkout).context("cannot watch the source files")?;
        logs::follow(&functions_log(&self.run_folder), &self.config.stack);
        report("\nWatching functions/, shared/, infra/ and template.yaml for changes. Press Ctrl-C to stop.\n");
        // An edit while the stack was starting.
        let is_changed = changed_since_deployment(self.checkout)?.is_some();
        let mut next = is_changed.then_some(Edit { code: true, template: true });
        while !interrupted() {
            emulator.check()?;
            let Some(edit) = next.take().or_else(|| sources.next(Duration::from_millis(250))) else {
                continue;
            };
            match self.apply(edit) {
                Err(error) if !interrupted() => {
                    if !error.is::<AlreadyReported>() {
                        report(&format!("error: {error:#}"));
                    }
                    report("The previous version is still running.");
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Builds and deploys what an edit has changed.
    fn apply(&self, edit: Edit) -> anyhow::Result<()> {
        let started = Instant::now();
        let as_of = SystemTime::now();
        self.pending.set(self.pending.get().merge(edit));
        self.is_rejected.set(self.is_rejected.get() && !edit.template);
        if !self.pending.get().template || self.is_rejected.get() {
            self.build()?;
            self.update(started)?;
            return self.save(as_of);
        }
        let (run_folder, tools) = (&self.run_folder, &self.tools);
        let templates = &self.staging.copy_candidate(self.checkout)?;
        // The change set does not depend on the findings, but is executed only if there are no errors.
        let (change_set, findings) = thread::scope(|scope| {
            let findings = scope.spawn(move || lint_templates(run_folder, tools, templates));
            let change_set = self.prepare_change_set(edit, templates);
            (change_set, findings.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        if let Some(findings) = findings?
            && let Err(error) = report_findings(findings)
        {
            self.is_rejected.set(true);
            if let Ok(change_set) = change_set {
                // The developer needs the findings. A change set that stays has no effect.
                let _ = change_set.delete(&self.aws());
            }
            return Err(error);
        }
        let api = self.execute(change_set?, templates, started)?;
        self.pending.set(Edit { template: false, ..self.pending.get() });
        report(&format!("deployed template.yaml in {}: {api}", format_duration(started.elapsed())));
        self.confirm(started)?;
        self.save(as_of)
    }

    /// Builds what the template needs, and creates the change set.
    fn prepare_change_set(&self, edit: Edit, templates: &Candidate) -> anyhow::Result<ChangeSet> {
        let template = Template::read(&templates.folder().join("template.yaml"))?;
        let is_built = |function: &str| self.staging.version(function).is_some();
        if edit.code || !template.functions()?.iter().all(|function| is_built(&function.name)) {
            self.build()?;
        }
        self.create_change_set(templates)
    }

    /// Builds the functions, and stages those whose code has changed.
    fn build(&self) -> anyhow::Result<()> {
        let binaries = build(self.checkout, &functions(self.checkout)?)?;
        self.unconfirmed.borrow_mut().extend(self.staging.put_launchers(&binaries)?);
        // From now on, `unconfirmed` has the functions that are not updated yet.
        self.pending.set(Edit { code: false, ..self.pending.get() });
        Ok(())
    }

    fn functions(&self) -> Functions<'_> {
        Functions { target: &self.target, stack: &self.config.stack, staging: &self.staging }
    }

    fn names(&self) -> Vec<String> {
        self.unconfirmed.borrow().iter().cloned().collect()
    }

    /// Updates all functions after a rollback, which has restored the code of the last deployment of the template. Edits of the
    /// code may have replaced it since.
    fn update_all(&self, started: Instant) {
        if let Ok(names) = functions(self.checkout)
            && !interrupted()
        {
            self.unconfirmed.borrow_mut().extend(names);
            let mut outcomes = self.functions().update(&self.names());
            // The failed deployment would have added the other functions.
            outcomes.retain(|(_, outcome)| !matches!(outcome, Outcome::NotInStack));
            // The errors are reported, and the next edit updates the functions again.
            let _ = self.report_outcomes(outcomes, started);
        }
    }

    /// Updates the functions whose code has changed.
    fn update(&self, started: Instant) -> anyhow::Result<()> {
        let names = self.names();
        if names.is_empty() {
            report("No function has changed.");
            return Ok(());
        }
        self.delete_records()?;
        self.report_outcomes(self.functions().update(&names), started)
    }

    /// Waits until the functions run the code that CloudFormation has deployed.
    fn confirm(&self, started: Instant) -> anyhow::Result<()> {
        self.report_outcomes(self.functions().confirm(&self.names()), started)
    }

    fn report_outcomes(&self, outcomes: Vec<(String, Outcome)>, started: Instant) -> anyhow::Result<()> {
        let mut live = Vec::new();
        let mut failures = 0;
        for (name, outcome) in outcomes {
            match outcome {
                Outcome::Live => {
                    self.unconfirmed.borrow_mut().remove(&name);
                    live.push(name);
                }
                Outcome::NotInStack => {
                    report(&format!("warning: {name} is not in the stack; add a resource for it to template.yaml"));
                    self.unconfirmed.borrow_mut().remove(&name);
                }
                Outcome::Failed(error) => {
                    report(&format!("error: cannot update {name}: {error:#}"));
                    failures += 1;
                }
            }
        }
        if !live.is_empty() {
            report(&format!("live after {}: {}", format_duration(started.elapsed()), live.join(", ")));
        }
        if failures > 0 { Err(AlreadyReported.into()) } else { Ok(()) }
    }
}

/// Checks the changed templates. Returns `None` if there are none.
fn lint_templates(run_folder: &Path, tools: &Tools, templates: &Candidate) -> anyhow::Result<Option<Findings>> {
    if templates.changed().is_empty() {
        return Ok(None);
    }
    Ok(Some(lint(tools, templates.folder(), templates.changed(), &run_folder.join("cfn-lint.log"))?))
}

/// Prints the findings.
///
/// # Errors
/// Returns an error if the template has errors and must not be deployed.
fn report_findings(findings: Findings) -> anyhow::Result<()> {
    if !findings.text.trim().is_empty() {
        report(findings.text.trim_end());
    }
    if findings.has_errors {
        bail!("cfn-lint found errors in the template, so it was not deployed; fix them, and save the template");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::sync::{Arc, Mutex};

    use ferrite_local_stack::functions::Binary;

    use super::*;

    const RUN_FOLDER: &str = ".ferrite/dev";

    /// Serves CloudFormation and Lambda. Every deployment of the stack fails and is rolled back, and every update of a function
    /// succeeds. Records the first lines of the requests, and the actions of CloudFormation.
    fn emulator(archive: &[u8]) -> (Target, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let target = Target::local(listener.local_addr().unwrap().port());
        let hash = AwsClient::code_hash(archive);
        let requests = Arc::new(Mutex::new(Vec::new()));
        let received = requests.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read_request(&mut stream);
                let body = if request.contains("/functions/") {
                    format!(r#"{{"LastUpdateStatus": "Successful", "CodeSha256": "{hash}"}}"#)
                } else {
                    "<All><Status>CREATE_COMPLETE</Status><StackStatus>UPDATE_ROLLBACK_COMPLETE</StackStatus></All>"
                        .to_owned()
                };
                received.lock().unwrap().push(request);
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
            }
        });
        (target, requests)
    }

    /// Returns the first line and the body of a request.
    fn read_request(stream: &mut TcpStream) -> String {
        let mut reader = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            lines.push(line);
        }
        let length = lines
            .iter()
            .find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok())
            .unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        format!("{}{}", lines[0], String::from_utf8_lossy(&body))
    }

    struct TempCheckout(Checkout);

    impl TempCheckout {
        /// Creates a checkout with the function `known`.
        fn new(test: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("ferrite-session-{test}-{}", std::process::id()));
            for name in ["functions/known/src", "shared", "infra", RUN_FOLDER] {
                fs::create_dir_all(folder.join(name)).unwrap();
            }
            let package = "[package]\nname = \"known\"\nedition = \"2024\"\n";
            for (name, text) in [
                ("Cargo.toml", "[workspace]\nmembers = [\"functions/known\"]\nresolver = \"3\"\n"),
                ("functions/known/Cargo.toml", package),
                ("functions/known/src/main.rs", "fn main() {}"),
                ("template.yaml", "Resources: {}"),
                ("samconfig.toml", "[local.deploy.parameters]\nstack_name = \"app\"\n"),
            ] {
                fs::write(folder.join(name), text).unwrap();
            }
            // cargo prints the paths of manifests without symbolic links.
            Self(Checkout::at(&folder.canonicalize().unwrap()))
        }

        /// Creates a session whose templates and function are deployed.
        fn session(&self) -> (Session<'_>, Arc<Mutex<Vec<String>>>) {
            let run_folder = self.0.path(RUN_FOLDER);
            let staging = Staging::open(&run_folder).unwrap();
            staging.copy_template(&self.0).unwrap();
            let path = self.0.path("functions/known/src/main.rs");
            staging.put_launchers(&[Binary { name: "known".to_owned(), path }]).unwrap();
            let (target, requests) = emulator(&staging.archive("known").unwrap());
            let session = Session {
                checkout: &self.0,
                config: Section::load(&self.0, "local").unwrap(),
                staging,
                run_folder,
                target,
                tools: Tools::in_folder(self.0.path("no-tools")),
                issuer: Issuer::open(&self.0.keys_folder()).unwrap(),
                pending: Cell::new(Edit::default()),
                is_rejected: Cell::new(false),
                unconfirmed: RefCell::new(BTreeSet::new()),
            };
            (session, requests)
        }
    }

    impl Drop for TempCheckout {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(self.0.root());
        }
    }

    /// A time after the creation of all files of the test.
    fn later() -> SystemTime {
        SystemTime::now() + Duration::from_secs(1)
    }

    #[test]
    fn records_the_deployment_only_if_no_edit_is_pending() {
        let checkout = TempCheckout::new("pending");
        let (session, _) = checkout.session();
        let is_stale = || changed_since_deployment(&checkout.0).unwrap().is_some();
        for (code, template) in [(true, false), (false, true)] {
            session.pending.set(Edit { code, template });
            session.save(later()).unwrap();
            assert!(is_stale() && !session.fingerprint_file().exists());
        }
        session.pending.set(Edit::default());
        session.save(later()).unwrap();
        assert!(!is_stale() && session.fingerprint_file().exists());
    }

    #[test]
    fn code_that_does_not_compile_stays_pending_and_a_rejected_template_waits_for_an_edit() {
        let checkout = TempCheckout::new("edits");
        let (session, requests) = checkout.session();
        fs::write(checkout.0.path("functions/known/src/main.rs"), "does not compile").unwrap();
        let code = Edit { code: true, template: false };
        assert!(session.apply(code).is_err());
        assert_eq!(session.pending.get(), code);

        session.pending.set(Edit { code: false, template: true });
        session.is_rejected.set(true);
        assert!(session.apply(code).is_err());
        assert_eq!(session.pending.get(), Edit { code: true, template: true });
        assert!(requests.lock().unwrap().is_empty(), "the rejected template was deployed again");
    }

    #[test]
    fn knows_the_functions_that_a_template_removes() {
        let checkout = TempCheckout::new("removed");
        let (session, _) = checkout.session();
        let function = "Type: AWS::Serverless::Function\n    Properties: {CodeUri: target/lambda";
        let template = format!("Resources:\n  One:\n    {function}/one/}}\n  Two:\n    {function}/two/}}\n");
        fs::write(checkout.0.path("template.yaml"), &template).unwrap();
        let added = session.staging.copy_candidate(&checkout.0).unwrap();
        assert!(session.removed_functions(&added).unwrap().is_empty());
        session.staging.accept(&added).unwrap();
        fs::write(checkout.0.path("template.yaml"), template.replace("two", "three")).unwrap();
        let renamed = session.staging.copy_candidate(&checkout.0).unwrap();
        assert_eq!(session.removed_functions(&renamed).unwrap(), ["two"]);
    }

    #[test]
    fn failed_deployment_updates_the_functions_that_it_rolled_back() {
        let checkout = TempCheckout::new("rollback");
        let (session, requests) = checkout.session();
        session.save(later()).unwrap();
        let templates = session.staging.copy_candidate(&checkout.0).unwrap();
        let change_set = ChangeSet::create(&session.aws(), "app", "url", &session.config.parameters).unwrap();
        let error = session.execute(change_set, &templates, Instant::now()).unwrap_err();
        assert!(error.to_string().contains("UPDATE_ROLLBACK_COMPLETE"), "{error}");
        let is_update = |request: &String| request.starts_with("PUT /2015-03-31/functions/app-known/code");
        assert_eq!(requests.lock().unwrap().iter().filter(|request| is_update(request)).count(), 1);
        assert!(session.unconfirmed.borrow().is_empty());
        assert!(changed_since_deployment(&checkout.0).unwrap().is_some() && !session.fingerprint_file().exists());
    }

    #[test]
    fn stack_without_outputs_is_deployed_again() {
        let checkout = TempCheckout::new("outputs");
        let (session, _) = checkout.session();
        session.save(later()).unwrap();
        assert_eq!(session.deployed_api_url().unwrap(), None);
    }

    #[test]
    fn warns_only_once_about_a_function_that_is_not_in_the_stack() {
        let checkout = TempCheckout::new("unknown");
        let (session, _) = checkout.session();
        session.unconfirmed.borrow_mut().insert("unknown".to_owned());
        session.report_outcomes(vec![("unknown".to_owned(), Outcome::NotInStack)], Instant::now()).unwrap();
        assert!(session.names().is_empty());
    }
}
