//! The daily sales report.

use std::collections::BTreeMap;

use ferrite_core::Day;
use serde::Serialize;

use crate::{Currency, Order, ProductId};

/// Sales of one product in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductSales {
    /// The product.
    pub product_id: ProductId,
    /// Currency of the sales.
    pub currency: Currency,
    /// Number of orders that contain the product.
    pub orders: u64,
    /// Number of units sold.
    pub quantity: u64,
    /// Revenue in the currency's minor unit. Orders are limited in amount but not in number, so the value can exceed
    /// [`crate::Amount::MAX`] and 2⁵³. Readers must parse it as an integer.
    pub amount: u128,
}

/// Sales of all products in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct CurrencySales {
    currency: Currency,
    orders: u64,
    amount: u128,
}

/// Sales of one day, by product and by currency. It covers the orders that were paid on that day.
///
/// Its memory use grows with the number of products sold, not with the number of orders. The result does not depend on
/// the sequence in which orders are added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SalesReport {
    day: Day,
    products: BTreeMap<(ProductId, Currency), ProductSales>,
    currencies: BTreeMap<Currency, CurrencySales>,
}

/// One file of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile {
    /// Object key: `sales/<day>.<extension>`.
    pub key: String,
    /// Media type of the file.
    pub content_type: &'static str,
    /// Content of the file.
    pub bytes: Vec<u8>,
}

/// A report could not be serialized.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// CSV serialization failed.
    #[error("cannot write the report as CSV")]
    Csv(#[from] csv::Error),
    /// JSON serialization failed.
    #[error("cannot write the report as JSON")]
    Json(#[from] serde_json::Error),
}

impl SalesReport {
    /// Creates an empty report for a day.
    pub fn new(day: Day) -> Self {
        Self { day, products: BTreeMap::new(), currencies: BTreeMap::new() }
    }

    /// Adds an order that was paid on the day.
    ///
    /// The sums cannot overflow in practice. A line has at most 1,000 units and 10¹⁵ minor units, so an overflow would
    /// take more than 10¹⁶ lines.
    pub fn add(&mut self, order: &Order) {
        for line in &order.lines {
            let product_id = line.product_id;
            let currency = line.unit_price.currency;
            let sold = self.products.entry((product_id, currency)).or_insert(ProductSales {
                product_id,
                currency,
                orders: 0,
                quantity: 0,
                amount: 0,
            });
            let units = line.quantity.get();
            sold.orders += 1;
            sold.quantity += u64::from(units);
            sold.amount += u128::from(line.unit_price.amount.minor_units()) * u128::from(units);
        }
        let currency = order.total.currency;
        let sold = self.currencies.entry(currency).or_insert(CurrencySales { currency, orders: 0, amount: 0 });
        sold.orders += 1;
        sold.amount += u128::from(order.total.amount.minor_units());
    }

    /// Returns the sales of each product and currency, sorted by product identifier.
    pub fn products(&self) -> impl ExactSizeIterator<Item = &ProductSales> {
        self.products.values()
    }

    /// Returns the report as a JSON file and a CSV file. The same orders always produce the same bytes.
    ///
    /// # Errors
    /// Returns an error if serialization fails, which no valid report can cause.
    pub fn files(&self) -> Result<[ReportFile; 2], ReportError> {
        let file = |extension, content_type, bytes| ReportFile {
            key: format!("sales/{}.{extension}", self.day),
            content_type,
            bytes,
        };
        Ok([file("json", "application/json", self.to_json()?), file("csv", "text/csv; charset=utf-8", self.to_csv()?)])
    }

    /// Returns the report as CSV (RFC 4180): a header row, then one row per product and currency.
    ///
    /// # Errors
    /// Returns the same errors as [`SalesReport::files`].
    pub fn to_csv(&self) -> Result<Vec<u8>, ReportError> {
        let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).has_headers(false).from_writer(Vec::new());
        csv.write_record(["productId", "currency", "orders", "quantity", "amount"])?;
        for product in self.products() {
            csv.serialize(product)?;
        }
        csv.into_inner().map_err(|error| ReportError::Csv(error.into_error().into()))
    }

    /// Returns the report as JSON: `{"day", "totals": [{"currency", "orders", "amount"}], "products": […]}`. Each
    /// product has the fields of [`ProductSales`].
    ///
    /// # Errors
    /// Returns the same errors as [`SalesReport::files`].
    pub fn to_json(&self) -> Result<Vec<u8>, ReportError> {
        #[derive(Serialize)]
        struct ReportDocument<'a> {
            day: Day,
            totals: Vec<&'a CurrencySales>,
            products: Vec<&'a ProductSales>,
        }
        let document = ReportDocument {
            day: self.day,
            totals: self.currencies.values().collect(),
            products: self.products().collect(),
        };
        let mut json = serde_json::to_vec_pretty(&document)?;
        json.push(b'\n');
        Ok(json)
    }
}

#[cfg(test)]
mod tests {
    use ferrite_core::{Timestamp, Version};
    use uuid::Uuid;

    use super::*;
    use crate::{Amount, Money, OrderLine, OrderStatus, PaymentToken, Quantity};

    fn day() -> Day {
        "2026-11-22".parse().unwrap()
    }

