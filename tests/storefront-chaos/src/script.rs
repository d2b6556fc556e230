//! The script of each customer. It depends only on the seed and the number of the customer.

use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest as _, Sha256};

/// Number of products that customers compete for.
pub(crate) const PRODUCTS: usize = 4;
/// Approximate mean number of units per order, from which the initial stock is derived.
pub(crate) const MEAN_UNITS_PER_ORDER: usize = 3;

/// An order to place, and the customer's further actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Purchase {
    /// Index of each product in the list of products, and the number of units.
    pub(crate) lines: Vec<(usize, u32)>,
    pub(crate) payment_token: &'static str,
    pub(crate) repetition: Repetition,
    pub(crate) cancellation: Option<Cancellation>,
}

/// Whether the customer repeats a request that gets a final response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repetition {
    None,
    /// Repeats the request after the first response.
    Sequential,
    /// Sends the request twice at the same time.
    Concurrent,
}

/// When and how often the customer cancels the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cancellation {
    /// Number of further purchases before the cancellation.
    pub(crate) after: usize,
    /// Number of cancellation requests.
    pub(crate) times: usize,
}

/// Returns the endless sequence of purchases of the customer with this number.
pub(crate) fn purchases(seed: u64, customer: usize) -> impl Iterator<Item = Purchase> {
    let mut rng = ChaCha8Rng::from_seed(Sha256::digest(format!("{seed}/customer/{customer}")).into());
    std::iter::repeat_with(move || purchase(&mut rng))
}

fn purchase(rng: &mut ChaCha8Rng) -> Purchase {
    let count = *[1, 1, 1, 2, 3].choose(rng).unwrap_or(&1);
    let mut products: [usize; PRODUCTS] = std::array::from_fn(|product| product);
    products.shuffle(rng);
    let lines = products.into_iter().take(count).map(|product| (product, rng.random_range(1..=3))).collect();
    let tokens = ["tok_success", "tok_success", "tok_success", "tok_declined", "tok_timeout_once"];
    let repetition = match rng.random_range(0..10) {
        0..3 => Repetition::Sequential,
        3..5 => Repetition::Concurrent,
        _ => Repetition::None,
    };
    let cancellation =
        rng.random_bool(0.3).then(|| Cancellation { after: rng.random_range(0..=2), times: rng.random_range(1..=2) });
    Purchase { lines, payment_token: tokens.choose(rng).unwrap_or(&"tok_success"), repetition, cancellation }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(seed: u64, customer: usize) -> Vec<Purchase> {
        purchases(seed, customer).take(200).collect()
    }

    #[test]
    fn purchases_depend_on_the_seed_and_the_customer() {
        assert_eq!(planned(7, 0), planned(7, 0));
        assert_ne!(planned(7, 0), planned(7, 1));
        assert_ne!(planned(7, 0), planned(8, 0));
    }

    #[test]
    fn plans_every_kind_of_purchase() {
        let planned = planned(7, 0);
        for repetition in [Repetition::None, Repetition::Sequential, Repetition::Concurrent] {
            assert!(planned.iter().any(|purchase| purchase.repetition == repetition), "{repetition:?}");
        }
        for token in ["tok_success", "tok_declined", "tok_timeout_once"] {
            assert!(planned.iter().any(|purchase| purchase.payment_token == token), "{token}");
        }
        for (after, times) in [(0, 1), (0, 2), (2, 1), (2, 2)] {
            assert!(planned.iter().any(|purchase| purchase.cancellation == Some(Cancellation { after, times })));
        }
        assert!(planned.iter().any(|purchase| purchase.lines.len() == 3));
        let units: u32 = planned.iter().flat_map(|purchase| &purchase.lines).map(|(_, quantity)| quantity).sum();
        assert!((MEAN_UNITS_PER_ORDER * 150..MEAN_UNITS_PER_ORDER * 250).contains(&(units as usize)), "{units}");
    }
}
