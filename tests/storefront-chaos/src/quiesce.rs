//! Waits until the system has finished all work.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::customer::Customer;
use crate::emulator::Emulator;
use crate::error::{ChaosError, check_interrupted};
use crate::script::{Purchase, Repetition};
use crate::snapshot::{dead_letters, ledger, orders};
use crate::stack::Stack;

const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// The state that changes while work remains.
#[derive(Debug, PartialEq, Eq)]
struct State {
    statuses: BTreeMap<String, String>,
    ledger: BTreeMap<String, String>,
    emails: usize,
    dead_letters: usize,
}

/// Observes the system until a deadline.
pub(crate) struct Watch<'a> {
    pub(crate) emulator: &'a Emulator,
    pub(crate) stack: &'a Stack,
    pub(crate) deadline: Instant,
    pub(crate) interrupted: fn() -> bool,
}

impl Watch<'_> {
    /// Waits until all work is done or the deadline has passed.
    ///
    /// The table's stream delivers changes in order. This method therefore places one more order: once it is paid, the
    /// events of all earlier changes have reached the queues. If the queues are then empty and the state has not
    /// changed since before the order, all work is done.
    pub(crate) fn quiesce(&self, sentinel: &mut Customer<'_>, rounds: &mut usize) -> Result<(), ChaosError> {
        loop {
            self.wait_until_queues_are_empty()?;
            let before = self.state(&sentinel.id)?;
            let purchase = Purchase {
                lines: vec![(0, 1)],
                payment_token: "tok_success",
                repetition: Repetition::None,
                cancellation: None,
            };
            *rounds += 1;
            if let Some(order) = sentinel.place_order(*rounds, &purchase)? {
                self.wait_until_paid(&order)?;
            }
            self.wait_until_queues_are_empty()?;
            if self.is_past_deadline() || self.state(&sentinel.id)? == before {
                return Ok(());
            }
        }
    }

    fn is_past_deadline(&self) -> bool {
        Instant::now() > self.deadline
    }

    fn wait_until_queues_are_empty(&self) -> Result<(), ChaosError> {
        self.wait_until(|| {
            for queue in &self.stack.queues {
                if !self.emulator.messages(&queue.url)?.is_empty() {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }

    fn wait_until_paid(&self, order: &str) -> Result<(), ChaosError> {
        self.wait_until(|| Ok(orders(self.emulator, self.stack)?.get(order).is_some_and(|order| order.status == "paid")))
    }

    fn wait_until(&self, condition: impl Fn() -> Result<bool, ChaosError>) -> Result<(), ChaosError> {
        while !self.is_past_deadline() && !condition()? {
            check_interrupted(self.interrupted)?;
            sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    fn state(&self, sentinel: &str) -> Result<State, ChaosError> {
        let orders = orders(self.emulator, self.stack)?.into_values().filter(|order| order.customer_id != sentinel);
        let statuses: BTreeMap<_, _> = orders.map(|order| (order.id, order.status)).collect();
        let ledger = ledger(self.emulator, self.stack)?.into_iter().filter(|(order, _)| statuses.contains_key(order));
        Ok(State {
            ledger: ledger.collect(),
            emails: self.emulator.emails()?.len(),
            dead_letters: dead_letters(self.emulator, self.stack)?.len(),
            statuses,
        })
    }
}
