//! `ferrite`: what scripts/dev, test, bench, chaos, permissions, outputs, token, deploy and redrive hand over to.

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use ferrite_chaos::Kind;
use ferrite_chaos::storm::Length;
use ferrite_scripts::chaos::{Asked, Sabotaged};
use ferrite_scripts::checkout::Checkout;
use ferrite_scripts::emulator::EmulatorKind;
use ferrite_scripts::endpoint::Target;
use ferrite_scripts::running::Running;
use ferrite_scripts::samconfig::Section;
use ferrite_scripts::token::Bearer;
use ferrite_scripts::trouble::Trouble;
use ferrite_scripts::{bench, chaos, console, deploy, dev, permissions, process, redrive, stack, suite, token, tools};

#[derive(Parser)]
#[command(name = "ferrite", bin_name = "./scripts/ferrite", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the whole system on this machine, and every edit live in it (port: FERRITE_PORT, 4566)
    Dev(DevArguments),
    /// Run all checks and tests; AWS_ENDPOINT_URL names an emulator to use instead of starting one
    Test(TestArguments),
    /// Measure every function as shipped: sizes, init, first and warm invocations, memory, logs
    Bench(BenchArguments),
    /// Let customers buy while calls fail, functions die and events come twice; then prove that nothing was lost or done twice
    Chaos(ChaosArguments),
    /// Print the local stack's outputs as JSON
    Outputs,
    /// Print a JWT that the local stack accepts
    Token(TokenArguments),
    /// Build every function for AWS and deploy the stack of one environment of samconfig.toml
    Deploy(DeployArguments),
    /// List what lies in the dead-letter queues and why, or send it back to where it came from
    Redrive(RedriveArguments),
    /// Print what each function's role allows, and how often the last ./scripts/test has seen it used
    Permissions(PermissionsArguments),
}

#[derive(Args)]
struct DevArguments {
    /// Leave the stack running, without watching the sources
    #[arg(long, conflicts_with = "stop")]
    detach: bool,
    /// End a stack that was left running
    #[arg(long)]
    stop: bool,
    /// Forget what the last run has left, and start from nothing
    #[arg(long)]
    reset: bool,
    /// What takes the place of AWS
    #[arg(long, value_enum, default_value_t)]
    emulator: EmulatorKind,
}

#[derive(Args)]
struct TestArguments {
    /// Only the tests that need no emulator: seconds
    #[arg(long)]
    unit: bool,
    /// Only the tests whose name contains this, and no lints
    filter: Option<String>,
    /// What takes the place of AWS, where neither AWS_ENDPOINT_URL nor --stack says it
    #[arg(long, value_enum, default_value_t, conflicts_with = "unit")]
    emulator: EmulatorKind,
    /// LocalStack in Docker, as it comes, with nothing of ours inside
    #[arg(long, requires = "emulator", conflicts_with = "stack")]
    docker: bool,
    /// Only the end-to-end tests, on a stack that is deployed already: on AWS, unless AWS_ENDPOINT_URL is set
    #[arg(long, value_name = "NAME", conflicts_with_all = ["unit", "emulator"])]
    stack: Option<String>,
}

