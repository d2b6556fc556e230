//! The invariants: conditions that must hold after the faults have stopped and all work is done.

use std::collections::BTreeMap;

use ferrite_aws_client::emulator::Email;

use crate::customer::{SPAM, STRANGER};
use crate::history::Role;
use crate::snapshot::{DeadLetter, Order, Snapshot};

/// Maximum number of confirmation e-mails to one mailbox per clock hour (`EmailLimit` of ferrite-domain).
const CONFIRMATIONS_PER_HOUR: u64 = 3;

/// An invariant.
pub(crate) struct Invariant {
    pub(crate) name: &'static str,
    /// Returns a description of each violation in a snapshot.
    pub(crate) violations: fn(&Snapshot) -> Vec<String>,
}

/// All invariants.
pub(crate) const INVARIANTS: [Invariant; 11] = [
    Invariant { name: "stock never went below zero", violations: stock_below_zero },
    Invariant { name: "initial stock = current stock + quantities in active orders", violations: stock_lost_or_created },
    Invariant { name: "every accepted order exists, and no other order does", violations: orders_lost_or_created },
    Invariant { name: "every order is in a final state", violations: unfinished_work },
    Invariant { name: "the gateway's ledger matches the orders in the table", violations: ledger_mismatches },
    Invariant { name: "no order was charged twice", violations: charged_twice },
    Invariant { name: "each customer got each e-mail exactly once", violations: missing_or_duplicate_emails },
    Invariant { name: "a stranger's mailbox got at most three e-mails per hour, without spam", violations: abused_mailbox },
    Invariant { name: "every retry with the same key got the same response", violations: different_responses },
    Invariant { name: "no customer got an unexpected response", violations: unexpected_responses },
    Invariant {
        name: "dead-letter queues contain the poison messages with their reasons, and no other messages",
        violations: dead_letters,
    },
];

fn stock_below_zero(snapshot: &Snapshot) -> Vec<String> {
    let below = snapshot.products.iter().filter(|product| product.stock.min(product.lowest) < 0);
    below.map(|product| format!("{} had {}", product.id, product.stock.min(product.lowest))).collect()
}

fn stock_lost_or_created(snapshot: &Snapshot) -> Vec<String> {
    let is_active = |order: &&Order| matches!(order.status.as_str(), "pending" | "paid");
    let lines = snapshot.orders.values().filter(is_active).flat_map(|order| &order.lines);
    let mut ordered: BTreeMap<&str, i64> = BTreeMap::new();
    for line in lines {
        *ordered.entry(&line.product_id).or_default() += line.quantity;
    }
    let sums =
        snapshot.products.iter().map(|product| (product, ordered.get(product.id.as_str()).copied().unwrap_or_default()));
    let wrong = sums.filter(|(product, ordered)| product.initial != product.stock + ordered);
    wrong.map(|(product, ordered)| format!("{}: {} ≠ {} + {ordered}", product.id, product.initial, product.stock)).collect()
}

fn orders_lost_or_created(snapshot: &Snapshot) -> Vec<String> {
    let mut violations = Vec::new();
    let accepted: BTreeMap<&str, &str> = snapshot
        .histories
        .iter()
        .flat_map(|(customer, history)| history.accepted.iter().map(|order| (order.as_str(), customer.as_str())))
        .collect();
    for (order, customer) in &accepted {
        match snapshot.orders.get(*order) {
            None => violations.push(format!("{order} of {customer} is lost")),
            Some(found) if found.customer_id != *customer => violations.push(format!("{order} is not {customer}'s")),
            Some(_) => {}
        }
    }
    let not_accepted = snapshot.orders.keys().filter(|order| !accepted.contains_key(order.as_str()));
    violations.extend(not_accepted.map(|order| format!("{order} was not accepted by any response")));
    let cancelled = snapshot.histories.values().flat_map(|history| &history.cancelled);
    let not_cancelled =
        cancelled.filter(|order| snapshot.orders.get(*order).is_none_or(|found| found.status != "cancelled"));
    violations.extend(not_cancelled.map(|order| format!("the API confirmed that {order} was cancelled, but it was not")));
    violations
}

fn unfinished_work(snapshot: &Snapshot) -> Vec<String> {
    let pending = snapshot.orders.values().filter(|order| order.status == "pending");
    let mut violations: Vec<_> = pending.map(|order| format!("{} is pending", order.id)).collect();
    violations.extend(snapshot.undelivered.iter().map(|message| format!("undelivered: {message}")));
    violations.extend(
        snapshot.unplanned_failures.iter().map(|(reason, count)| format!("unplanned failure ({count} times): {reason}")),
    );
    violations
}

