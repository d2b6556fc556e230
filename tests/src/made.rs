//! What tests made in a stack that outlives them, noted for whoever takes it away again.
#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "what fails here fails the test")]

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::str::FromStr;

/// The environment variable that names the file; where it is not set, nothing is noted.
pub const MADE: &str = "FERRITE_MADE";

/// Something that a test made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Made {
    /// A product, by its id.
    Product(String),
    /// A customer, and with them whatever they ordered.
    Customer(String),
}

impl Made {
    /// Notes it.
    pub fn note(&self) {
        let Some(path) = std::env::var_os(MADE) else { return };
        let mut file = OpenOptions::new().create(true).append(true).open(path).expect("what is made can be noted");
        // In one write: other tests note theirs at the same time.
        file.write_all(format!("{self}\n").as_bytes()).expect("what is made can be noted");
    }

    /// Everything noted in the file; nothing where there is none.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn noted_in(path: &Path) -> io::Result<BTreeSet<Self>> {
        if !path.exists() {
            return Ok(BTreeSet::new());
        }
        Ok(fs::read_to_string(path)?.lines().filter_map(|line| line.parse().ok()).collect())
    }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Product(id) => write!(f, "product {id}"),
            Self::Customer(id) => write!(f, "customer {id}"),
        }
    }
}

impl FromStr for Made {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        match line.split_once(' ') {
            Some(("product", id)) => Ok(Self::Product(id.to_owned())),
            Some(("customer", id)) => Ok(Self::Customer(id.to_owned())),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_read_back() {
        for made in [Made::Product("prd_1".to_owned()), Made::Customer("ada 1".to_owned())] {
            assert_eq!(made.to_string().parse(), Ok(made));
        }
        assert_eq!("order 1".parse::<Made>(), Err(()));
    }
}
