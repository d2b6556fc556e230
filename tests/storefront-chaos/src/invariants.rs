//! What must be true once the faults have stopped and the system is at rest.

use std::collections::BTreeMap;

use super::books::{Books, DeadLetter, Order};

/// A promise, and what in the books breaks it.
pub(crate) struct Invariant {
    pub(crate) name: &'static str,
    pub(crate) violations: fn(&Books) -> Vec<String>,
}

/// Every promise.
pub(crate) const INVARIANTS: [Invariant; 10] = [
    Invariant { name: "stock never went below zero", violations: stock_below_zero },
    Invariant { name: "initial stock = stock now + quantities in live orders", violations: stock_lost_or_made },
    Invariant { name: "every order accepted is there, and no other", violations: orders_lost_or_made },
    Invariant { name: "every order is in a final state", violations: unfinished },
    Invariant { name: "the gateway's ledger and the table agree", violations: ledger_disagrees },
    Invariant { name: "no order was charged twice", violations: charged_twice },
    Invariant { name: "each customer got each e-mail exactly once", violations: mails_missing_or_doubled },
    Invariant { name: "every retry with the same key got the same answer", violations: other_answers },
    Invariant { name: "no customer was answered what they should not be", violations: unexpected_answers },
    Invariant {
        name: "dead-letter queues hold what was planted, with its reason, and nothing else",
        violations: dead_letters,
    },
];

fn stock_below_zero(books: &Books) -> Vec<String> {
    let below = books.products.iter().filter(|product| product.stock.min(product.lowest) < 0);
    below.map(|product| format!("{} had {}", product.id, product.stock.min(product.lowest))).collect()
}

fn stock_lost_or_made(books: &Books) -> Vec<String> {
    let live = |order: &&Order| matches!(order.status.as_str(), "pending" | "paid");
    let lines = books.orders.values().filter(live).flat_map(|order| &order.lines);
    let mut ordered: BTreeMap<&str, i64> = BTreeMap::new();
    for line in lines {
        *ordered.entry(&line.product_id).or_default() += line.quantity;
    }
    let sums = books.products.iter().map(|product| (product, ordered.get(product.id.as_str()).copied().unwrap_or_default()));
    let wrong = sums.filter(|(product, ordered)| product.initial != product.stock + ordered);
    wrong.map(|(product, ordered)| format!("{}: {} ≠ {} + {ordered}", product.id, product.initial, product.stock)).collect()
}

fn orders_lost_or_made(books: &Books) -> Vec<String> {
    let mut violations = Vec::new();
    let accepted: BTreeMap<&str, &str> = books
        .diaries
        .iter()
        .flat_map(|(customer, diary)| diary.accepted.iter().map(|order| (order.as_str(), customer.as_str())))
        .collect();
    for (order, customer) in &accepted {
        match books.orders.get(*order) {
            None => violations.push(format!("{order} of {customer} is lost")),
            Some(found) if found.customer_id != *customer => violations.push(format!("{order} is not {customer}'s")),
            Some(_) => {}
        }
    }
    let made = books.orders.keys().filter(|order| !accepted.contains_key(order.as_str()));
    violations.extend(made.map(|order| format!("{order} was answered to nobody")));
    let cancelled = books.diaries.values().flat_map(|diary| &diary.cancelled);
    let not = cancelled.filter(|order| books.orders.get(*order).is_none_or(|found| found.status != "cancelled"));
    violations.extend(not.map(|order| format!("{order} was answered to be cancelled and is not")));
    violations
}

fn unfinished(books: &Books) -> Vec<String> {
    let pending = books.orders.values().filter(|order| order.status == "pending");
    let mut violations: Vec<_> = pending.map(|order| format!("{} is pending", order.id)).collect();
    violations.extend(books.undelivered.iter().map(|message| format!("undelivered: {message}")));
    violations
        .extend(books.unplanned.iter().map(|(reason, count)| format!("a fault that nobody planned, {count}: {reason}")));
    violations
}

