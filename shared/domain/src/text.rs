//! Text that admins and customers enter.

use ferrite_core::text::{Lines, Name};

ferrite_core::text!(
    /// The name of a product: one line of 1 to 200 characters.
    ProductName,
    200,
    Name
);
ferrite_core::text!(
    /// The description of a product: 1 to 4,000 characters, including line breaks and tabs.
    Description,
    4000,
    Lines
);
ferrite_core::text!(
    /// The name of a customer: one line of 1 to 200 characters.
    CustomerName,
    200,
    Name
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_line_breaks_in_descriptions_only() {
        assert_eq!(Description::try_from("one\r\n\ttwo\n".to_owned()).unwrap().as_str(), "one\r\n\ttwo");
        assert!(Description::try_from("bell\u{7}".to_owned()).is_err());
        assert!(ProductName::try_from("a\nb".to_owned()).is_err());
    }
}
