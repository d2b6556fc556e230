//! A simulated customer, who registers, confirms the e-mail address, follows the script and records a history.

use std::collections::VecDeque;
use std::thread;

use serde_json::{Value, json};

use crate::emulator::Emulator;
use crate::error::ChaosError;
use crate::history::{History, Role};
use crate::script::{Purchase, Repetition};
use crate::shop::{ApiRequest, ApiResponse, Shop};

/// The mailbox of the stranger whose addresses impostors enter.
pub(crate) const STRANGER: &str = "stranger";
/// Part of every name that an impostor chooses.
pub(crate) const SPAM: &str = "Win $500";
/// A customer with their own token.
#[derive(Debug)]
pub(crate) struct Customer<'a> {
    pub(crate) shop: &'a Shop,
    /// The mailboxes of all customers.
    pub(crate) emulator: &'a Emulator,
    /// Number of e-mails that had been sent before the run.
    pub(crate) initial_emails: usize,
    pub(crate) id: String,
    pub(crate) token: String,
    /// IDs of the products that the customer can order.
    pub(crate) products: &'a [String],
    pub(crate) history: History,
}

impl Customer<'_> {
    pub(crate) fn register(&mut self) -> Result<(), ChaosError> {
        let id = self.id.clone();
        let (email, name) = match self.history.role {
            Role::Owner => (format!("{id}@example.com"), format!("Customer {id}")),
            Role::Bouncing => (format!("bounce+{id}@simulator.amazonses.com"), format!("Customer {id}")),
            Role::Impostor => (format!("{STRANGER}+{id}@example.com"), format!("{SPAM}, {id}")),
        };
        self.history.email.clone_from(&email);
        let response = self.account("PUT", "/me", Some(json!({ "email": email, "name": name })), &[200, 201])?;
        self.history.registered = response.is_some();
        Ok(())
    }

    /// Sends a request about the customer's account. Returns the body if the status is one of those expected.
    fn account(
        &mut self,
        method: &'static str,
        path: &str,
        body: Option<Value>,
        expected: &[u16],
    ) -> Result<Option<Value>, ChaosError> {
        let token = self.token.clone();
        let request = ApiRequest { method, path: path.to_owned(), token: &token, key: None, body };
        let response = self.send(&request)?;
        if expected.contains(&response.status) {
            return Ok(Some(response.json()));
        }
        self.record_unexpected(&request, &response);
        Ok(None)
    }

    /// Does what the customer's role does about e-mail between two purchases.
    fn handle_email(&mut self, number: usize) -> Result<(), ChaosError> {
        match self.history.role {
            Role::Impostor => {
                let email = format!("{STRANGER}+{}-{number}@example.com", self.id);
                let body = json!({ "email": email, "name": format!("{SPAM}, {number}") });
                self.account("PUT", "/me", Some(body), &[200]).map(drop)
            }
            Role::Owner | Role::Bouncing => {
                self.confirm_if_received()?;
                if self.history.role == Role::Bouncing && !self.history.bounced {
                    let profile = self.account("GET", "/me", None, &[200])?;
                    self.history.bounced = profile.is_some_and(|profile| profile["emailStatus"] == "bounced");
                }
                Ok(())
            }
        }
    }

    /// Confirms the address if the welcome e-mail has arrived. Sends the confirmation twice: the second request must
    /// succeed too.
    pub(crate) fn confirm_if_received(&mut self) -> Result<(), ChaosError> {
        if self.history.confirmed || !self.history.registered || self.history.role == Role::Impostor {
            return Ok(());
        }
        let emails = self.emulator.emails()?;
        let welcome = emails.iter().skip(self.initial_emails).find(|email| email.to.contains(&self.history.email));
        let Some(token) = welcome.and_then(|email| email.text.lines().find(|line| is_confirmation_token(line))) else {
            return Ok(());
        };
        for _ in 0..2 {
            let body = json!({ "token": token });
            self.history.confirmed = self.account("POST", "/me/email-confirmation", Some(body), &[200])?.is_some();
        }
        Ok(())
    }

    /// Makes the purchases one after the other, and cancels orders as the script specifies.
    pub(crate) fn make_purchases(&mut self, purchases: impl Iterator<Item = Purchase>) -> Result<(), ChaosError> {
        let mut to_cancel: VecDeque<(usize, String, usize)> = VecDeque::new();
        for (number, purchase) in purchases.enumerate() {
            self.handle_email(number)?;
            let placed = self.place_order(number, &purchase)?;
            if let Some((order, cancellation)) = placed.zip(purchase.cancellation) {
                to_cancel.push_back((number + cancellation.after, order, cancellation.times));
            }
            let (due, later) = to_cancel.into_iter().partition(|(when, ..)| *when <= number);
            to_cancel = later;
            self.cancel_all(due)?;
        }
        self.cancel_all(to_cancel)
    }

    /// Places an order, and repeats the request as the script specifies. Returns the ID of the order if it was accepted.
    pub(crate) fn place_order(&mut self, number: usize, purchase: &Purchase) -> Result<Option<String>, ChaosError> {
        let lines: Vec<_> = purchase
            .lines
            .iter()
            .filter_map(|(product, quantity)| {
                Some(json!({ "productId": self.products.get(*product)?, "quantity": quantity }))
            })
            .collect();
        let body = json!({ "lines": lines, "paymentToken": purchase.payment_token });
        let token = self.token.clone();
        let key = Some(format!("purchase-{number}"));
        let request = ApiRequest { method: "POST", path: "/orders".to_owned(), token: &token, key, body: Some(body) };
        let response = match purchase.repetition {
            Repetition::None => self.send(&request)?,
            Repetition::Sequential => {
                let response = self.send(&request)?;
                // A rejected order is not saved under the key, because the product may be restocked.
                if response.status == 202 {
                    let repeated = self.send(&request)?;
                    self.compare(&request, &response, &repeated);
                }
                response
            }
            Repetition::Concurrent => {
                let (first, second) = thread::scope(|scope| {
                    let second = scope.spawn(|| self.shop.send_until_final(&request));
                    (self.shop.send_until_final(&request), second.join().unwrap_or(Err(ChaosError::Interrupted)))
                });
                let first = self.count(first)?;
                let second = self.count(second)?;
                let (accepted, other) = if first.status == 202 { (first, second) } else { (second, first) };
                if accepted.status == 202 {
                    // The rejected request may have been handled first, before stock became available again.
                    let other = if is_out_of_stock(&other) { self.send(&request)? } else { other };
                    self.compare(&request, &accepted, &other);
                }
                accepted
            }
        };
        match response.status {
            202 => {
                let order = response.json()["id"].as_str().unwrap_or_default().to_owned();
                self.history.accepted.push(order.clone());
                if self.history.bounced || self.history.role == Role::Impostor {
                    self.history.unannounced.insert(order.clone());
                } else if self.history.confirmed && self.history.role == Role::Owner {
                    self.history.announced.insert(order.clone());
                }
                return Ok(Some(order));
            }
            _ if is_out_of_stock(&response) => self.history.out_of_stock += 1,
            _ => self.record_unexpected(&request, &response),
        }
        Ok(None)
    }

    fn cancel_all(&mut self, due: VecDeque<(usize, String, usize)>) -> Result<(), ChaosError> {
        due.into_iter().try_for_each(|(_, order, times)| self.cancel(&order, times))
    }

    fn cancel(&mut self, order: &str, times: usize) -> Result<(), ChaosError> {
        let token = self.token.clone();
        let path = format!("/orders/{order}/cancel");
        let request = ApiRequest { method: "POST", path, token: &token, key: None, body: None };
        let response = self.send(&request)?;
        match response.status {
            200 => self.history.cancelled.push(order.to_owned()),
            // The payment was already completed or declined.
            409 => {}
            _ => self.record_unexpected(&request, &response),
        }
        for _ in 1..times {
            let repeated = self.send(&request)?;
            // Only the bodies of successful cancellations must be equal.
            let body = if response.status == 200 { response.body.clone() } else { repeated.body.clone() };
            self.compare(&request, &ApiResponse { body, ..response }, &repeated);
        }
        Ok(())
    }

    fn send(&mut self, request: &ApiRequest<'_>) -> Result<ApiResponse, ChaosError> {
        let result = self.shop.send_until_final(request);
        self.count(result)
    }

    fn count(&mut self, result: Result<(ApiResponse, u64), ChaosError>) -> Result<ApiResponse, ChaosError> {
        let (response, retries) = result?;
        self.history.requests += 1;
        self.history.retries += retries;
        Ok(response)
    }

    fn compare(&mut self, request: &ApiRequest<'_>, first: &ApiResponse, repeated: &ApiResponse) {
        if first == repeated {
            self.history.same += 1;
        } else {
            let subject = format!("{} {} {}", self.id, request.path, request.key.as_deref().unwrap_or_default());
            self.history.different.push(format!(
                "{subject}: first {} {}, then {} {}",
                first.status, first.body, repeated.status, repeated.body
            ));
        }
    }

    fn record_unexpected(&mut self, request: &ApiRequest<'_>, response: &ApiResponse) {
        let text = format!("{} {} {}: {} {}", self.id, request.method, request.path, response.status, response.body);
        self.history.unexpected.push(text);
    }
}

fn is_confirmation_token(line: &str) -> bool {
    line.len() == 32 && line.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_out_of_stock(response: &ApiResponse) -> bool {
    response.status == 409 && response.json()["type"] == "urn:ferrite:problem:out-of-stock"
}