fn ledger_disagrees(books: &Books) -> Vec<String> {
    let mut violations = Vec::new();
    for order in books.orders.values() {
        let outcome = books.ledger.get(&order.id).map(String::as_str);
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
    let strange = books.ledger.keys().filter(|order| !books.orders.contains_key(*order) && order.starts_with("ord_"));
    violations.extend(strange.map(|order| format!("{order} is in the ledger alone")));
    violations
}

fn charged_twice(books: &Books) -> Vec<String> {
    let twice = books.approvals.iter().filter(|(_, times)| **times > 1);
    twice.map(|(order, times)| format!("{order} was approved {times} times")).collect()
}

fn mails_missing_or_doubled(books: &Books) -> Vec<String> {
    let mut mails: BTreeMap<(String, String), i64> = BTreeMap::new();
    for mail in &books.mails {
        *mails.entry((mail.to.join(", "), mail.subject.clone())).or_default() += 1;
    }
    let mut expect = |to: &str, subject: String| *mails.entry((to.to_owned(), subject)).or_default() -= 1;
    for diary in books.diaries.values().filter(|diary| diary.registered) {
        expect(&diary.email, "Welcome to the storefront".to_owned());
    }
    for order in books.orders.values() {
        let registered = books.diaries.get(&order.customer_id).filter(|diary| diary.registered);
        let told = matches!(order.status.as_str(), "paid" | "cancelled");
        if let Some(diary) = registered.filter(|_| told) {
            expect(&diary.email, format!("Your order {} is {}", order.id, order.status));
        }
    }
    let wrong = mails.into_iter().filter(|(_, surplus)| *surplus != 0);
    wrong.map(|((to, subject), surplus)| format!("{to}: {subject:?}, {surplus:+}")).collect()
}

fn other_answers(books: &Books) -> Vec<String> {
    books.diaries.values().flat_map(|diary| diary.others.clone()).collect()
}

fn unexpected_answers(books: &Books) -> Vec<String> {
    books.diaries.values().flat_map(|diary| diary.unexpected.clone()).collect()
}

fn dead_letters(books: &Books) -> Vec<String> {
    let holds = |letter: &DeadLetter, mark: &str| letter.body.contains(mark);
    let mut violations = Vec::new();
    for poison in &books.poison {
        let mut found = books.dead_letters.iter().filter(|letter| holds(letter, &poison.mark)).peekable();
        if found.peek().is_none() {
            violations.push(format!("{} ({}) is nowhere", poison.what, poison.mark));
        }
        for letter in found {
            if letter.queue != poison.belongs {
                violations.push(format!("{} is in {}", poison.what, letter.queue));
            }
            if letter.reason.as_ref().is_none_or(String::is_empty) {
                violations.push(format!("{} has no reason", poison.what));
            }
        }
    }
    let planted = |letter: &&DeadLetter| books.poison.iter().any(|poison| holds(letter, &poison.mark));
    for letter in books.dead_letters.iter().filter(|letter| !planted(letter)) {
        let reason = letter.reason.as_deref().unwrap_or("no reason");
        violations.push(format!("in {}, {reason}: {}", letter.queue, letter.body));
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storm::books::{Line, Product};
    use crate::storm::customer::Diary;
    use crate::storm::emulator::Mail;
    use crate::storm::poison::Poison;

    fn mail(subject: &str) -> Mail {
        Mail { to: vec!["ada@example.com".to_owned()], subject: subject.to_owned() }
    }

    /// Ada has paid for two of five pieces, and a poison message lies where it belongs.
    fn sound() -> Books {
        let order = Order {
            id: "ord_1".to_owned(),
            customer_id: "ada".to_owned(),
            status: "paid".to_owned(),
            lines: vec![Line { product_id: "prd_1".to_owned(), quantity: 2 }],
        };
        let diary = Diary {
            email: "ada@example.com".to_owned(),
            registered: true,
            accepted: vec!["ord_1".to_owned()],
            ..Diary::default()
        };
        let queue = "http://localhost/dlq".to_owned();
        let letter =
            DeadLetter { queue: queue.clone(), body: "{poison-1-0-x".to_owned(), reason: Some("no JSON".to_owned()) };
        Books {
            products: vec![Product { id: "prd_1".to_owned(), initial: 5, stock: 3, lowest: 3 }],
            orders: [("ord_1".to_owned(), order)].into(),
            ledger: [("ord_1".to_owned(), "approved".to_owned())].into(),
            approvals: [("ord_1".to_owned(), 1)].into(),
            mails: vec![mail("Welcome to the storefront"), mail("Your order ord_1 is paid")],
            dead_letters: vec![letter],
            diaries: [("ada".to_owned(), diary)].into(),
            poison: vec![Poison { mark: "poison-1-0-x".to_owned(), what: "no JSON".to_owned(), belongs: queue }],
            ..Books::default()
        }
    }

    /// The promises that the books break.
    fn broken(books: &Books) -> Vec<&'static str> {
        INVARIANTS.iter().filter(|invariant| !(invariant.violations)(books).is_empty()).map(|found| found.name).collect()
    }

    #[track_caller]
    fn breaks(promises: &[&str], change: impl FnOnce(&mut Books)) {
        let mut books = sound();
        change(&mut books);
        let broken = broken(&books);
        assert_eq!(broken.len(), promises.len(), "{broken:?}");
        assert!(promises.iter().all(|promise| broken.iter().any(|name| name.contains(promise))), "{broken:?}");
    }

    fn order(books: &mut Books) -> &mut Order {
        books.orders.get_mut("ord_1").unwrap()
    }

    fn ada(books: &mut Books) -> &mut Diary {
        books.diaries.get_mut("ada").unwrap()
    }

    #[test]
    fn sound_books_break_no_promise() {
        assert!(broken(&sound()).is_empty(), "{:?}", broken(&sound()));
        let mut cancelled = sound();
        order(&mut cancelled).status = "cancelled".to_owned();
        ada(&mut cancelled).cancelled.push("ord_1".to_owned());
        cancelled.products[0].stock = 5;
        cancelled.ledger.insert("ord_1".to_owned(), "voided".to_owned());
        cancelled.mails[1] = mail("Your order ord_1 is cancelled");
        assert!(broken(&cancelled).is_empty(), "{:?}", broken(&cancelled));
    }

    #[test]
    fn stock_that_was_once_below_zero_is_seen() {
        breaks(&["below zero"], |books| books.products[0].lowest = -1);
    }

    #[test]
    fn stock_that_is_lost_or_made_is_seen() {
        breaks(&["initial stock"], |books| books.products[0].stock = 2);
        breaks(&["initial stock"], |books| order(books).lines[0].quantity = 1);
    }

    #[test]
    fn orders_that_are_lost_or_made_are_seen() {
        breaks(&["every order accepted"], |books| ada(books).accepted.clear());
        breaks(&["every order accepted"], |books| ada(books).accepted.push("ord_2".to_owned()));
        breaks(&["every order accepted"], |books| ada(books).cancelled.push("ord_1".to_owned()));
    }

    #[test]
    fn work_that_was_left_is_seen() {
        breaks(&["final state"], |books| books.undelivered.push("{}".to_owned()));
        breaks(&["final state"], |books| _ = books.unplanned.insert("the emulator is gone".to_owned(), 1));
        breaks(&["final state", "ledger", "e-mail"], |books| order(books).status = "pending".to_owned());
    }

    #[test]
    fn a_payment_that_is_not_the_orders_is_seen() {
        breaks(&["ledger"], |books| drop(books.ledger.insert("ord_1".to_owned(), "voided".to_owned())));
        breaks(&["ledger"], |books| drop(books.ledger.remove("ord_1")));
        breaks(&["ledger"], |books| drop(books.ledger.insert("ord_2".to_owned(), "approved".to_owned())));
        breaks(&["charged twice"], |books| _ = books.approvals.insert("ord_1".to_owned(), 2));
    }

    #[test]
    fn a_mail_that_is_missing_doubled_or_wrong_is_seen() {
        breaks(&["e-mail"], |books| drop(books.mails.pop()));
        breaks(&["e-mail"], |books| books.mails.push(mail("Your order ord_1 is paid")));
        breaks(&["e-mail"], |books| books.mails.push(mail("Your order ord_1 is cancelled")));
    }

    #[test]
    fn answers_that_are_not_the_first_or_not_for_customers_are_seen() {
        breaks(&["same answer"], |books| ada(books).others.push("202, then 409".to_owned()));
        breaks(&["should not be"], |books| ada(books).unexpected.push("400".to_owned()));
    }

    #[test]
    fn a_dead_letter_that_is_missing_misplaced_unexplained_or_not_planted_is_seen() {
        breaks(&["dead-letter"], |books| books.dead_letters.clear());
        breaks(&["dead-letter"], |books| books.dead_letters[0].queue = "http://localhost/other".to_owned());
        breaks(&["dead-letter"], |books| books.dead_letters[0].reason = None);
        breaks(&["dead-letter"], |books| books.dead_letters[0].body = "a good message".to_owned());
    }
}
