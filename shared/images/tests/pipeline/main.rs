//! Tests of `make_variants`: variants are upright, small and without metadata, and rejections have a reason.

// clippy.toml allows these in tests, but clippy does not treat helper functions in integration tests as tests.
#![allow(clippy::expect_used, clippy::unwrap_used)]

mod attacks;
mod colors;
mod decoded;
mod formats;
mod hostile;
mod photographs;
mod png_chunks;
mod polyglots;
mod rejections;
mod samplings;
