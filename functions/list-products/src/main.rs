//! GET /products
fn main() {}
