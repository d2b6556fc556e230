//! Background work during a chaos run: reads the stock, delivers events again, and sends poison messages.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ferrite_chaos::duplicates::Duplicates;

use crate::emulator::Emulator;
use crate::error::{ChaosError, check_interrupted};
use crate::poison::{self, PoisonMessage};
use crate::snapshot;
use crate::stack::Stack;

/// How often the stock is read.
const STOCK_INTERVAL: Duration = Duration::from_millis(100);
/// How often poison messages are sent.
const POISON_INTERVAL: Duration = Duration::from_secs(5);
/// Number of rounds of poison messages. The second round checks that the first one does not affect later messages.
const POISON_ROUNDS: u64 = 2;
/// How often a sample of the events is delivered again.
const REDELIVERY_INTERVAL: Duration = Duration::from_secs(2);
/// The fraction of the published events that each redelivery contains.
const REDELIVERY_RATE: f64 = 0.05;

/// The parts of a chaos run that the background work uses.
pub(crate) struct Context<'a> {
    pub(crate) emulator: &'a Emulator,
    pub(crate) stack: &'a Stack,
    pub(crate) functions: &'a [String],
    /// The products that customers compete for.
    pub(crate) products: &'a [(String, i64)],
    /// The events published so far.
    pub(crate) published: &'a Duplicates,
    pub(crate) seed: u64,
    pub(crate) interrupted: fn() -> bool,
}

/// The observations and actions of the background work.
#[derive(Debug, Default)]
pub(crate) struct Background {
    lowest_stock: Mutex<BTreeMap<String, i64>>,
    poison: Mutex<Vec<PoisonMessage>>,
    duplicates: AtomicUsize,
}

impl Background {
    /// Runs until `stop` is set.
    pub(crate) fn run(&self, context: &Context<'_>, stop: &AtomicBool) -> Result<(), ChaosError> {
        let repeat = |interval, work: &dyn Fn(u64) -> Result<(), ChaosError>| repeat(context, stop, interval, work);
        thread::scope(|scope| {
            let reading = scope.spawn(|| repeat(STOCK_INTERVAL, &|_| self.read_stock(context)));
            let delivering = scope.spawn(|| repeat(REDELIVERY_INTERVAL, &|round| self.redeliver(context, round)));
            let sending = scope.spawn(|| repeat(POISON_INTERVAL, &|round| self.send_poison(context, round)));
            [reading, delivering, sending]
                .into_iter()
                .try_for_each(|thread| thread.join().unwrap_or(Err(ChaosError::Interrupted)))
        })
    }

    /// Lowest stock that was read, by product.
    pub(crate) fn lowest_stock(&self) -> MutexGuard<'_, BTreeMap<String, i64>> {
        lock(&self.lowest_stock)
    }

    /// The poison messages that were sent.
    pub(crate) fn poison(&self) -> Vec<PoisonMessage> {
        lock(&self.poison).clone()
    }

    /// Number of events that were delivered again.
    pub(crate) fn duplicates(&self) -> usize {
        self.duplicates.load(Ordering::Relaxed)
    }

    fn read_stock(&self, context: &Context<'_>) -> Result<(), ChaosError> {
        for (product, _) in context.products {
            let stock = snapshot::stock(context.emulator, context.stack, product)?;
            lock(&self.lowest_stock)
                .entry(product.clone())
                .and_modify(|lowest| *lowest = stock.min(*lowest))
                .or_insert(stock);
        }
        Ok(())
    }

    fn redeliver(&self, context: &Context<'_>, round: u64) -> Result<(), ChaosError> {
        for event in context.published.sample(context.seed.wrapping_add(round), REDELIVERY_RATE) {
            for queue in context.stack.queues_for(&event.detail_type) {
                context.emulator.send_message(queue, &event.message().to_string())?;
                self.duplicates.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    fn send_poison(&self, context: &Context<'_>, round: u64) -> Result<(), ChaosError> {
        if round < POISON_ROUNDS {
            let sent = poison::send(context.emulator, context.stack, context.functions, &round.to_string())?;
            lock(&self.poison).extend(sent);
        }
        Ok(())
    }
}

/// Repeats `work` at an interval until `stop` is set. `work` receives the number of the round, counting from 0.
fn repeat(
    context: &Context<'_>,
    stop: &AtomicBool,
    interval: Duration,
    work: &dyn Fn(u64) -> Result<(), ChaosError>,
) -> Result<(), ChaosError> {
    for round in 0.. {
        work(round)?;
        let next = Instant::now() + interval;
        while Instant::now() < next {
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            check_interrupted(context.interrupted)?;
            thread::sleep(interval.min(Duration::from_millis(100)));
        }
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
