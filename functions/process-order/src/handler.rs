use ferrite_core::ports::Clock;
use ferrite_core::{CloudEvent, Event};
use ferrite_domain::ports::{GetOrder, SaveTransition, TakePayment};
use ferrite_domain::{Charge, DomainEvent, OrderCancelled, OrderPlaced, OrderStatus, Payment};
use ferrite_runtime::Failure;
use ferrite_runtime::metrics::{self, Metric, Unit};
use ferrite_runtime::trace;
use tracing::{Instrument, info_span};

const ORDERS_PAID: Metric = Metric::new("OrdersPaid", Unit::Count);
const ORDERS_DECLINED: Metric = Metric::new("OrdersDeclined", Unit::Count);

/// Takes payment for an order that was placed, and gives it back for one that was cancelled.
///
/// Either event may be delivered twice, and either may come first. The gateway charges once for each order, repeats its
/// decision, and does not charge an order that was voided; so a cancelled order is paid for in no case, whatever of this dies
/// anywhere and is gone through again.
pub(crate) async fn process_order(
    orders: &(impl GetOrder + SaveTransition),
    gateway: &impl TakePayment,
    clock: &impl Clock,
    event: CloudEvent<DomainEvent>,
) -> Result<(), Failure> {
    match event.event {
        DomainEvent::OrderPlaced(placed) => take_payment(orders, gateway, clock, placed).await,
        DomainEvent::OrderCancelled(cancelled) => give_payment_back(gateway, cancelled).await,
        other => Err(Failure::reject(format!("{} is not what this queue is for", other.event_type()))),
    }
}

async fn take_payment(
    orders: &(impl GetOrder + SaveTransition),
    gateway: &impl TakePayment,
    clock: &impl Clock,
    placed: OrderPlaced,
) -> Result<(), Failure> {
    let order = orders.get(&placed.customer_id, placed.order_id).await?;
    // The event is told by a committed order, and orders are never deleted.
    let order = order.ok_or_else(|| Failure::reject(format!("there is no order {}", placed.order_id)))?;
    if order.status != OrderStatus::Pending {
        return Ok(());
    }

    let charge = Charge { order: order.id, amount: order.total, token: order.payment_token.clone() };
    let payment = gateway.charge(&charge).instrument(info_span!("charge")).await?;
    let (transition, decided) = match payment {
        Payment::Approved => (order.pay(clock.now()), ORDERS_PAID),
        Payment::Declined { reason } => (order.fail_payment(reason, clock.now()), ORDERS_DECLINED),
        // It was cancelled since it was looked up.
        Payment::Voided => return Ok(()),
    };
    let transition = transition.map_err(Failure::reject)?;
    // Where it was cancelled since then, that has an event of its own, which gives the payment back.
    if orders.save(&transition, &trace::context()).await? {
        metrics::count(decided);
        let after = transition.after();
        tracing::debug!(order_id = %after.id, status = after.status.as_str(), "payment decided");
    }
    Ok(())
}

async fn give_payment_back(gateway: &impl TakePayment, cancelled: OrderCancelled) -> Result<(), Failure> {
    gateway.void(cancelled.order_id).instrument(info_span!("void")).await.map_err(Failure::retry)
}

#[cfg(test)]
mod tests {
    use ferrite_core::memory::{FixedClock, UniqueIds};
    use ferrite_core::ports::{Fingerprint, NewIds, SavedResponse};
    use ferrite_core::{CloudEvent, EventId, IdempotencyKey, Reason, TraceContext};
    use ferrite_domain::memory::{MemoryGateway, MemoryStore};
    use ferrite_domain::ports::{CreateProduct, GetProduct, PaymentError, PlaceOrder, Placement};
    use ferrite_domain::{CustomerId, LineRequest, Order, OrderId, OrderPaid, PaymentToken, PlacementRequest, contract};

    use super::*;

    /// A store with five pieces of a product, one of which is ordered.
    async fn ordered(token: &str) -> (MemoryStore, Order) {
        let (store, product) = (MemoryStore::default(), contract::product(5));
        store.create(&product).await.unwrap();
        let line = LineRequest { product: product.id, quantity: 1.try_into().unwrap() };
        let ada = CustomerId::try_from("ada".to_owned()).unwrap();
        let order = PlacementRequest::new(vec![line], PaymentToken::try_from(token.to_owned()).unwrap())
            .unwrap()
            .price(UniqueIds.new_id().into(), ada, &[(product.id, product)].into(), contract::now())
            .unwrap();
        let placement = Placement {
            order: order.clone(),
            key: IdempotencyKey::try_from("k".to_owned()).unwrap(),
            saved: SavedResponse { fingerprint: Fingerprint("f".to_owned()), response: String::new() },
            key_expires_at: contract::now(),
            trace_context: TraceContext::default(),
        };
        store.place(&placement).await.unwrap();
        (store, order)
    }

    fn event(event: DomainEvent) -> CloudEvent<DomainEvent> {
        CloudEvent::new(EventId::of_change("x", 1.into()), "x".to_owned(), contract::now(), event)
    }

    fn placed(order: &Order) -> CloudEvent<DomainEvent> {
        event(DomainEvent::OrderPlaced(OrderPlaced {
            order_id: order.id,
            customer_id: order.customer.clone(),
            lines: order.lines.clone(),
            total: order.total,
        }))
    }

