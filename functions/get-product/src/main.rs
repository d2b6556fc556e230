//! GET /products/{productId}
fn main() {}
