//! POST /orders
fn main() {}
