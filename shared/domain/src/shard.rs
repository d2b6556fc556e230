//! Write sharding of the order indexes.

use std::fmt;

use uuid::Uuid;

use crate::OrderId;

/// One of the [`Shard::COUNT`] shards that distribute orders over the partitions of an index.
///
/// DynamoDB accepts 1,000 writes per second to one partition (DynamoDB Developer Guide, "Partitions and data
/// distribution"), so eight shards accept 8,000. Listing orders requires one query per shard. Stored orders contain the
/// shard number in their keys, so do not change the number of shards: queries would no longer find the orders that were
/// pending or paid before the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(u8);

impl Shard {
    /// Number of shards.
    pub const COUNT: u8 = 8;

    /// Returns all shards.
    pub fn all() -> impl Iterator<Item = Self> + Send {
        (0..Self::COUNT).map(Self)
    }

    /// Returns the shard of an order. It never changes during the order's lifetime.
    pub fn of(order: OrderId) -> Self {
        // The last bits of a UUIDv7 are random (RFC 9562, section 6.2), so they distribute orders as evenly as a hash.
        let [.., last] = Uuid::from(order).into_bytes();
        Self(last % Self::COUNT)
    }
}

/// Formats the zero-based shard number.
impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ferrite_core::memory::UniqueIds;
    use ferrite_core::ports::IdGenerator;

    use super::*;

    #[test]
    fn distributes_simultaneous_orders_over_all_shards() {
        let mut orders: BTreeMap<Shard, u32> = Shard::all().map(|shard| (shard, 0)).collect();
        for _ in 0..8000 {
            *orders.get_mut(&Shard::of(UniqueIds.new_id().into())).unwrap() += 1;
        }
        assert_eq!(orders.len(), usize::from(Shard::COUNT));
        assert!(orders.values().all(|count| (800..1200).contains(count)), "{orders:?}");
    }

    #[test]
    fn keeps_the_shard_of_a_stored_order() {
        let shard = |id: &str| Shard::of(id.parse().unwrap()).to_string();
        assert_eq!(shard("ord_0192f0c1a2b37c4d8e5f60718293a4b5"), "5");
        assert_eq!(shard("ord_0192f0c1a2b37c4d8e5f60718293a4b8"), "0");
    }
}
