//! The template of the stack that the tests in this folder deploy. Its functions are in src/bin.

pub mod template;
