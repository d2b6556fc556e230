//! The chores behind scripts/: build, run, deploy, test.
