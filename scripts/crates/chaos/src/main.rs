//! `./scripts/chaos`: runs customers while AWS calls fail, functions are killed and events are delivered twice, and then
//! checks that nothing was lost or done twice.

mod chaos;

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use ferrite_chaos::faults::FaultKind;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::command;
use ferrite_storefront_chaos::options::Length;
use ferrite_storefront_chaos::run::MutationKind;

use self::chaos::Settings;

/// Run customers while AWS calls fail, functions are killed and events are delivered twice, then check that nothing was
/// lost or done twice
#[derive(Parser)]
#[command(bin_name = "./scripts/chaos")]
struct Arguments {
    /// Seed of the purchases and the faults; the same seed plans the same run, but not its timing
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of concurrent customers
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    customers: u16,
    /// Place orders for this many seconds, instead of a number of orders
    #[arg(long, conflicts_with = "orders")]
    seconds: Option<u64>,
    /// Number of orders to place in total
    #[arg(long, default_value_t = 200)]
    orders: usize,
    /// Fractions of calls to inject each kind of fault into, for example cut-after=0.1,kill-after=0
    #[arg(long, value_name = "KIND=RATE", value_delimiter = ',', value_parser = parse_rate)]
    rates: Vec<(FaultKind, f64)>,
    /// Break a guarantee of the system, to check that the run detects it
    #[arg(long)]
    mutation: Option<Mutation>,
    /// Run the checks of ./scripts/test instead: a short run, and a run with each mutation
    #[arg(long, conflicts_with_all = ["seed", "customers", "seconds", "orders", "rates", "mutation"])]
    short: bool,
    /// Use the functions that the previous run built
    #[arg(long)]
    no_build: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Mutation {
    /// Execute transactions one write at a time
    SplitTransaction,
    /// Do not deduplicate payments and e-mails
    #[value(alias = "no-dedupe")]
    NoDeduplication,
}

fn parse_rate(text: &str) -> Result<(FaultKind, f64), String> {
    let kinds = || FaultKind::ALL.map(FaultKind::name).join(", ");
    let (kind, rate) = text.split_once('=').ok_or("expected KIND=RATE")?;
    let kind = FaultKind::from_name(kind).ok_or_else(|| format!("unknown kind; expected one of {}", kinds()))?;
    let rate = rate.parse().ok().filter(|rate| (0.0..=1.0).contains(rate));
    Ok((kind, rate.ok_or("the rate must be a number from 0 to 1")?))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    command::run(|| {
        let Arguments { seed, customers, seconds, orders, rates, mutation, short, no_build } = arguments;
        let checkout = Checkout::here()?;
        if short {
            return chaos::short(&checkout, no_build);
        }
        let mutation = mutation.map(|mutation| match mutation {
            Mutation::SplitTransaction => MutationKind::SplitTransaction,
            Mutation::NoDeduplication => MutationKind::NoDeduplication,
        });
        let length = seconds.map_or(Length::Orders(orders), Length::Seconds);
        chaos::chaos(&checkout, &Settings { seed, customers: customers.into(), length, rates, mutation }, no_build)
    })
}
