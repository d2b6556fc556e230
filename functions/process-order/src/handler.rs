use ferrite_domain::ports::{Clock, GetOrder, SaveTransition, TakePayment};
use ferrite_domain::{Charge, DomainEvent, OrderStatus, Payment};
use ferrite_runtime::sqs::{Failure, Message};
use ferrite_runtime::{events, log};

/// Takes payment for the order that the message says was placed.
///
/// It may be delivered twice and die anywhere. The gateway charges once for each order and repeats its decision, and the
/// order leaves `pending` once, so to go through it all again changes nothing that was done.
pub(crate) async fn process_order(
    orders: &(impl GetOrder + SaveTransition),
    gateway: &impl TakePayment,
    clock: &impl Clock,
    message: Message,
) -> Result<(), Failure> {
    let event = events::from_rule(&message.body).map_err(Failure::reject)?;
    let DomainEvent::OrderPlaced(placed) = event.event else {
        return Err(Failure::reject(format!("{} is not what this queue is for", event.event.kind())));
    };
    let order = orders.get(&placed.customer_id, placed.order_id).await.map_err(Failure::retry)?;
    // The event is told by a committed order, and orders are never deleted.
    let order = order.ok_or_else(|| Failure::reject(format!("there is no order {}", placed.order_id)))?;
    if order.status != OrderStatus::Pending {
        return Ok(());
    }

    let charge = Charge { order: order.id, amount: order.total, token: order.payment_token.clone() };
    let payment = gateway.charge(&charge).await.map_err(Failure::retry)?;
    let transition = match payment {
        Payment::Approved => order.pay(clock.now()),
        Payment::Declined { reason } => order.fail_payment(reason, clock.now()),
    }
    .map_err(Failure::reject)?;
    if orders.save(&transition).await.map_err(Failure::retry)? {
        let after = transition.after();
        log::info("payment decided", serde_json::json!({ "order_id": after.id, "status": after.status.as_str() }));
    }
    Ok(())
}
