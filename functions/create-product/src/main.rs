//! POST /products
fn main() {}
