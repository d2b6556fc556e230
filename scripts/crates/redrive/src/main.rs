//! `./scripts/redrive`: lists the messages in dead-letter queues with the reasons, and sends them back to their origin.

mod dead_letter;
mod error;
mod origin;
mod queue;
mod redrive;
mod stack_resources;
mod stream;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use ferrite_local_stack::checkout::Checkout;
use ferrite_local_stack::command;

use self::redrive::{Options, redrive};

/// List the messages in dead-letter queues, or send them back to the queue or function they came from
#[derive(Parser)]
#[command(bin_name = "./scripts/redrive")]
struct Arguments {
    /// Logical ID of a dead-letter queue in template.yaml [default: list all dead-letter queues]
    queue: Option<String>,
    /// Send back the messages with these IDs, which the list shows
    #[arg(value_name = "MESSAGE-ID")]
    messages: Vec<String>,
    /// Send back all messages in the queue
    #[arg(long, requires = "queue", conflicts_with = "messages")]
    all: bool,
    /// Name of a stack on AWS, or on the emulator at AWS_ENDPOINT_URL if that is set [default: the local stack]
    #[arg(long)]
    stack: Option<String>,
    /// Template that the stack was deployed from
    #[arg(long, value_name = "FILE", default_value = "template.yaml")]
    template: PathBuf,
}

fn main() -> ExitCode {
    let Arguments { queue, messages, all, stack, template } = Arguments::parse();
    command::run(|| redrive(&Checkout::here()?, &Options { queue, messages, all, stack, template }))
}
