//! GET /orders/{orderId}
fn main() {}
