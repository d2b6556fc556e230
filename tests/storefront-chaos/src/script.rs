//! The script of each customer, a function of the seed and the customer's number.

use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest as _, Sha256};

/// How many products there are to fight for.
pub(crate) const PRODUCTS: usize = 4;
/// How many pieces an order has in the mean: what decides how scarce the stock is.
pub(crate) const PIECES: usize = 3;

/// One order, and what its customer does about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Purchase {
    /// Products, by their place in the list of them, with how many pieces.
    pub(crate) lines: Vec<(usize, u32)>,
    pub(crate) payment_token: &'static str,
    pub(crate) repeated: Repeated,
    pub(crate) cancelled: Option<Cancelled>,
}

/// Whether the customer sends the request again although it was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeated {
    Not,
    Afterwards,
    AtTheSameTime,
}

/// When and how often the customer cancels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cancelled {
    /// After how many further purchases.
    pub(crate) after: usize,
    pub(crate) times: usize,
}

/// The purchases of the customer with this number, without end.
pub(crate) fn purchases(seed: u64, customer: usize) -> impl Iterator<Item = Purchase> {
    let mut dice = ChaCha8Rng::from_seed(Sha256::digest(format!("{seed}/customer/{customer}")).into());
    std::iter::repeat_with(move || purchase(&mut dice))
}

fn purchase(dice: &mut ChaCha8Rng) -> Purchase {
    let count = *[1, 1, 1, 2, 3].choose(dice).unwrap_or(&1);
    let mut products: [usize; PRODUCTS] = std::array::from_fn(|product| product);
    products.shuffle(dice);
    let lines = products.into_iter().take(count).map(|product| (product, dice.random_range(1..=3))).collect();
    let tokens = ["tok_success", "tok_success", "tok_success", "tok_declined", "tok_timeout_once"];
    let repeated = match dice.random_range(0..10) {
        0..3 => Repeated::Afterwards,
        3..5 => Repeated::AtTheSameTime,
        _ => Repeated::Not,
    };
    let cancelled =
        dice.random_bool(0.3).then(|| Cancelled { after: dice.random_range(0..=2), times: dice.random_range(1..=2) });
    Purchase { lines, payment_token: tokens.choose(dice).unwrap_or(&"tok_success"), repeated, cancelled }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(seed: u64, customer: usize) -> Vec<Purchase> {
        purchases(seed, customer).take(200).collect()
    }

    #[test]
    fn the_same_seed_plans_the_same_purchases_and_another_customer_others() {
        assert_eq!(planned(7, 0), planned(7, 0));
        assert_ne!(planned(7, 0), planned(7, 1));
        assert_ne!(planned(7, 0), planned(8, 0));
    }

    #[test]
    fn every_kind_of_purchase_is_planned() {
        let planned = planned(7, 0);
        for wanted in [Repeated::Not, Repeated::Afterwards, Repeated::AtTheSameTime] {
            assert!(planned.iter().any(|purchase| purchase.repeated == wanted), "{wanted:?}");
        }
        for token in ["tok_success", "tok_declined", "tok_timeout_once"] {
            assert!(planned.iter().any(|purchase| purchase.payment_token == token), "{token}");
        }
        for (after, times) in [(0, 1), (0, 2), (2, 1), (2, 2)] {
            assert!(planned.iter().any(|purchase| purchase.cancelled == Some(Cancelled { after, times })));
        }
        assert!(planned.iter().any(|purchase| purchase.lines.len() == 3));
        let pieces: u32 = planned.iter().flat_map(|purchase| &purchase.lines).map(|(_, quantity)| quantity).sum();
        assert!((PIECES * 150..PIECES * 250).contains(&(pieces as usize)), "{pieces}");
    }
}
