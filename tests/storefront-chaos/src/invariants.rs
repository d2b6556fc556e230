//! What must be true once the faults have stopped and all work is done.

use std::collections::BTreeMap;

use crate::snapshot::{DeadLetter, Order, Snapshot};

/// An invariant, and its violations in a snapshot.
pub(crate) struct Invariant {
    pub(crate) name: &'static str,
    pub(crate) violations: fn(&Snapshot) -> Vec<String>,
}

/// Every invariant.
pub(crate) const INVARIANTS: [Invariant; 10] = [
    Invariant { name: "stock never went below zero", violations: stock_below_zero },
    Invariant { name: "initial stock = stock now + quantities in live orders", violations: stock_lost_or_made },
    Invariant { name: "every accepted order exists, and no other", violations: orders_lost_or_made },
    Invariant { name: "every order is in a final state", violations: unfinished },
    Invariant { name: "the gateway's ledger and the table agree", violations: ledger_disagrees },
    Invariant { name: "no order was charged twice", violations: charged_twice },
    Invariant { name: "each customer got each e-mail exactly once", violations: mails_missing_or_doubled },
    Invariant { name: "every retry with the same key got the same response", violations: different_responses },
    Invariant { name: "no customer got an unexpected response", violations: unexpected_responses },
    Invariant {
        name: "dead-letter queues hold the poison messages with their reasons, and nothing else",
        violations: dead_letters,
    },
];

fn stock_below_zero(snapshot: &Snapshot) -> Vec<String> {
    let below = snapshot.products.iter().filter(|product| product.stock.min(product.lowest) < 0);
    below.map(|product| format!("{} had {}", product.id, product.stock.min(product.lowest))).collect()
}

fn stock_lost_or_made(snapshot: &Snapshot) -> Vec<String> {
    let live = |order: &&Order| matches!(order.status.as_str(), "pending" | "paid");
    let lines = snapshot.orders.values().filter(live).flat_map(|order| &order.lines);
    let mut ordered: BTreeMap<&str, i64> = BTreeMap::new();
    for line in lines {
        *ordered.entry(&line.product_id).or_default() += line.quantity;
    }
    let sums =
        snapshot.products.iter().map(|product| (product, ordered.get(product.id.as_str()).copied().unwrap_or_default()));
    let wrong = sums.filter(|(product, ordered)| product.initial != product.stock + ordered);
    wrong.map(|(product, ordered)| format!("{}: {} ≠ {} + {ordered}", product.id, product.initial, product.stock)).collect()
}

fn orders_lost_or_made(snapshot: &Snapshot) -> Vec<String> {
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
    let made = snapshot.orders.keys().filter(|order| !accepted.contains_key(order.as_str()));
    violations.extend(made.map(|order| format!("{order} was reported to nobody")));
    let cancelled = snapshot.histories.values().flat_map(|history| &history.cancelled);
    let not = cancelled.filter(|order| snapshot.orders.get(*order).is_none_or(|found| found.status != "cancelled"));
    violations.extend(not.map(|order| format!("{order} was reported as cancelled and is not")));
    violations
}

fn unfinished(snapshot: &Snapshot) -> Vec<String> {
    let pending = snapshot.orders.values().filter(|order| order.status == "pending");
    let mut violations: Vec<_> = pending.map(|order| format!("{} is pending", order.id)).collect();
    violations.extend(snapshot.undelivered.iter().map(|message| format!("undelivered: {message}")));
    violations.extend(snapshot.unplanned.iter().map(|(reason, count)| format!("an unplanned fault, {count}: {reason}")));
    violations
}

fn ledger_disagrees(snapshot: &Snapshot) -> Vec<String> {
    let mut violations = Vec::new();
    for order in snapshot.orders.values() {
        let outcome = snapshot.ledger.get(&order.id).map(String::as_str);
        let agrees = match order.status.as_str() {
            "paid" => outcome == Some("approved"),
            "payment_failed" => outcome == Some("declined"),
            "cancelled" => matches!(outcome, Some("voided" | "declined")),
            _ => outcome.is_none_or(|outcome| outcome == "timed_out"),
        };
        if !agrees {
            violations.push(format!("{} is {}, and its payment {}", order.id, order.status, outcome.unwrap_or("unknown")));
        }
    }
    let strange = snapshot.ledger.keys().filter(|order| !snapshot.orders.contains_key(*order) && order.starts_with("ord_"));
    violations.extend(strange.map(|order| format!("{order} is in the ledger alone")));
    violations
}

