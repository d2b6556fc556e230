//! S3 ObjectCreated under uploads/: makes a product image's variants.

pub mod pipeline;
