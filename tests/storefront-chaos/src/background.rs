//! What happens while customers buy: the stock is watched, events are delivered again, and poison messages are sent.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ferrite_chaos::duplicates::Duplicates;

use crate::emulator::Emulator;
use crate::error::{ChaosError, check_interrupted};
use crate::poison::{self, Poison};
use crate::snapshot;
use crate::stack::Stack;

/// How often the stock is read.
const READ_STOCK: Duration = Duration::from_millis(100);
/// How often poison messages are sent.
const SEND_POISON: Duration = Duration::from_secs(5);
/// How often poison messages are sent at most. A second round shows whether the first one affects what comes after it.
const POISON_ROUNDS: u64 = 2;
/// How often some of the events are delivered again, and which share of them.
const DELIVER_AGAIN: (Duration, f64) = (Duration::from_secs(2), 0.05);

/// What the background work needs to know of a run.
pub(crate) struct Context<'a> {
    pub(crate) emulator: &'a Emulator,
    pub(crate) stack: &'a Stack,
    pub(crate) functions: &'a [String],
    /// The products that customers compete for.
    pub(crate) products: &'a [(String, i64)],
    /// The events so far.
    pub(crate) published: &'a Duplicates,
    pub(crate) seed: u64,
    pub(crate) interrupted: fn() -> bool,
}

/// What the background work saw and did.
#[derive(Debug, Default)]
pub(crate) struct Background {
    lowest_stock: Mutex<BTreeMap<String, i64>>,
    poison: Mutex<Vec<Poison>>,
    duplicates: AtomicUsize,
}

impl Background {
    /// Works until `over` is set.
    pub(crate) fn run(&self, context: &Context<'_>, over: &AtomicBool) -> Result<(), ChaosError> {
        let repeat = |pause, work: &dyn Fn(u64) -> Result<(), ChaosError>| repeat(context, over, pause, work);
        thread::scope(|scope| {
            let reading = scope.spawn(|| repeat(READ_STOCK, &|_| self.read_stock(context)));
            let delivering = scope.spawn(|| repeat(DELIVER_AGAIN.0, &|round| self.deliver_again(context, round)));
            let sending = scope.spawn(|| repeat(SEND_POISON, &|round| self.send_poison(context, round)));
            [reading, delivering, sending]
                .into_iter()
                .try_for_each(|thread| thread.join().unwrap_or(Err(ChaosError::Interrupted)))
        })
    }

    /// The lowest stock that was seen, by product.
    pub(crate) fn lowest_stock(&self) -> MutexGuard<'_, BTreeMap<String, i64>> {
        lock(&self.lowest_stock)
    }

    /// The poison messages that were sent.
    pub(crate) fn poison(&self) -> Vec<Poison> {
        lock(&self.poison).clone()
    }

    /// How many events were delivered again.
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

    fn deliver_again(&self, context: &Context<'_>, round: u64) -> Result<(), ChaosError> {
        for event in context.published.sample(context.seed.wrapping_add(round), DELIVER_AGAIN.1) {
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

/// Repeats `work` with the number of the round, counting from 0.
fn repeat(
    context: &Context<'_>,
    over: &AtomicBool,
    pause: Duration,
    work: &dyn Fn(u64) -> Result<(), ChaosError>,
) -> Result<(), ChaosError> {
    for round in 0.. {
        work(round)?;
        let next = Instant::now() + pause;
        while Instant::now() < next {
            if over.load(Ordering::Relaxed) {
                return Ok(());
            }
            check_interrupted(context.interrupted)?;
            thread::sleep(pause.min(Duration::from_millis(100)));
        }
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
