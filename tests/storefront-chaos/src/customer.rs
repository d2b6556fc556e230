//! A customer, who registers, follows the script and keeps a history.

use std::collections::VecDeque;
use std::thread;

use serde_json::json;

use crate::error::ChaosError;
use crate::history::History;
use crate::script::{Purchase, Repeated};
use crate::shop::{Answer, Call, Shop};

/// One customer with a token of their own.
#[derive(Debug)]
pub(crate) struct Customer<'a> {
    pub(crate) shop: &'a Shop,
    pub(crate) id: String,
    pub(crate) token: String,
    /// The identifiers of what there is to buy.
    pub(crate) products: &'a [String],
    pub(crate) history: History,
}

impl Customer<'_> {
    pub(crate) fn register(&mut self) -> Result<(), ChaosError> {
        self.history.email = format!("{}@example.com", self.id);
        let body = json!({ "email": self.history.email, "name": format!("Customer {}", self.id) });
        let call = Call { method: "PUT", path: "/me".to_owned(), token: &self.token.clone(), key: None, body: Some(body) };
        let answer = self.send(&call)?;
        self.history.registered = matches!(answer.status, 200 | 201);
        if !self.history.registered {
            self.unexpected(&call, &answer);
        }
        Ok(())
    }

    /// Makes the purchases, one after the other.
    pub(crate) fn shop(&mut self, purchases: impl Iterator<Item = Purchase>) -> Result<(), ChaosError> {
        let mut to_cancel: VecDeque<(usize, String, usize)> = VecDeque::new();
        for (number, purchase) in purchases.enumerate() {
            let placed = self.buy(number, &purchase)?;
            if let Some((order, cancelled)) = placed.zip(purchase.cancelled) {
                to_cancel.push_back((number + cancelled.after, order, cancelled.times));
            }
            let (due, later) = to_cancel.into_iter().partition(|(when, ..)| *when <= number);
            to_cancel = later;
            self.cancel_all(due)?;
        }
        self.cancel_all(to_cancel)
    }

    /// The order, if it was accepted.
    pub(crate) fn buy(&mut self, number: usize, purchase: &Purchase) -> Result<Option<String>, ChaosError> {
        let lines: Vec<_> = purchase
            .lines
            .iter()
            .filter_map(|(product, quantity)| {
                Some(json!({ "productId": self.products.get(*product)?, "quantity": quantity }))
            })
            .collect();
        let body = json!({ "lines": lines, "paymentToken": purchase.payment_token });
        let (token, key) = (self.token.clone(), Some(format!("purchase-{number}")));
        let call = Call { method: "POST", path: "/orders".to_owned(), token: &token, key, body: Some(body) };
        let answer = match purchase.repeated {
            Repeated::Not => self.send(&call)?,
            Repeated::Afterwards => {
                let answer = self.send(&call)?;
                // A rejection is not saved: a product may be in stock again.
                if answer.status == 202 {
                    let again = self.send(&call)?;
                    self.compare(&call, &answer, &again);
                }
                answer
            }
            Repeated::AtTheSameTime => {
                let (one, other) = thread::scope(|scope| {
                    let other = scope.spawn(|| self.shop.send_until_final(&call));
                    (self.shop.send_until_final(&call), other.join().unwrap_or(Err(ChaosError::Interrupted)))
                });
                let (one, other) = (self.count(one)?, self.count(other)?);
                let (accepted, other) = if one.status == 202 { (one, other) } else { (other, one) };
                if accepted.status == 202 {
                    // The rejected request may have come first, and the stock a moment later.
                    let other = if is_out_of_stock(&other) { self.send(&call)? } else { other };
                    self.compare(&call, &accepted, &other);
                }
                accepted
            }
        };
        match answer.status {
            202 => {
                let order = answer.json()["id"].as_str().unwrap_or_default().to_owned();
                self.history.accepted.push(order.clone());
                return Ok(Some(order));
            }
            _ if is_out_of_stock(&answer) => self.history.out_of_stock += 1,
            _ => self.unexpected(&call, &answer),
        }
        Ok(None)
    }

    fn cancel_all(&mut self, due: VecDeque<(usize, String, usize)>) -> Result<(), ChaosError> {
        due.into_iter().try_for_each(|(_, order, times)| self.cancel(&order, times))
    }

    fn cancel(&mut self, order: &str, times: usize) -> Result<(), ChaosError> {
        let token = self.token.clone();
        let call = Call { method: "POST", path: format!("/orders/{order}/cancel"), token: &token, key: None, body: None };
        let answer = self.send(&call)?;
        match answer.status {
            200 => self.history.cancelled.push(order.to_owned()),
            // Its payment was decided before.
            409 => {}
            _ => self.unexpected(&call, &answer),
        }
        for _ in 1..times {
            let again = self.send(&call)?;
            let same =
                Answer { body: if answer.status == 200 { answer.body.clone() } else { again.body.clone() }, ..answer };
            self.compare(&call, &same, &again);
        }
        Ok(())
    }

    fn send(&mut self, call: &Call<'_>) -> Result<Answer, ChaosError> {
        let answered = self.shop.send_until_final(call);
        self.count(answered)
    }

    fn count(&mut self, answered: Result<(Answer, u64), ChaosError>) -> Result<Answer, ChaosError> {
        let (answer, retries) = answered?;
        self.history.requests += 1;
        self.history.retries += retries;
        Ok(answer)
    }

    fn compare(&mut self, call: &Call<'_>, first: &Answer, again: &Answer) {
        if first == again {
            self.history.same += 1;
        } else {
            let what = format!("{} {} {}", self.id, call.path, call.key.as_deref().unwrap_or_default());
            self.history
                .different
                .push(format!("{what}: first {} {}, then {} {}", first.status, first.body, again.status, again.body));
        }
    }

    fn unexpected(&mut self, call: &Call<'_>, answer: &Answer) {
        let text = format!("{} {} {}: {} {}", self.id, call.method, call.path, answer.status, answer.body);
        self.history.unexpected.push(text);
    }
}

fn is_out_of_stock(answer: &Answer) -> bool {
    answer.status == 409 && answer.json()["type"] == "urn:ferrite:problem:out-of-stock"
}
