//! Records the items that tests create in an existing stack, so that `./scripts/test --stack` can delete them
//! afterwards.
#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "an error here fails the test")]

use std::fs::OpenOptions;
use std::io::Write as _;

/// The environment variable with the path of the record; if it is not set, nothing is recorded. `./scripts/test`
/// deletes the table partitions that the file lists.
pub const CREATED_FILE: &str = "FERRITE_MADE";

/// Something that a test created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// A product, by its id.
    Product(String),
    /// The number of e-mails to a mailbox, by its address.
    Mailbox(String),
    /// Feedback about an e-mail address, by the address in lower case.
    Address(String),
    /// A customer and all of the customer's orders, by the customer's id.
    Customer(String),
}

impl Created {
    /// Appends the item's table partition to the record.
    pub fn record(&self) {
        let Some(path) = std::env::var_os(CREATED_FILE) else { return };
        let mut file = OpenOptions::new().create(true).append(true).open(path).expect("the record can be opened");
        // Tests run in parallel: a single write keeps each line whole.
        file.write_all(format!("{}\n", self.partition()).as_bytes()).expect("the record can be written");
    }

    /// The partition key under which the table has the item.
    fn partition(&self) -> String {
        match self {
            Self::Product(id) => format!("PRODUCT#{id}"),
            Self::Mailbox(address) => format!("MAILBOX#{address}"),
            Self::Address(address) => format!("ADDRESS#{address}"),
            Self::Customer(id) => format!("CUSTOMER#{id}"),
        }
    }
}
