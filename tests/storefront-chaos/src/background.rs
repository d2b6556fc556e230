//! What goes on beside the customers: the stock is looked at, events come again, and poison is planted.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::{Storm, StormError, books, go_on, joined, poison};

/// How often the stock is looked at.
const LOOK_AT_STOCK: Duration = Duration::from_millis(100);
/// How often poison is planted.
const PLANT: Duration = Duration::from_secs(5);
/// How often some of the events so far are delivered once more, and which share of them.
const DELIVER_AGAIN: (Duration, f64) = (Duration::from_secs(2), 0.05);

impl Storm<'_> {
    /// Does all of it until the customers are `over`.
    pub(super) fn beside(&self, over: &AtomicBool) -> Result<(), StormError> {
        thread::scope(|scope| {
            let looking = scope.spawn(|| self.again(over, LOOK_AT_STOCK, |_| self.look_at_stock()));
            let delivering = scope.spawn(|| self.again(over, DELIVER_AGAIN.0, |time| self.deliver_again(time)));
            let planting = scope.spawn(|| self.again(over, PLANT, |time| self.plant(time)));
            [looking, delivering, planting].into_iter().try_for_each(joined)
        })
    }

    /// Does something again and again, counting from 0.
    fn again(
        &self,
        over: &AtomicBool,
        pause: Duration,
        mut what: impl FnMut(u64) -> Result<(), StormError>,
    ) -> Result<(), StormError> {
        for time in 0.. {
            what(time)?;
            let next = Instant::now() + pause;
            while Instant::now() < next {
                if over.load(Ordering::Relaxed) {
                    return Ok(());
                }
                go_on(self.site.interrupted)?;
                thread::sleep(pause.min(Duration::from_millis(100)));
            }
        }
        Ok(())
    }

    fn look_at_stock(&self) -> Result<(), StormError> {
        for (product, _) in &self.products {
            let stock = books::stock(&self.emulator, &self.stack, product)?;
            let mut lowest = self.lowest.lock().unwrap_or_else(PoisonError::into_inner);
            lowest.entry(product.clone()).and_modify(|lowest| *lowest = stock.min(*lowest)).or_insert(stock);
        }
        Ok(())
    }

    fn deliver_again(&self, time: u64) -> Result<(), StormError> {
        for event in self.site.proxy.duplicates().sample(self.options.seed.wrapping_add(time), DELIVER_AGAIN.1) {
            for queue in self.stack.queues_for(&event.detail_type) {
                self.emulator.send_message(queue, &event.message().to_string())?;
                self.duplicates.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// Twice: a poison that spreads does so by what comes after it.
    fn plant(&self, time: u64) -> Result<(), StormError> {
        if time < 2 {
            let planted = poison::plant(&self.emulator, &self.stack, &self.functions, &time.to_string())?;
            self.poison.lock().unwrap_or_else(PoisonError::into_inner).extend(planted);
        }
        Ok(())
    }
}
