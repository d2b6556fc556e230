//! The table's stream: publishes committed changes as domain events.
fn main() {}
