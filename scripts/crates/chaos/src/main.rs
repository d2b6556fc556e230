//! `./scripts/chaos`: customers buy while calls fail, functions die and events are delivered twice; then it checks that
//! nothing was lost or done twice.

mod chaos;

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use ferrite_chaos::faults::Kind;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::command;
use ferrite_storefront_chaos::options::Length;
use ferrite_storefront_chaos::run::MutationKind;

use self::chaos::Settings;

/// Let customers buy while calls fail, functions die and events are delivered twice; then check that nothing was lost or done
/// twice
#[derive(Parser)]
#[command(bin_name = "./scripts/chaos")]
struct Arguments {
    /// The seed of the purchases and the faults: the same number plans the same run, but not its timing
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many customers there are at the same time
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    customers: u16,
    /// How long they buy, in place of a number of orders
    #[arg(long, conflicts_with = "orders")]
    seconds: Option<u64>,
    /// How many orders they try to place in total
    #[arg(long, default_value_t = 200)]
    orders: usize,
    /// Shares of calls that meet a fault, as in cut-after=0.1,kill-after=0
    #[arg(long, value_name = "KIND=SHARE", value_delimiter = ',', value_parser = rate)]
    rates: Vec<(Kind, f64)>,
    /// Break a guarantee of the system, to see that the run finds it
    #[arg(long, alias = "sabotage")]
    mutation: Option<Mutation>,
    /// The runs of ./scripts/test instead: a short one, and one for each mutation
    #[arg(long, conflicts_with_all = ["seed", "customers", "seconds", "orders", "rates", "mutation"])]
    short: bool,
    /// Use the functions that the last run has built
    #[arg(long)]
    no_build: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Mutation {
    /// Transactions are carried out one write at a time
    SplitTransaction,
    /// Payments and e-mails are not deduplicated
    #[value(alias = "no-dedupe")]
    NoDeduplication,
}

fn rate(text: &str) -> Result<(Kind, f64), String> {
    let kinds = || Kind::ALL.map(Kind::name).join(", ");
    let (kind, share) = text.split_once('=').ok_or("KIND=SHARE is needed")?;
    let kind = Kind::named(kind).ok_or_else(|| format!("the kinds are {}", kinds()))?;
    let share = share.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    Ok((kind, share.ok_or("a share is a number from 0 to 1")?))
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
