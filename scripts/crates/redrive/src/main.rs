//! `./scripts/redrive`: lists what is in the dead-letter queues and why, and sends it back to where it came from.

mod dead_letter;
mod deployed;
mod error;
mod origin;
mod queue;
mod redrive;
mod stream;

use std::process::ExitCode;

use clap::Parser;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::command;

use self::redrive::{Options, redrive};

/// List what is in the dead-letter queues and why, or send it back to where it came from
#[derive(Parser)]
#[command(bin_name = "./scripts/redrive")]
struct Arguments {
    /// A dead-letter queue of template.yaml, OrdersDlq for instance [default: list all of them]
    queue: Option<String>,
    /// Send back these, by the ids in the list
    #[arg(value_name = "MESSAGE-ID")]
    messages: Vec<String>,
    /// Send back everything in the queue
    #[arg(long, requires = "queue", conflicts_with = "messages")]
    all: bool,
    /// The stack; on AWS, unless AWS_ENDPOINT_URL is set [default: the local one]
    #[arg(long)]
    stack: Option<String>,
}

fn main() -> ExitCode {
    let Arguments { queue, messages, all, stack } = Arguments::parse();
    command::run(|| redrive(&Checkout::here()?, &Options { queue, messages, all, stack }))
}
