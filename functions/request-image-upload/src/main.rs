//! POST /products/{productId}/images
fn main() {}
