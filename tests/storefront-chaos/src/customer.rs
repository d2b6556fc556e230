//! A customer: registers, then does what the script says, and keeps a diary.

use std::collections::VecDeque;
use std::thread;

use serde_json::json;

use super::StormError;
use super::script::{Purchase, Repeated};
use super::shop::{Answer, Call, Shop};

/// One customer with a token of their own.
#[derive(Debug)]
pub(crate) struct Customer<'a> {
    pub(crate) shop: &'a Shop,
    pub(crate) id: String,
    pub(crate) token: String,
    /// The identifiers of what there is to buy.
    pub(crate) products: &'a [String],
    pub(crate) diary: Diary,
}

/// What a customer was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Diary {
    pub(crate) email: String,
    pub(crate) registered: bool,
    /// The orders that were accepted.
    pub(crate) accepted: Vec<String>,
    /// The orders of which it was answered that they are cancelled.
    pub(crate) cancelled: Vec<String>,
    /// How many orders were refused for want of stock.
    pub(crate) refused: u64,
    /// How many requests there were, each counted once however often it was sent.
    pub(crate) requests: u64,
    /// How often a request was sent again for want of an answer.
    pub(crate) retries: u64,
    /// How many requests that had been answered were sent again, and answered the same.
    pub(crate) same: u64,
    /// Answers to a repeated request that are others than the first.
    pub(crate) others: Vec<String>,
    /// Answers that no customer should get.
    pub(crate) unexpected: Vec<String>,
}

impl Customer<'_> {
    pub(crate) fn register(&mut self) -> Result<(), StormError> {
        self.diary.email = format!("{}@example.com", self.id);
        let body = json!({ "email": self.diary.email, "name": format!("Customer {}", self.id) });
        let call = Call { method: "PUT", path: "/me".to_owned(), token: &self.token.clone(), key: None, body: Some(body) };
        let answer = self.insist(&call)?;
        self.diary.registered = matches!(answer.status, 200 | 201);
        if !self.diary.registered {
            self.unexpected(&call, &answer);
        }
        Ok(())
    }

    /// Makes the purchases, one after the other.
    pub(crate) fn shop(&mut self, purchases: impl Iterator<Item = Purchase>) -> Result<(), StormError> {
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
    pub(crate) fn buy(&mut self, number: usize, purchase: &Purchase) -> Result<Option<String>, StormError> {
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
            Repeated::Not => self.insist(&call)?,
            Repeated::Afterwards => {
                let answer = self.insist(&call)?;
                // A refusal is not kept: what was out of stock may be there by now.
                if answer.status == 202 {
                    let again = self.insist(&call)?;
                    self.compare(&call, &answer, &again);
                }
                answer
            }
            Repeated::AtTheSameTime => {
                let (one, other) = thread::scope(|scope| {
                    let other = scope.spawn(|| self.shop.insist(&call));
                    (self.shop.insist(&call), other.join().unwrap_or(Err(StormError::Interrupted)))
                });
                let (one, other) = (self.count(one)?, self.count(other)?);
                let (accepted, other) = if one.status == 202 { (one, other) } else { (other, one) };
                if accepted.status == 202 {
                    // What was refused for want of stock may have come first, and the stock a moment later.
                    let other = if is_out_of_stock(&other) { self.insist(&call)? } else { other };
                    self.compare(&call, &accepted, &other);
                }
                accepted
            }
        };
        match answer.status {
            202 => {
                let order = answer.json()["id"].as_str().unwrap_or_default().to_owned();
                self.diary.accepted.push(order.clone());
                return Ok(Some(order));
            }
            _ if is_out_of_stock(&answer) => self.diary.refused += 1,
            _ => self.unexpected(&call, &answer),
        }
        Ok(None)
    }

    fn cancel_all(&mut self, due: VecDeque<(usize, String, usize)>) -> Result<(), StormError> {
        due.into_iter().try_for_each(|(_, order, times)| self.cancel(&order, times))
    }

    fn cancel(&mut self, order: &str, times: usize) -> Result<(), StormError> {
        let token = self.token.clone();
        let call = Call { method: "POST", path: format!("/orders/{order}/cancel"), token: &token, key: None, body: None };
        let answer = self.insist(&call)?;
        match answer.status {
            200 => self.diary.cancelled.push(order.to_owned()),
            // Its payment was decided before.
            409 => {}
            _ => self.unexpected(&call, &answer),
        }
        for _ in 1..times {
            let again = self.insist(&call)?;
            let same =
                Answer { body: if answer.status == 200 { answer.body.clone() } else { again.body.clone() }, ..answer };
            self.compare(&call, &same, &again);
        }
        Ok(())
    }

    fn insist(&mut self, call: &Call<'_>) -> Result<Answer, StormError> {
        let answered = self.shop.insist(call);
        self.count(answered)
    }

    fn count(&mut self, answered: Result<(Answer, u64), StormError>) -> Result<Answer, StormError> {
        let (answer, retries) = answered?;
        self.diary.requests += 1;
        self.diary.retries += retries;
        Ok(answer)
    }

    fn compare(&mut self, call: &Call<'_>, first: &Answer, again: &Answer) {
        if first == again {
            self.diary.same += 1;
        } else {
            let what = format!("{} {} {}", self.id, call.path, call.key.as_deref().unwrap_or_default());
            self.diary
                .others
                .push(format!("{what}: first {} {}, then {} {}", first.status, first.body, again.status, again.body));
        }
    }

    fn unexpected(&mut self, call: &Call<'_>, answer: &Answer) {
        let text = format!("{} {} {}: {} {}", self.id, call.method, call.path, answer.status, answer.body);
        self.diary.unexpected.push(text);
    }
}

fn is_out_of_stock(answer: &Answer) -> bool {
    answer.status == 409 && answer.json()["type"] == "urn:ferrite:problem:out-of-stock"
}