fn ledger_mismatches(snapshot: &Snapshot) -> Vec<String> {
    let mut violations = Vec::new();
    for order in snapshot.orders.values() {
        let outcome = snapshot.ledger.get(&order.id).map(String::as_str);
        let matches = match order.status.as_str() {
            "paid" => outcome == Some("approved"),
            "payment_failed" => outcome == Some("declined"),
            "cancelled" => matches!(outcome, Some("voided" | "declined")),
            _ => outcome.is_none_or(|outcome| outcome == "timed_out"),
        };
        if !matches {
            let payment = outcome.unwrap_or("unknown");
            violations.push(format!("{} is {}, but its payment is {payment}", order.id, order.status));
        }
    }
    let without_order =
        snapshot.ledger.keys().filter(|order| !snapshot.orders.contains_key(*order) && order.starts_with("ord_"));
    violations.extend(without_order.map(|order| format!("{order} is only in the ledger")));
    violations
}

fn charged_twice(snapshot: &Snapshot) -> Vec<String> {
    let twice = snapshot.approvals.iter().filter(|(_, times)| **times > 1);
    twice.map(|(order, times)| format!("{order} was approved {times} times")).collect()
}

/// How many e-mails with a certain subject a customer must get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    One,
    /// The order was placed before the address was confirmed or bounced, and its e-mail was due before or after that.
    AtMostOne,
    None,
}

fn missing_or_duplicate_emails(snapshot: &Snapshot) -> Vec<String> {
    let mut received: BTreeMap<(String, String), usize> = BTreeMap::new();
    for email in snapshot.emails.iter().filter(|email| !is_to_stranger(email)) {
        *received.entry((email.to.join(", "), email.subject.clone())).or_default() += 1;
    }
    let mut violations = Vec::new();
    let mut check = |to: &str, subject: String, expected: Expected| {
        let count = received.remove(&(to.to_owned(), subject.clone())).unwrap_or_default();
        let is_expected = match expected {
            Expected::One => count == 1,
            Expected::AtMostOne => count <= 1,
            Expected::None => count == 0,
        };
        if !is_expected {
            violations.push(format!("{to}: {subject:?}: {count} e-mails instead of {expected:?}"));
        }
    };
    let owners = || snapshot.histories.values().filter(|history| history.role != Role::Impostor && history.registered);
    for history in owners() {
        check(&history.email, "Welcome to the storefront".to_owned(), Expected::One);
    }
    for order in snapshot.orders.values() {
        let history = snapshot.histories.get(&order.customer_id).filter(|history| history.registered);
        let is_final = matches!(order.status.as_str(), "paid" | "cancelled");
        let Some(history) = history.filter(|history| is_final && history.role != Role::Impostor) else { continue };
        let expected = match () {
            () if history.unannounced.contains(&order.id) => Expected::None,
            () if history.announced.contains(&order.id) => Expected::One,
            () => Expected::AtMostOne,
        };
        check(&history.email, format!("Your order {} has been {}", order.id, order.status), expected);
    }
    violations.extend(received.into_iter().map(|((to, subject), count)| format!("{to}: {count} unexpected {subject:?}")));
    violations
        .extend(owners().filter(|history| !history.confirmed).map(|history| format!("{} is unconfirmed", history.email)));
    violations
}

fn is_to_stranger(email: &Email) -> bool {
    email.to.iter().any(|to| to.starts_with(STRANGER))
}

fn abused_mailbox(snapshot: &Snapshot) -> Vec<String> {
    let emails: Vec<_> = snapshot.emails.iter().filter(|email| is_to_stranger(email)).collect();
    let spam = emails.iter().filter(|email| email.subject.contains(SPAM) || email.text.contains(SPAM));
    let mut violations: Vec<_> = spam.map(|email| format!("{:?} contains text of an impostor", email.subject)).collect();
    let limit = CONFIRMATIONS_PER_HOUR * snapshot.clock_hours;
    if emails.len() as u64 > limit {
        violations.push(format!("{} e-mails, at most {limit} are allowed", emails.len()));
    }
    violations
}

fn different_responses(snapshot: &Snapshot) -> Vec<String> {
    snapshot.histories.values().flat_map(|history| history.different.clone()).collect()
}

fn unexpected_responses(snapshot: &Snapshot) -> Vec<String> {
    snapshot.histories.values().flat_map(|history| history.unexpected.clone()).collect()
}