fn charged_twice(snapshot: &Snapshot) -> Vec<String> {
    let twice = snapshot.approvals.iter().filter(|(_, times)| **times > 1);
    twice.map(|(order, times)| format!("{order} was approved {times} times")).collect()
}

fn mails_missing_or_doubled(snapshot: &Snapshot) -> Vec<String> {
    let mut mails: BTreeMap<(String, String), i64> = BTreeMap::new();
    for mail in &snapshot.mails {
        *mails.entry((mail.to.join(", "), mail.subject.clone())).or_default() += 1;
    }
    let mut expect = |to: &str, subject: String| *mails.entry((to.to_owned(), subject)).or_default() -= 1;
    for history in snapshot.histories.values().filter(|history| history.registered) {
        expect(&history.email, "Welcome to the storefront".to_owned());
    }
    for order in snapshot.orders.values() {
        let registered = snapshot.histories.get(&order.customer_id).filter(|history| history.registered);
        let is_notified = matches!(order.status.as_str(), "paid" | "cancelled");
        if let Some(history) = registered.filter(|_| is_notified) {
            expect(&history.email, format!("Your order {} has been {}", order.id, order.status));
        }
    }
    let wrong = mails.into_iter().filter(|(_, surplus)| *surplus != 0);
    wrong.map(|((to, subject), surplus)| format!("{to}: {subject:?}, {surplus:+}")).collect()
}

fn different_responses(snapshot: &Snapshot) -> Vec<String> {
    snapshot.histories.values().flat_map(|history| history.different.clone()).collect()
}

fn unexpected_responses(snapshot: &Snapshot) -> Vec<String> {
    snapshot.histories.values().flat_map(|history| history.unexpected.clone()).collect()
}

