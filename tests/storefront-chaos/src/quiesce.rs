//! Waits until the system has finished all work.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::customer::Customer;
use crate::emulator::Emulator;
use crate::error::{ChaosError, check_interrupted};
use crate::script::{Purchase, Repeated};
use crate::snapshot::{dead_letters, ledger, orders};
use crate::stack::Stack;

const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// The state that changes as long as there is work.
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
    /// Waits until no work is left, or the deadline has passed.
    ///
    /// Changes pass the table's stream in order. So this places one more order. Once that is paid, the events of everything
    /// committed before are in the queues. If those are empty and the state has not changed meanwhile, all work is done.
    pub(crate) fn quiesce(&self, sentinel: &mut Customer<'_>, rounds: &mut usize) -> Result<(), ChaosError> {
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

    fn until_queues_are_empty(&self) -> Result<(), ChaosError> {
        self.until(|| {
            for queue in &self.stack.queues {
                if !self.emulator.messages(&queue.url)?.is_empty() {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }

    fn until_paid(&self, order: &str) -> Result<(), ChaosError> {
        self.until(|| Ok(orders(self.emulator, self.stack)?.get(order).is_some_and(|order| order.status == "paid")))
    }

    fn until(&self, come_about: impl Fn() -> Result<bool, ChaosError>) -> Result<(), ChaosError> {
        while !self.is_over() && !come_about()? {
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
            mails: self.emulator.mails()?.len(),
            dead_letters: dead_letters(self.emulator, self.stack)?.len(),
            statuses,
        })
    }
}