#[derive(Args)]
struct BenchArguments {
    /// Only these functions
    functions: Vec<String>,
    /// How often each is started with each memory
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u16).range(1..))]
    starts: u16,
    /// Measure what the last run has built
    #[arg(long)]
    no_build: bool,
    /// Cap the CPU by stopping and continuing the process, also where the kernel has a quota for it
    #[arg(long)]
    signals: bool,
    /// Print data and not a table
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct ChaosArguments {
    /// What the purchases and the faults are drawn from: the same number plans the same storm, though not its timing
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many customers there are at the same time
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    customers: u16,
    /// How long they buy, instead of a number of orders
    #[arg(long, conflicts_with = "orders")]
    seconds: Option<u64>,
    /// How many orders they try to place, all together
    #[arg(long, default_value_t = 200)]
    orders: usize,
    /// Shares of calls that meet a fault, as in cut-after=0.1,kill-after=0
    #[arg(long, value_name = "KIND=SHARE", value_delimiter = ',', value_parser = rate)]
    rates: Vec<(Kind, f64)>,
    /// Take away what the system relies on, to see that it is missed
    #[arg(long)]
    sabotage: Option<Sabotage>,
    /// The storms of ./scripts/test instead: a short one, and one for each sabotage
    #[arg(long, conflicts_with_all = ["seed", "customers", "seconds", "orders", "rates", "sabotage"])]
    short: bool,
    /// Take the functions that the last run has built
    #[arg(long)]
    no_build: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Sabotage {
    /// Transactions are carried out one write at a time
    SplitTransaction,
    /// Nothing keeps a payment or an e-mail from being made twice
    NoDedupe,
}

fn rate(text: &str) -> Result<(Kind, f64), String> {
    let kinds = || Kind::ALL.map(Kind::name).join(", ");
    let (kind, share) = text.split_once('=').ok_or("KIND=SHARE is needed")?;
    let kind = Kind::named(kind).ok_or_else(|| format!("the kinds are {}", kinds()))?;
    let share = share.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    Ok((kind, share.ok_or("a share is a number from 0 to 1")?))
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct TokenArguments {
    /// For an admin: the scope products:write
    #[arg(long)]
    admin: bool,
    /// For the customer of this id
    #[arg(long, value_name = "ID")]
    customer: Option<String>,
    /// None, but the keys that all of them are verified with (a JWKS)
    #[arg(long)]
    jwks: bool,
}

#[derive(Args)]
struct DeployArguments {
    /// A section of samconfig.toml: staging, production …
    environment: String,
    /// The processor that the functions run on [default: the environment's in samconfig.toml, or arm64; on an emulator, this machine's]
    #[arg(long, value_parser = ["arm64", "x86_64"])]
    architecture: Option<String>,
}

#[derive(Args)]
struct RedriveArguments {
    /// A dead-letter queue of template.yaml, OrdersDlq for instance [default: list all of them]
    queue: Option<String>,
    /// Send back these, by the ids that the list has
    #[arg(value_name = "MESSAGE-ID")]
    messages: Vec<String>,
    /// Send back everything in the queue
    #[arg(long, requires = "queue", conflicts_with = "messages")]
    all: bool,
    /// The stack; on AWS, unless AWS_ENDPOINT_URL is set [default: the local one]
    #[arg(long)]
    stack: Option<String>,
}

#[derive(Args)]
struct PermissionsArguments {
    /// Take each permission out of its deployed role in turn instead, and run the end-to-end tests until one notices
    #[arg(long)]
    without: bool,
    /// Only those of the functions whose names contain this
    #[arg(requires = "without")]
    function: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match process::end_children_on_signals().and_then(|()| run(arguments.command)) {
        Ok(()) => ExitCode::SUCCESS,
        // 128 + SIGINT, as shells report it.
        Err(Trouble::Interrupted) => {
            eprintln!("stopped");
            ExitCode::from(130)
        }
        Err(Trouble::TestsFailed) => ExitCode::FAILURE,
        Err(trouble) => {
            eprintln!("error: {trouble}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Trouble> {
    let checkout = Checkout::here()?;
    match command {
        Command::Dev(arguments) => {
            let mode = match (arguments.stop, arguments.detach) {
                (true, _) => dev::Mode::Stop,
                (_, true) => dev::Mode::Detach,
                _ => dev::Mode::Watch,
            };
            dev::dev(&checkout, mode, arguments.reset, arguments.emulator)
        }
        Command::Test(arguments) => {
            let TestArguments { unit, filter, emulator, docker, stack } = arguments;
            if docker && emulator == EmulatorKind::Ministack {
                return Err(Trouble::NoImage);
            }
            suite::test(&checkout, &suite::Asked { unit, filter, emulator, docker, stack })
        }
        Command::Bench(arguments) => {
            let BenchArguments { functions, starts, no_build, signals, json } = arguments;
            bench::bench(&checkout, &bench::Options { functions, starts: starts.into(), no_build, signals, json })
        }
        Command::Chaos(arguments) => {
            let ChaosArguments { seed, customers, seconds, orders, rates, sabotage, short, no_build } = arguments;
            if short {
                return chaos::short(&checkout, no_build);
            }
            let length = seconds.map_or(Length::Orders(orders), Length::Seconds);
            let sabotage = sabotage.map(|sabotage| match sabotage {
                Sabotage::SplitTransaction => Sabotaged::Transaction,
                Sabotage::NoDedupe => Sabotaged::Dedupe,
            });
            let asked = Asked { seed, customers: customers.into(), length, rates, sabotage };
            chaos::chaos(&checkout, &asked, no_build)
        }
        Command::Outputs => print_outputs(&checkout),
        Command::Token(arguments) if arguments.jwks => token::print_jwks(&checkout),
        Command::Token(arguments) => {
            let bearer = arguments.customer.map_or(Bearer::Admin, Bearer::Customer);
            token::print(&checkout, &bearer)
        }
        Command::Redrive(arguments) => {
            let RedriveArguments { queue, messages, all, stack } = arguments;
            redrive::redrive(&checkout, &redrive::Options { queue, messages, all, stack })
        }
        Command::Permissions(arguments) if arguments.without => {
            permissions::removal::without(&checkout, arguments.function.as_deref())
        }
        Command::Permissions(_) => permissions::show(&checkout),
        Command::Deploy(arguments) => deploy::deploy(&checkout, &arguments.environment, arguments.architecture.as_deref()),
    }
}

fn print_outputs(checkout: &Checkout) -> Result<(), Trouble> {
    let target = match Target::from_environment()? {
        Some(target) => target,
        None => Running::find(checkout).map(|running| Target::local(running.port)).ok_or(Trouble::NothingRuns)?,
    };
    let config = Section::require(checkout, "local")?;
    let sam = tools::install(checkout, &tools::DEPLOY_TOOLS)?;
    let outputs = stack::outputs(&sam, Some(&target), &config.stack)?;
    console::say(&serde_json::Value::Object(outputs).to_string());
    Ok(())
}
