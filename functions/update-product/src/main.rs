//! PATCH /products/{productId}
fn main() {}
