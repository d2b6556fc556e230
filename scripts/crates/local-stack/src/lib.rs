//! The chores behind scripts/: build, run, deploy, test, bench, storm.
//!
//! `scripts/dev`, `test`, `bench`, `chaos`, `permissions`, `deploy`, `redrive`, `outputs` and `token` hand over to the program
//! `ferrite` of this crate (main.rs), a subcommand each. Whatever they start ends with them (`process`).

pub mod aws;
pub mod bench;
pub mod budget;
pub mod build;
pub mod chaos;
pub mod checkout;
pub mod cleaning;
pub mod console;
pub mod counts;
pub mod demo;
pub mod deploy;
pub mod dev;
pub mod docker;
pub mod emulator;
pub mod endpoint;
pub mod gates;
pub mod logs;
pub mod permissions;
pub mod process;
pub mod redrive;
pub mod running;
pub mod samconfig;
pub mod schemathesis;
pub mod skipped;
pub mod stack;
pub mod stage;
pub mod suite;
pub mod template;
pub mod test_binaries;
pub mod test_stack;
pub mod token;
pub mod tools;
pub mod trouble;
pub mod under_test;
pub mod watch;
