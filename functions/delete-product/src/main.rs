//! DELETE /products/{productId}
fn main() {}
