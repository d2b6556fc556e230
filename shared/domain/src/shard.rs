//! Spreading what many orders write at once.

use std::fmt;

use uuid::Uuid;

use crate::OrderId;

/// One of the [`Shard::COUNT`] parts that all orders are divided into, so that an index of them has as many partitions to
/// write to. DynamoDB takes 1,000 writes a second to one ("Partitions and data distribution"), so that eight take 8,000; whoever
/// lists orders has to ask each. The number is in the keys of stored orders: with another, those that are pending or were paid
/// before it changed are looked for where they are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(u8);

impl Shard {
    /// How many there are.
    pub const COUNT: u8 = 8;

    /// Every shard.
    pub fn all() -> impl Iterator<Item = Self> + Send {
        (0..Self::COUNT).map(Self)
    }

    /// The shard of an order, which is the same for as long as the order is kept.
    pub fn of(order: OrderId) -> Self {
        // A UUIDv7 ends in random bits, whatever time and counter come before them (RFC 9562, section 6.2): they are as evenly
        // spread as a hash.
        let [.., last] = Uuid::from(order).into_bytes();
        Self(last % Self::COUNT)
    }
}

/// The number, from 0.
impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ferrite_core::memory::UniqueIds;
    use ferrite_core::ports::NewIds;

    use super::*;

    #[test]
    fn orders_of_one_moment_are_spread_over_all_shards() {
        let mut orders: BTreeMap<Shard, u32> = Shard::all().map(|shard| (shard, 0)).collect();
        for _ in 0..8000 {
            *orders.get_mut(&Shard::of(UniqueIds.new_id().into())).unwrap() += 1;
        }
        assert_eq!(orders.len(), usize::from(Shard::COUNT));
        assert!(orders.values().all(|count| (800..1200).contains(count)), "{orders:?}");
    }

    #[test]
    fn a_stored_order_stays_in_its_shard() {
        let shard = |id: &str| Shard::of(id.parse().unwrap()).to_string();
        assert_eq!(shard("ord_0192f0c1a2b37c4d8e5f60718293a4b5"), "5");
        assert_eq!(shard("ord_0192f0c1a2b37c4d8e5f60718293a4b8"), "0");
    }
}