fn dead_letters(snapshot: &Snapshot) -> Vec<String> {
    let contains = |letter: &DeadLetter, marker: &str| letter.body.contains(marker);
    let mut violations = Vec::new();
    for poison in &snapshot.poison {
        let mut found = snapshot.dead_letters.iter().filter(|letter| contains(letter, &poison.marker)).peekable();
        if found.peek().is_none() {
            violations.push(format!("{} ({}) is not in a dead-letter queue", poison.description, poison.marker));
        }
        for letter in found {
            if letter.queue != poison.expected_queue {
                violations.push(format!("{} is in the wrong queue {}", poison.description, letter.queue));
            }
            if letter.reason.as_ref().is_none_or(String::is_empty) {
                violations.push(format!("{} has no reason", poison.description));
            }
        }
    }
    let is_poison = |letter: &&DeadLetter| snapshot.poison.iter().any(|poison| contains(letter, &poison.marker));
    for letter in snapshot.dead_letters.iter().filter(|letter| !is_poison(letter)) {
        let reason = letter.reason.as_deref().unwrap_or("no reason");
        violations.push(format!("unexpected message in {} ({reason}): {}", letter.queue, letter.body));
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::History;
    use crate::poison::PoisonMessage;
    use crate::snapshot::{Line, Product};

    fn email(subject: &str) -> Email {
        Email { to: vec!["ada@example.com".to_owned()], subject: subject.to_owned(), text: String::new() }
    }

    /// A snapshot without violations: Ada paid for two of five units, and a poison message is in the expected
    /// dead-letter queue.
    fn valid_snapshot() -> Snapshot {
        let order = Order {
            id: "ord_1".to_owned(),
            customer_id: "ada".to_owned(),
            status: "paid".to_owned(),
            lines: vec![Line { product_id: "prd_1".to_owned(), quantity: 2 }],
        };
        let history = History {
            email: "ada@example.com".to_owned(),
            registered: true,
            confirmed: true,
            announced: ["ord_1".to_owned()].into(),
            accepted: vec!["ord_1".to_owned()],
            ..History::default()
        };
        let queue = "http://localhost/dlq".to_owned();
        let letter =
            DeadLetter { queue: queue.clone(), body: "{poison-1-0-x".to_owned(), reason: Some("invalid JSON".to_owned()) };
        Snapshot {
            products: vec![Product { id: "prd_1".to_owned(), initial: 5, stock: 3, lowest: 3 }],
            orders: [("ord_1".to_owned(), order)].into(),
            ledger: [("ord_1".to_owned(), "approved".to_owned())].into(),
            approvals: [("ord_1".to_owned(), 1)].into(),
            emails: vec![email("Welcome to the storefront"), email("Your order ord_1 has been paid")],
            clock_hours: 1,
            dead_letters: vec![letter],
            histories: [("ada".to_owned(), history)].into(),
            poison: vec![PoisonMessage {
                marker: "poison-1-0-x".to_owned(),
                description: "invalid JSON".to_owned(),
                expected_queue: queue,
            }],
            ..Snapshot::default()
        }
    }

    /// Returns the names of the invariants that the snapshot violates.
    fn violated(snapshot: &Snapshot) -> Vec<&'static str> {
        INVARIANTS
            .iter()
            .filter(|invariant| !(invariant.violations)(snapshot).is_empty())
            .map(|invariant| invariant.name)
            .collect()
    }

    /// Asserts that a change of the valid snapshot violates exactly these invariants.
    #[track_caller]
    fn assert_violates(invariants: &[&str], change: impl FnOnce(&mut Snapshot)) {
        let mut snapshot = valid_snapshot();
        change(&mut snapshot);
        let violated = violated(&snapshot);
        assert_eq!(violated.len(), invariants.len(), "{violated:?}");
        assert!(invariants.iter().all(|part| violated.iter().any(|name| name.contains(part))), "{violated:?}");
    }

    fn order(snapshot: &mut Snapshot) -> &mut Order {
        snapshot.orders.get_mut("ord_1").unwrap()
    }

    fn ada(snapshot: &mut Snapshot) -> &mut History {
        snapshot.histories.get_mut("ada").unwrap()
    }

    #[test]
    fn accepts_a_valid_snapshot() {
        assert!(violated(&valid_snapshot()).is_empty(), "{:?}", violated(&valid_snapshot()));
        let mut cancelled = valid_snapshot();
        order(&mut cancelled).status = "cancelled".to_owned();
        ada(&mut cancelled).cancelled.push("ord_1".to_owned());
        cancelled.products[0].stock = 5;
        cancelled.ledger.insert("ord_1".to_owned(), "voided".to_owned());
        cancelled.emails[1] = email("Your order ord_1 has been cancelled");
        assert!(violated(&cancelled).is_empty(), "{:?}", violated(&cancelled));
    }

    #[test]
    fn finds_stock_that_was_temporarily_below_zero() {
        assert_violates(&["below zero"], |snapshot| snapshot.products[0].lowest = -1);
    }

    #[test]
    fn finds_stock_that_was_lost_or_created() {
        assert_violates(&["initial stock"], |snapshot| snapshot.products[0].stock = 2);
        assert_violates(&["initial stock"], |snapshot| order(snapshot).lines[0].quantity = 1);
    }

    #[test]
    fn finds_orders_that_were_lost_or_created() {
        assert_violates(&["every accepted order"], |snapshot| ada(snapshot).accepted.clear());
        assert_violates(&["every accepted order"], |snapshot| ada(snapshot).accepted.push("ord_2".to_owned()));
        assert_violates(&["every accepted order"], |snapshot| ada(snapshot).cancelled.push("ord_1".to_owned()));
    }

    #[test]
    fn finds_unfinished_work() {
        assert_violates(&["final state"], |snapshot| snapshot.undelivered.push("{}".to_owned()));
        assert_violates(&["final state"], |snapshot| {
            _ = snapshot.unplanned_failures.insert("the emulator is unreachable".to_owned(), 1);
        });
        assert_violates(&["final state", "ledger", "e-mail"], |snapshot| order(snapshot).status = "pending".to_owned());
    }

    #[test]
    fn finds_payments_that_do_not_match_the_order() {
        assert_violates(&["ledger"], |snapshot| drop(snapshot.ledger.insert("ord_1".to_owned(), "voided".to_owned())));
        assert_violates(&["ledger"], |snapshot| drop(snapshot.ledger.remove("ord_1")));
        assert_violates(&["ledger"], |snapshot| drop(snapshot.ledger.insert("ord_2".to_owned(), "approved".to_owned())));
        assert_violates(&["charged twice"], |snapshot| _ = snapshot.approvals.insert("ord_1".to_owned(), 2));
    }

    #[test]
    fn finds_missing_duplicate_and_wrong_emails() {
        assert_violates(&["e-mail"], |snapshot| drop(snapshot.emails.pop()));
        assert_violates(&["e-mail"], |snapshot| snapshot.emails.push(email("Your order ord_1 has been paid")));
        assert_violates(&["e-mail"], |snapshot| snapshot.emails.push(email("Your order ord_1 has been cancelled")));
    }

    #[test]
    fn finds_emails_to_addresses_that_must_not_get_them() {
        let optional = |snapshot: &mut Snapshot| ada(snapshot).announced.clear();
        assert_violates(&[], optional);
        assert_violates(&[], |snapshot| {
            optional(snapshot);
            drop(snapshot.emails.pop());
        });
        assert_violates(&["e-mail"], |snapshot| _ = ada(snapshot).unannounced.insert("ord_1".to_owned()));
        assert_violates(&["e-mail"], |snapshot| ada(snapshot).confirmed = false);
    }

    #[test]
    fn finds_abuse_of_a_strangers_mailbox() {
        let to_stranger = |text: &str| Email {
            to: vec![format!("{STRANGER}+1@example.com")],
            subject: "Welcome to the storefront".to_owned(),
            text: text.to_owned(),
        };
        assert_violates(&[], |snapshot| snapshot.emails.extend([1, 2, 3].map(|_| to_stranger("Hello,"))));
        assert_violates(&["stranger"], |snapshot| snapshot.emails.extend([1, 2, 3, 4].map(|_| to_stranger("Hello,"))));
        assert_violates(&["stranger"], |snapshot| snapshot.emails.push(to_stranger(SPAM)));
    }

    #[test]
    fn finds_different_and_unexpected_responses() {
        assert_violates(&["same response"], |snapshot| ada(snapshot).different.push("202, then 409".to_owned()));
        assert_violates(&["unexpected response"], |snapshot| ada(snapshot).unexpected.push("400".to_owned()));
    }

    #[test]
    fn finds_missing_misplaced_unexplained_and_unexpected_dead_letters() {
        assert_violates(&["dead-letter"], |snapshot| snapshot.dead_letters.clear());
        assert_violates(&["dead-letter"], |snapshot| snapshot.dead_letters[0].queue = "http://localhost/other".to_owned());
        assert_violates(&["dead-letter"], |snapshot| snapshot.dead_letters[0].reason = None);
        assert_violates(&["dead-letter"], |snapshot| snapshot.dead_letters[0].body = "a valid message".to_owned());
    }
}