fn dead_letters(snapshot: &Snapshot) -> Vec<String> {
    let holds = |letter: &DeadLetter, mark: &str| letter.body.contains(mark);
    let mut violations = Vec::new();
    for poison in &snapshot.poison {
        let mut found = snapshot.dead_letters.iter().filter(|letter| holds(letter, &poison.mark)).peekable();
        if found.peek().is_none() {
            violations.push(format!("{} ({}) is in no dead-letter queue", poison.what, poison.mark));
        }
        for letter in found {
            if letter.queue != poison.expected_queue {
                violations.push(format!("{} is in {}", poison.what, letter.queue));
            }
            if letter.reason.as_ref().is_none_or(String::is_empty) {
                violations.push(format!("{} has no reason", poison.what));
            }
        }
    }
    let planted = |letter: &&DeadLetter| snapshot.poison.iter().any(|poison| holds(letter, &poison.mark));
    for letter in snapshot.dead_letters.iter().filter(|letter| !planted(letter)) {
        let reason = letter.reason.as_deref().unwrap_or("no reason");
        violations.push(format!("in {}, {reason}: {}", letter.queue, letter.body));
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::History;
    use crate::poison::Poison;
    use crate::snapshot::{Line, Product};
    use ferrite_aws_client::emulator::Mail;

    fn mail(subject: &str) -> Mail {
        Mail { to: vec!["ada@example.com".to_owned()], subject: subject.to_owned(), text: String::new() }
    }

    /// Ada has paid for two of five pieces, and a poison message is in the right dead-letter queue.
    fn sound() -> Snapshot {
        let order = Order {
            id: "ord_1".to_owned(),
            customer_id: "ada".to_owned(),
            status: "paid".to_owned(),
            lines: vec![Line { product_id: "prd_1".to_owned(), quantity: 2 }],
        };
        let history = History {
            email: "ada@example.com".to_owned(),
            registered: true,
            accepted: vec!["ord_1".to_owned()],
            ..History::default()
        };
        let queue = "http://localhost/dlq".to_owned();
        let letter =
            DeadLetter { queue: queue.clone(), body: "{poison-1-0-x".to_owned(), reason: Some("no JSON".to_owned()) };
        Snapshot {
            products: vec![Product { id: "prd_1".to_owned(), initial: 5, stock: 3, lowest: 3 }],
            orders: [("ord_1".to_owned(), order)].into(),
            ledger: [("ord_1".to_owned(), "approved".to_owned())].into(),
            approvals: [("ord_1".to_owned(), 1)].into(),
            mails: vec![mail("Welcome to the storefront"), mail("Your order ord_1 has been paid")],
            dead_letters: vec![letter],
            histories: [("ada".to_owned(), history)].into(),
            poison: vec![Poison { mark: "poison-1-0-x".to_owned(), what: "no JSON".to_owned(), expected_queue: queue }],
            ..Snapshot::default()
        }
    }

    /// The invariants that the snapshot violates.
    fn broken(snapshot: &Snapshot) -> Vec<&'static str> {
        INVARIANTS.iter().filter(|invariant| !(invariant.violations)(snapshot).is_empty()).map(|found| found.name).collect()
    }

    #[track_caller]
    fn breaks(invariants: &[&str], change: impl FnOnce(&mut Snapshot)) {
        let mut snapshot = sound();
        change(&mut snapshot);
        let broken = broken(&snapshot);
        assert_eq!(broken.len(), invariants.len(), "{broken:?}");
        assert!(invariants.iter().all(|invariant| broken.iter().any(|name| name.contains(invariant))), "{broken:?}");
    }

    fn order(snapshot: &mut Snapshot) -> &mut Order {
        snapshot.orders.get_mut("ord_1").unwrap()
    }

    fn ada(snapshot: &mut Snapshot) -> &mut History {
        snapshot.histories.get_mut("ada").unwrap()
    }

    #[test]
    fn a_sound_snapshot_has_no_violations() {
        assert!(broken(&sound()).is_empty(), "{:?}", broken(&sound()));
        let mut cancelled = sound();
        order(&mut cancelled).status = "cancelled".to_owned();
        ada(&mut cancelled).cancelled.push("ord_1".to_owned());
        cancelled.products[0].stock = 5;
        cancelled.ledger.insert("ord_1".to_owned(), "voided".to_owned());
        cancelled.mails[1] = mail("Your order ord_1 has been cancelled");
        assert!(broken(&cancelled).is_empty(), "{:?}", broken(&cancelled));
    }

    #[test]
    fn finds_stock_that_was_once_below_zero() {
        breaks(&["below zero"], |snapshot| snapshot.products[0].lowest = -1);
    }

    #[test]
    fn finds_stock_that_was_lost_or_created() {
        breaks(&["initial stock"], |snapshot| snapshot.products[0].stock = 2);
        breaks(&["initial stock"], |snapshot| order(snapshot).lines[0].quantity = 1);
    }

    #[test]
    fn finds_orders_that_were_lost_or_created() {
        breaks(&["every accepted order"], |snapshot| ada(snapshot).accepted.clear());
        breaks(&["every accepted order"], |snapshot| ada(snapshot).accepted.push("ord_2".to_owned()));
        breaks(&["every accepted order"], |snapshot| ada(snapshot).cancelled.push("ord_1".to_owned()));
    }

    #[test]
    fn finds_unfinished_work() {
        breaks(&["final state"], |snapshot| snapshot.undelivered.push("{}".to_owned()));
        breaks(&["final state"], |snapshot| _ = snapshot.unplanned.insert("the emulator is gone".to_owned(), 1));
        breaks(&["final state", "ledger", "e-mail"], |snapshot| order(snapshot).status = "pending".to_owned());
    }

    #[test]
    fn finds_payments_that_do_not_match_the_order() {
        breaks(&["ledger"], |snapshot| drop(snapshot.ledger.insert("ord_1".to_owned(), "voided".to_owned())));
        breaks(&["ledger"], |snapshot| drop(snapshot.ledger.remove("ord_1")));
        breaks(&["ledger"], |snapshot| drop(snapshot.ledger.insert("ord_2".to_owned(), "approved".to_owned())));
        breaks(&["charged twice"], |snapshot| _ = snapshot.approvals.insert("ord_1".to_owned(), 2));
    }

    #[test]
    fn finds_missing_duplicate_and_wrong_emails() {
        breaks(&["e-mail"], |snapshot| drop(snapshot.mails.pop()));
        breaks(&["e-mail"], |snapshot| snapshot.mails.push(mail("Your order ord_1 has been paid")));
        breaks(&["e-mail"], |snapshot| snapshot.mails.push(mail("Your order ord_1 has been cancelled")));
    }

    #[test]
    fn finds_different_and_unexpected_responses() {
        breaks(&["same response"], |snapshot| ada(snapshot).different.push("202, then 409".to_owned()));
        breaks(&["unexpected response"], |snapshot| ada(snapshot).unexpected.push("400".to_owned()));
    }

    #[test]
    fn finds_missing_misplaced_unexplained_and_unexpected_dead_letters() {
        breaks(&["dead-letter"], |snapshot| snapshot.dead_letters.clear());
        breaks(&["dead-letter"], |snapshot| snapshot.dead_letters[0].queue = "http://localhost/other".to_owned());
        breaks(&["dead-letter"], |snapshot| snapshot.dead_letters[0].reason = None);
        breaks(&["dead-letter"], |snapshot| snapshot.dead_letters[0].body = "a good message".to_owned());
    }
}
