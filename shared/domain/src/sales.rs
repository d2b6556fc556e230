//! What was sold in a day.

use std::collections::BTreeMap;

use ferrite_core::Day;
use serde::Serialize;

use crate::{Currency, Order, ProductId};

/// What was sold of one product in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductSales {
    /// Which product.
    pub product_id: ProductId,
    /// In which currency.
    pub currency: Currency,
    /// In how many orders.
    pub orders: u64,
    /// How many pieces.
    pub quantity: u64,
    /// For how much, in the currency's minor unit. One order is bounded and a day of them is not, so this can be more than
    /// [`crate::Amount::MAX`], and more than 2⁵³: read it as an integer.
    pub amount: u128,
}

/// What was sold in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct CurrencySales {
    currency: Currency,
    orders: u64,
    amount: u128,
}

/// What was sold on one day, by product and by currency: the orders that were paid on it.
///
/// What it holds grows with the products that were sold and not with the orders. What it says does not depend on the order that
/// they were added in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SalesReport {
    day: Day,
    products: BTreeMap<(ProductId, Currency), ProductSales>,
    currencies: BTreeMap<Currency, CurrencySales>,
}

/// One file of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile {
    /// What it is kept under: `sales/<day>.<extension>`.
    pub key: String,
    /// Its media type.
    pub content_type: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// A report could not be written down.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// As CSV.
    #[error("a report could not be written as CSV")]
    Csv(#[from] csv::Error),
    /// As JSON.
    #[error("a report could not be written as JSON")]
    Json(#[from] serde_json::Error),
}

impl SalesReport {
    /// The report of a day on which nothing was sold so far.
    pub fn of(day: Day) -> Self {
        Self { day, products: BTreeMap::new(), currencies: BTreeMap::new() }
    }

    /// Adds an order that was paid on the day.
    ///
    /// No sum can wrap: a line is at most 1,000 pieces and 10¹⁵ minor units, so that it would take more than 10¹⁶ of them.
    pub fn add(&mut self, order: &Order) {
        for line in &order.lines {
            let (product_id, currency) = (line.product_id, line.unit_price.currency);
            let sold = self.products.entry((product_id, currency)).or_insert(ProductSales {
                product_id,
                currency,
                orders: 0,
                quantity: 0,
                amount: 0,
            });
            let pieces = line.quantity.get();
            sold.orders += 1;
            sold.quantity += u64::from(pieces);
            sold.amount += u128::from(line.unit_price.amount.minor_units()) * u128::from(pieces);
        }
        let currency = order.total.currency;
        let sold = self.currencies.entry(currency).or_insert(CurrencySales { currency, orders: 0, amount: 0 });
        sold.orders += 1;
        sold.amount += u128::from(order.total.amount.minor_units());
    }

    /// What was sold of each product, by the products' identifiers.
    pub fn products(&self) -> impl ExactSizeIterator<Item = &ProductSales> {
        self.products.values()
    }

    /// The report as files, each the same bytes however often it is made of the same orders.
    ///
    /// # Errors
    /// Whatever the writers of the formats say; nothing that can be in a report leads to it.
    pub fn files(&self) -> Result<[ReportFile; 2], ReportError> {
        let file = |extension, content_type, bytes| ReportFile {
            key: format!("sales/{}.{extension}", self.day),
            content_type,
            bytes,
        };
        Ok([file("json", "application/json", self.to_json()?), file("csv", "text/csv; charset=utf-8", self.to_csv()?)])
    }

    /// One line for each product and currency under a line that names the columns (RFC 4180).
    ///
    /// # Errors
    /// As [`SalesReport::files`].
    pub fn to_csv(&self) -> Result<Vec<u8>, ReportError> {
        let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).has_headers(false).from_writer(Vec::new());
        csv.write_record(["productId", "currency", "orders", "quantity", "amount"])?;
        for product in self.products() {
            csv.serialize(product)?;
        }
        csv.into_inner().map_err(|error| ReportError::Csv(error.into_error().into()))
    }

    /// `{"day", "totals": [{"currency", "orders", "amount"}], "products": […]}`, each product as [`ProductSales`] has it.
    ///
    /// # Errors
    /// As [`SalesReport::files`].
    pub fn to_json(&self) -> Result<Vec<u8>, ReportError> {
        #[derive(Serialize)]
        struct Written<'a> {
            day: Day,
            totals: Vec<&'a CurrencySales>,
            products: Vec<&'a ProductSales>,
        }
        let written =
            Written { day: self.day, totals: self.currencies.values().collect(), products: self.products().collect() };
        let mut json = serde_json::to_vec_pretty(&written)?;
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

    /// A paid order of `lines`: product, pieces and the price of one.
    fn order(currency: &str, lines: &[(u128, u64, u64)]) -> Order {
        let money = |amount: u64| Money {
            amount: Amount::try_from(amount).unwrap(),
            currency: currency.to_owned().try_into().unwrap(),
        };
        let line = |&(n, pieces, price): &(u128, u64, u64)| OrderLine {
            product_id: product(n),
            quantity: Quantity::try_from(pieces).unwrap(),
            unit_price: money(price),
        };
        let now = Timestamp::from_unix_millis(1_795_384_800_000);
        Order {
            id: Uuid::nil().into(),
            customer: "ada".to_owned().try_into().unwrap(),
            status: OrderStatus::Paid,
            lines: lines.iter().map(line).collect(),
            total: money(lines.iter().map(|(_, pieces, price)| pieces * price).sum()),
            payment_token: PaymentToken::try_from("tok_success".to_owned()).unwrap(),
            version: Version::FIRST.next(),
            created_at: now,
            updated_at: now,
        }
    }

    fn report(orders: &[Order]) -> SalesReport {
        let mut report = SalesReport::of(day());
        orders.iter().for_each(|order| report.add(order));
        report
    }

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn sales_are_added_up_by_product_and_currency() {
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
    fn a_report_is_the_same_bytes_whatever_order_the_orders_come_in() {
        let mut orders: Vec<Order> =
            (0..100).map(|n| order(["EUR", "USD", "JPY"][n % 3], &[(n as u128 % 7, 1, 5)])).collect();
        let files = report(&orders).files().unwrap();
        orders.reverse();
        assert_eq!(report(&orders).files().unwrap(), files);
        assert_eq!(files.map(|file| file.key), ["sales/2026-11-22.json", "sales/2026-11-22.csv"]);
    }

    #[test]
    fn a_day_without_sales_has_a_report() {
        let report = SalesReport::of(day());
        assert_eq!(text(report.to_csv().unwrap()), "productId,currency,orders,quantity,amount\r\n");
        let json: serde_json::Value = serde_json::from_slice(&report.to_json().unwrap()).unwrap();
        assert_eq!(json, serde_json::json!({"day": "2026-11-22", "totals": [], "products": []}));
    }

    #[test]
    fn sums_past_what_one_order_may_cost_and_past_64_bits_are_exact() {
        let dearest = order("JPY", &[(1, 1, Amount::MAX)]);
        let mut report = report(&[dearest.clone(), dearest]);
        assert_eq!(report.products().next().unwrap().amount, 2 * u128::from(Amount::MAX));

        let (u64_max, key) = (u128::from(u64::MAX), (product(1), "JPY".to_owned().try_into().unwrap()));
        report.products.get_mut(&key).unwrap().amount = u64_max;
        report.currencies.get_mut(&key.1).unwrap().amount = u64_max;
        report.add(&order("JPY", &[(1, 1, 1)]));
        assert!(text(report.to_csv().unwrap()).contains(",18446744073709551616\r\n"));
        assert_eq!(text(report.to_json().unwrap()).matches("18446744073709551616").count(), 2);
    }

    #[test]
    fn a_day_of_100_000_orders_is_held_as_one_row_for_each_product() {
        const PRODUCTS: u64 = 40;
        let one = |n: u64| order("EUR", &[((n % PRODUCTS).into(), n % 3 + 1, n % 1000), (1000, 1, 7)]);
        let mut report = SalesReport::of(day());
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
