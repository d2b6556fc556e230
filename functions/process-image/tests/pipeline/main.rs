//! What a shop and its customers rely on: upright, small, private pictures, and a reason where there is none.

mod decoded;
mod formats;
mod hostile;
mod photographs;
mod rejections;