    async fn process(store: &MemoryStore, gateway: &MemoryGateway, event: CloudEvent<DomainEvent>) -> Result<(), Failure> {
        process_order(store, gateway, &FixedClock(contract::now()), event).await
    }

    async fn status(store: &MemoryStore, order: &Order) -> &'static str {
        GetOrder::get(store, &order.customer, order.id).await.unwrap().unwrap().status.as_str()
    }

    async fn stock(store: &MemoryStore, order: &Order) -> u32 {
        GetProduct::get(store, order.lines[0].product_id).await.unwrap().unwrap().stock.get()
    }

    #[tokio::test]
    async fn an_event_that_comes_twice_charges_once() {
        let ((store, order), gateway) = (ordered("tok_success").await, MemoryGateway::default());
        for _ in 0..2 {
            process(&store, &gateway, placed(&order)).await.unwrap();
        }
        assert_eq!((status(&store, &order).await, stock(&store, &order).await, gateway.approved()), ("paid", 4, 1));
    }

    #[tokio::test]
    async fn a_process_that_died_after_the_charge_is_made_up_for() {
        let ((store, order), gateway) = (ordered("tok_success").await, MemoryGateway::default());
        let charge = Charge { order: order.id, amount: order.total, token: order.payment_token.clone() };
        gateway.charge(&charge).await.unwrap();
        process(&store, &gateway, placed(&order)).await.unwrap();
        assert_eq!((status(&store, &order).await, gateway.approved()), ("paid", 1));
    }

    #[tokio::test]
    async fn a_declined_payment_puts_the_stock_back() {
        let ((store, order), gateway) = (ordered("tok_declined").await, MemoryGateway::default());
        for _ in 0..2 {
            process(&store, &gateway, placed(&order)).await.unwrap();
        }
        assert_eq!((status(&store, &order).await, stock(&store, &order).await), ("payment_failed", 5));
    }

    #[tokio::test]
    async fn a_timeout_is_tried_again_and_nothing_else_is_decided() {
        let ((store, order), gateway) = (ordered("tok_timeout_once").await, MemoryGateway::default());
        assert!(matches!(process(&store, &gateway, placed(&order)).await, Err(Failure::Retry(_))));
        assert_eq!(status(&store, &order).await, "pending");
        process(&store, &gateway, placed(&order)).await.unwrap();
        assert_eq!(status(&store, &order).await, "paid");
    }

    fn cancelled(order: &Order) -> CloudEvent<DomainEvent> {
        let reason = Reason::from_lossy("changed their mind");
        let (order_id, customer_id) = (order.id, order.customer.clone());
        event(DomainEvent::OrderCancelled(OrderCancelled { order_id, customer_id, reason, total: order.total }))
    }

    #[tokio::test]
    async fn a_cancelled_order_is_not_paid_for_whichever_event_comes_first() {
        for order_of_events in [[0, 1, 0, 1], [1, 0, 1, 0], [0, 0, 1, 1], [1, 1, 0, 0]] {
            let ((store, order), gateway) = (ordered("tok_success").await, MemoryGateway::default());
            // Charged before it was cancelled, by a process that then died.
            let charge = Charge { order: order.id, amount: order.total, token: order.payment_token.clone() };
            gateway.charge(&charge).await.unwrap();
            let transition = order.clone().cancel(contract::now()).unwrap();
            assert!(store.save(&transition, &TraceContext::default()).await.unwrap());
            for which in order_of_events {
                let event = if which == 0 { placed(&order) } else { cancelled(&order) };
                process(&store, &gateway, event).await.unwrap();
            }
            let found = (status(&store, &order).await, stock(&store, &order).await, gateway.approved());
            assert_eq!(found, ("cancelled", 5, 0), "{order_of_events:?}");
        }
    }

    /// A gateway in whose hands the order is cancelled, and its payment voided, before it is charged.
    struct Cancelling<'a>(&'a MemoryStore, &'a MemoryGateway, Order);

    impl TakePayment for Cancelling<'_> {
        async fn charge(&self, charge: &Charge) -> Result<Payment, PaymentError> {
            let transition = self.2.clone().cancel(contract::now()).unwrap();
            assert!(self.0.save(&transition, &TraceContext::default()).await?);
            self.1.void(charge.order).await?;
            self.1.charge(charge).await
        }

        async fn void(&self, order: OrderId) -> Result<(), PaymentError> {
            self.1.void(order).await
        }
    }

    #[tokio::test]
    async fn a_cancellation_in_the_middle_of_a_payment_wins() {
        let ((store, order), gateway) = (ordered("tok_success").await, MemoryGateway::default());
        let cancelling = Cancelling(&store, &gateway, order.clone());
        process_order(&store, &cancelling, &FixedClock(contract::now()), placed(&order)).await.unwrap();
        assert_eq!((status(&store, &order).await, gateway.approved()), ("cancelled", 0));
    }

    #[tokio::test]
    async fn what_can_never_be_handled_is_rejected() {
        let ((store, order), gateway) = (ordered("tok_success").await, MemoryGateway::default());
        let paid = OrderPaid { order_id: order.id, customer_id: order.customer.clone(), total: order.total };
        let another = Order { id: UniqueIds.new_id().into(), ..order };
        for event in [placed(&another), event(DomainEvent::OrderPaid(paid))] {
            assert!(matches!(process(&store, &gateway, event).await, Err(Failure::Reject(_))));
        }
    }
}