    fn product(n: u128) -> ProductId {
        Uuid::from_u128(n).into()
    }

    /// Creates a paid order. Each line is a tuple of product number, quantity, and unit price.
    fn order(currency: &str, lines: &[(u128, u64, u64)]) -> Order {
        let money = |amount: u64| Money {
            amount: Amount::try_from(amount).unwrap(),
            currency: currency.to_owned().try_into().unwrap(),
        };
        let line = |&(n, quantity, price): &(u128, u64, u64)| OrderLine {
            product_id: product(n),
            quantity: Quantity::try_from(quantity).unwrap(),
            unit_price: money(price),
        };
        let now = Timestamp::from_unix_millis(1_795_384_800_000);
        Order {
            id: Uuid::nil().into(),
            customer: "ada".to_owned().try_into().unwrap(),
            status: OrderStatus::Paid,
            lines: lines.iter().map(line).collect(),
            total: money(lines.iter().map(|(_, quantity, price)| quantity * price).sum()),
            payment_token: PaymentToken::try_from("tok_success".to_owned()).unwrap(),
            version: Version::FIRST.next(),
            created_at: now,
            updated_at: now,
        }
    }

    fn report(orders: &[Order]) -> SalesReport {
        let mut report = SalesReport::new(day());
        orders.iter().for_each(|order| report.add(order));
        report
    }

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn sums_sales_by_product_and_currency() {
        let orders =
            [order("EUR", &[(2, 3, 250), (1, 1, 1999)]), order("USD", &[(2, 1, 300)]), order("EUR", &[(2, 1, 260)])];
        let rows = [
            "productId,currency,orders,quantity,amount".to_owned(),
            format!("{},EUR,1,1,1999", product(1)),
            format!("{},EUR,2,4,1010", product(2)),
            format!("{},USD,1,1,300", product(2)),
        ];
        assert_eq!(text(report(&orders).to_csv().unwrap()), rows.map(|row| row + "\r\n").concat());

        let json: serde_json::Value = serde_json::from_slice(&report(&orders).to_json().unwrap()).unwrap();
        let totals = serde_json::json!([
            {"currency": "EUR", "orders": 2, "amount": 3009},
            {"currency": "USD", "orders": 1, "amount": 300},
        ]);
        assert_eq!((&json["day"], &json["totals"]), (&"2026-11-22".into(), &totals));
        let tea = serde_json::json!(
            {"productId": product(2), "currency": "EUR", "orders": 2, "quantity": 4, "amount": 1010}
        );
        assert_eq!(json["products"][1], tea);
    }

    #[test]
    fn produces_the_same_bytes_in_any_sequence_of_orders() {
        let mut orders: Vec<Order> =
            (0..100).map(|n| order(["EUR", "USD", "JPY"][n % 3], &[(n as u128 % 7, 1, 5)])).collect();
        let files = report(&orders).files().unwrap();
        orders.reverse();
        assert_eq!(report(&orders).files().unwrap(), files);
        assert_eq!(files.map(|file| file.key), ["sales/2026-11-22.json", "sales/2026-11-22.csv"]);
    }

    #[test]
    fn reports_a_day_without_sales() {
        let report = SalesReport::new(day());
        assert_eq!(text(report.to_csv().unwrap()), "productId,currency,orders,quantity,amount\r\n");
        let json: serde_json::Value = serde_json::from_slice(&report.to_json().unwrap()).unwrap();
        assert_eq!(json, serde_json::json!({"day": "2026-11-22", "totals": [], "products": []}));
    }

    #[test]
    fn sums_beyond_the_order_limit_and_64_bits_are_exact() {
        let largest = order("JPY", &[(1, 1, Amount::MAX)]);
        let mut report = report(&[largest.clone(), largest]);
        assert_eq!(report.products().next().unwrap().amount, 2 * u128::from(Amount::MAX));

        let u64_max = u128::from(u64::MAX);
        let key = (product(1), "JPY".to_owned().try_into().unwrap());
        report.products.get_mut(&key).unwrap().amount = u64_max;
        report.currencies.get_mut(&key.1).unwrap().amount = u64_max;
        report.add(&order("JPY", &[(1, 1, 1)]));
        assert!(text(report.to_csv().unwrap()).contains(",18446744073709551616\r\n"));
        assert_eq!(text(report.to_json().unwrap()).matches("18446744073709551616").count(), 2);
    }

    #[test]
    fn keeps_one_row_per_product_for_100_000_orders() {
        const PRODUCTS: u64 = 40;
        let one = |n: u64| order("EUR", &[((n % PRODUCTS).into(), n % 3 + 1, n % 1000), (1000, 1, 7)]);
        let mut report = SalesReport::new(day());
        for page in 0..1000 {
            (page * 100..(page + 1) * 100).for_each(|n| report.add(&one(n)));
            assert_eq!(report.products().len() as u64, PRODUCTS + 1);
        }
        let expected: u64 = (0..100_000).map(|n| (n % 3 + 1) * (n % 1000) + 7).sum();
        assert_eq!(report.products().map(|sold| sold.amount).sum::<u128>(), u128::from(expected));
        let totals: Vec<_> = report.currencies.values().map(|sold| (sold.orders, sold.amount)).collect();
        assert_eq!(totals, [(100_000, u128::from(expected))]);
    }
}
