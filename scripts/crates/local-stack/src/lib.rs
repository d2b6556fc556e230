//! Building blocks for the commands in `scripts/`: processes, tools, builds, emulators, and deploying the stack.
//!
//! | to do this | use |
//! |---|---|
//! | start a child process that is terminated when this program exits | [`process`] |
//! | install the pinned Python tools | [`tools`] |
//! | build the functions for this machine, or for Lambda | [`functions`], [`lambda_build`] |
//! | start an emulator | [`emulator`], with the lock from [`running`] |
//! | deploy the stack and read its outputs | [`staging`], [`stack`] |
//! | read template.yaml or samconfig.toml | [`template`], [`samconfig`] |
//! | report progress, and exit with the right code | [`console`], [`command`] |
//!
//! Each module has its own error type. Commands combine them with `anyhow`.

pub mod binary_size;
pub mod checkout;
pub mod command;
pub mod console;
pub mod emulator;
pub mod files;
pub mod functions;
pub mod lambda_build;
pub mod logs;
pub mod npm;
pub mod process;
pub mod running;
pub mod samconfig;
pub mod stack;
pub mod staging;
pub mod target;
pub mod template;
pub mod tools;
