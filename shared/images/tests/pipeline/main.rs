//! What a shop and its customers rely on: upright, small, private pictures, and a reason where there is none.

// clippy.toml allows these in tests, but a test's helper functions are not tests to clippy.
#![allow(clippy::expect_used, clippy::unwrap_used)]

mod attacks;
mod decoded;
mod formats;
mod hostile;
mod photographs;
mod png_chunks;
mod polyglots;
mod rejections;
