//! GET /orders
fn main() {}
