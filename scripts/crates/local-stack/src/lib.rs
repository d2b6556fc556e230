//! Building blocks for the commands in `scripts/`: processes, tools, builds, emulators, and deploying the stack.
//!
//! | to do this | use |
//! |---|---|
//! | start a child process that is terminated when this program exits | [`process`] |
//! | install the pinned Python tools | [`tools`] |
//! | build the functions for this machine, or for Lambda | [`functions`], [`lambda_build`] |
//! | start an emulator | [`emulator`], with the lock from [`running`] |
//! | deploy the stack with the SAM CLI, and read its outputs | [`staging`], [`stack`] |
//! | deploy the stack to an emulator without the SAM CLI | [`staging`], [`package`], [`change_set`] |
//! | check the templates before a deployment | [`template_lint`] |
//! | find the source files that have changed since a deployment | [`sources`] |
//! | read template.yaml or samconfig.toml | [`template`], [`samconfig`] |
//! | report progress, and exit with the right code | [`console`], [`command`] |
//!
//! Each module has its own error type. Commands combine them with `anyhow`.

pub mod binary_size;
pub mod change_set;
pub mod checkout;
pub mod command;
pub mod console;
pub mod emulator;
pub mod files;
pub mod functions;
pub mod lambda_build;
pub mod logs;
pub mod npm;
pub mod package;
pub mod process;
pub mod running;
pub mod samconfig;
pub mod sources;
pub mod stack;
pub mod staging;
pub mod target;
pub mod template;
pub mod template_lint;
pub mod tools;
