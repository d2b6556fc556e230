//! API Gateway REQUEST authorizer: verifies a JWT against a JWKS.
fn main() {}
