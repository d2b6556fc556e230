//! The orders queue: takes payment for placed orders.
fn main() {}
