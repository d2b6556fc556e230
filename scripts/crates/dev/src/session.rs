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
use ferrite_local_stack::files::at;
use ferrite_local_stack::functions::{build, functions};
use ferrite_local_stack::logs;
use ferrite_local_stack::package;
use ferrite_local_stack::process::{check_interrupted, interrupted};
use ferrite_local_stack::samconfig::Section;
use ferrite_local_stack::sources::{changed_since_deployment, record_deployed};
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
    /// Whether an edit of the template waits for code, such as that of a new function.
    template_waits: Cell<bool>,
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
            template_waits: Cell::new(false),
            unconfirmed: RefCell::new(BTreeSet::new()),
        };
        let started = Instant::now();
        session.unconfirmed.borrow_mut().extend(prepared.changed);
        let templates = prepared.templates;
        let deployed = if templates.changed().is_empty() { session.deployed_api_url()? } else { None };
        let api = match deployed {
            Some(api) => api,
            None => step(&format!("Deploying template.yaml as {}", session.config.stack), || {
                session.execute(session.create_change_set(&templates)?, &templates)
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
        match stack_outputs(&self.target, &self.config.stack)? {
            Some(outputs) => Ok(Some(output(&outputs, "ApiUrl")?.to_owned())),
            None => Ok(None),
        }
    }

    /// Returns a text that changes with the template, its parameters, the issuer's keys and the code.
    fn fingerprint(&self) -> anyhow::Result<String> {
        Ok(format!("{:?}\n{}\n{}", self.config, self.issuer.jwks(), self.staging.fingerprint()?))
    }

    /// The file with the fingerprint of the deployed stack.
    fn fingerprint_file(&self) -> PathBuf {
        self.run_folder.join("deployed")
    }

    /// Records that the stack has all changes before `as_of`.
    fn save(&self, as_of: SystemTime) -> anyhow::Result<()> {
        let file = self.fingerprint_file();
        fs::write(&file, self.fingerprint()?).map_err(at(&file))?;
        Ok(record_deployed(self.checkout, as_of)?)
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
    fn execute(&self, change_set: ChangeSet, templates: &Candidate) -> anyhow::Result<String> {
        change_set.execute(&self.aws())?;
        self.staging.accept(templates)?;
        let outputs = stack_outputs(&self.target, &self.config.stack)?.context("the stack has just been deleted")?;
        Ok(output(&outputs, "ApiUrl")?.to_owned())
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
        if !edit.template && !self.template_waits.get() {
            self.build()?;
            self.update(started)?;
            return self.save(as_of);
        }
        self.template_waits.set(true);
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
            // Only another edit of the template can fix it.
            self.template_waits.set(false);
            if let Ok(change_set) = change_set {
                change_set.delete(&self.aws())?;
            }
            return Err(error);
        }
        let api = match self.execute(change_set?, templates) {
            Ok(api) => api,
            Err(error) => {
                self.update_all(started);
                return Err(error);
            }
        };
        self.template_waits.set(false);
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
        if let Ok(names) = functions(self.checkout) {
            self.unconfirmed.borrow_mut().extend(names);
            // The errors are reported, and the next edit updates the functions again.
            let _ = self.update(started);
        }
    }

    /// Updates the functions whose code has changed.
    fn update(&self, started: Instant) -> anyhow::Result<()> {
        let outcomes = self.functions().update(&self.names());
        if outcomes.is_empty() {
            report("No function has changed.");
        }
        self.report_outcomes(outcomes, started)
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
