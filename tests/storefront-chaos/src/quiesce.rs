//! Waiting until the system has done everything that it was asked to do.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::books::{dead_letters, ledger, orders};
use super::customer::Customer;
use super::emulator::Emulator;
use super::script::{Purchase, Repeated};
use super::stack::Stack;
use super::{StormError, go_on};

const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// What changes as long as there is work.
#[derive(Debug, PartialEq, Eq)]
struct State {
    statuses: BTreeMap<String, String>,
    ledger: BTreeMap<String, String>,
    mails: usize,
    dead_letters: usize,
}

/// How the system is watched, and until when.
pub(crate) struct Watch<'a> {
    pub(crate) emulator: &'a Emulator,
    pub(crate) stack: &'a Stack,
    pub(crate) deadline: Instant,
    pub(crate) interrupted: fn() -> bool,
}

impl Watch<'_> {
    /// Waits until nothing is left to do, or the deadline has come.
    ///
    /// Changes go through the table's stream in their order. So one more order is placed, and once that is paid, all that
    /// was committed before it is in the queues; if those are empty and nothing has changed meanwhile, nothing will.
    pub(crate) fn until_at_rest(&self, sentinel: &mut Customer<'_>, rounds: &mut usize) -> Result<(), StormError> {
        loop {
            self.until_queues_are_empty()?;
            let before = self.state(&sentinel.id)?;
            let purchase =
                Purchase { lines: vec![(0, 1)], payment_token: "tok_success", repeated: Repeated::Not, cancelled: None };
            *rounds += 1;
            if let Some(order) = sentinel.buy(*rounds, &purchase)? {
                self.until_paid(&order)?;
            }
            self.until_queues_are_empty()?;
            if self.is_over() || self.state(&sentinel.id)? == before {
                return Ok(());
            }
        }
    }

    fn is_over(&self) -> bool {
        Instant::now() > self.deadline
    }

    fn until_queues_are_empty(&self) -> Result<(), StormError> {
        self.until(|| {
            for queue in &self.stack.queues {
                if !self.emulator.messages(&queue.url)?.is_empty() {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }

    fn until_paid(&self, order: &str) -> Result<(), StormError> {
        self.until(|| Ok(orders(self.emulator, self.stack)?.get(order).is_some_and(|order| order.status == "paid")))
    }

    fn until(&self, come_about: impl Fn() -> Result<bool, StormError>) -> Result<(), StormError> {
        while !self.is_over() && !come_about()? {
            go_on(self.interrupted)?;
            sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    fn state(&self, sentinel: &str) -> Result<State, StormError> {
        let orders = orders(self.emulator, self.stack)?.into_values().filter(|order| order.customer_id != sentinel);
        let statuses: BTreeMap<_, _> = orders.map(|order| (order.id, order.status)).collect();
        let ledger = ledger(self.emulator, self.stack)?.into_iter().filter(|(order, _)| statuses.contains_key(order));
        Ok(State {
            ledger: ledger.collect(),
            mails: self.emulator.mails()?.len(),
            dead_letters: dead_letters(self.emulator, self.stack)?.len(),
            statuses,
        })
    }
}
