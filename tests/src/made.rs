//! Notes what tests create in a stack that outlives them, so that `./scripts/test --stack` can delete it again.
#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "an error here fails the test")]

use std::fs::OpenOptions;
use std::io::Write as _;

/// The environment variable with the file; without it, nothing is noted. `./scripts/test` deletes the partitions in it.
pub const MADE: &str = "FERRITE_MADE";

/// Something that a test created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// A product, by its id.
    Product(String),
    /// A customer, with all of their orders.
    Customer(String),
}

impl Made {
    /// Notes it.
    pub fn note(&self) {
        let Some(path) = std::env::var_os(MADE) else { return };
        let mut file = OpenOptions::new().create(true).append(true).open(path).expect("the note can be written");
        // In a single write, because other tests write at the same time.
        file.write_all(format!("{}\n", self.partition()).as_bytes()).expect("the note can be written");
    }

    /// The partition of the table that has its items.
    fn partition(&self) -> String {
        match self {
            Self::Product(id) => format!("PRODUCT#{id}"),
            Self::Customer(id) => format!("CUSTOMER#{id}"),
        }
    }
}
