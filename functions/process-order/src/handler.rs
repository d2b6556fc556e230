use ferrite_core::ports::Clock;
use ferrite_core::{CloudEvent, Event};
use ferrite_domain::ports::{GetOrder, SaveResult, SaveTransition, TakePayment};
use ferrite_domain::{Charge, DomainEvent, OrderCancelled, OrderPlaced, OrderStatus, Payment};
use ferrite_runtime::Failure;
use ferrite_runtime::metrics::{self, Metric, Unit};
use ferrite_runtime::trace;
use tracing::{Instrument, info_span};

const ORDERS_PAID: Metric = Metric::new("OrdersPaid", Unit::Count);
const ORDERS_DECLINED: Metric = Metric::new("OrdersDeclined", Unit::Count);

/// Takes the payment for a placed order, and voids the payment of a cancelled order.
///
/// The events may be delivered more than once and in either order. The gateway charges each order at most once, returns
/// the same decision for a repeated charge, and does not charge a voided order. A cancelled order therefore never stays
/// charged, even if this process dies and the event is processed again.
pub(crate) async fn process_order(
    orders: &(impl GetOrder + SaveTransition),
    gateway: &impl TakePayment,
    clock: &impl Clock,
    event: CloudEvent<DomainEvent>,
) -> Result<(), Failure> {
    match event.event {
        DomainEvent::OrderPlaced(placed) => take_payment(orders, gateway, clock, placed).await,
        DomainEvent::OrderCancelled(cancelled) => void_payment(gateway, cancelled).await,
        other => Err(Failure::reject(format!("unexpected event type {}", other.event_type()))),
    }
}

async fn take_payment(
    orders: &(impl GetOrder + SaveTransition),
    gateway: &impl TakePayment,
    clock: &impl Clock,
    placed: OrderPlaced,
) -> Result<(), Failure> {
    let order = orders.get(&placed.customer_id, placed.order_id).await?;
    // Events are published only for committed orders, and orders are never deleted. A retry would not find the order
    // either.
    let order = order.ok_or_else(|| Failure::reject(format!("there is no order {}", placed.order_id)))?;
    if order.status != OrderStatus::Pending {
        return Ok(());
    }

    let charge = Charge { order: order.id, amount: order.total, token: order.payment_token.clone() };
    let payment = gateway.charge(&charge).instrument(info_span!("charge")).await?;
    let (transition, metric) = match payment {
        Payment::Approved => (order.pay(clock.now()), ORDERS_PAID),
        Payment::Declined { reason } => (order.fail_payment(reason, clock.now()), ORDERS_DECLINED),
        // The order was cancelled after it was read.
        Payment::Voided => return Ok(()),
    };
    let transition = transition.map_err(Failure::reject)?;
    // If the order was cancelled in the meantime, the save fails, and the cancellation event voids the payment.
    if orders.save(&transition, &trace::context()).await? == SaveResult::Saved {
        metrics::count(metric);
        let after = transition.after();
        tracing::debug!(order_id = %after.id, status = after.status.as_str(), "payment decided");
    }
    Ok(())
}

async fn void_payment(gateway: &impl TakePayment, cancelled: OrderCancelled) -> Result<(), Failure> {
    gateway.void(cancelled.order_id).instrument(info_span!("void")).await.map_err(Failure::retry)
}

#[cfg(test)]
mod tests {
    use ferrite_core::memory::{FixedClock, UniqueIds};
    use ferrite_core::ports::{Fingerprint, IdGenerator, SavedResponse};
    use ferrite_core::{CloudEvent, EventId, IdempotencyKey, Reason, TraceContext};
    use ferrite_domain::memory::{MemoryGateway, MemoryStore};
    use ferrite_domain::ports::{CreateProduct, GetProduct, PaymentError, PlaceOrder, Placement};
    use ferrite_domain::{CustomerId, LineRequest, Order, OrderId, OrderPaid, PaymentToken, PlacementRequest, contract};

    use super::*;

    /// A store with five units of a product and a pending order for one of them.
    async fn store_with_order(token: &str) -> (MemoryStore, Order) {
        let store = MemoryStore::default();
        let product = contract::product(5);
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
            saved_response: SavedResponse { fingerprint: Fingerprint("f".to_owned()), response: String::new() },
            key_expires_at: contract::now(),
            trace_context: TraceContext::default(),
        };
        store.place(&placement).await.unwrap();
        (store, order)
    }

    fn event(event: DomainEvent) -> CloudEvent<DomainEvent> {
        CloudEvent::new(EventId::of_change("x", 1.into()), "x".to_owned(), contract::now(), event)
    }

    fn placed_event(order: &Order) -> CloudEvent<DomainEvent> {
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
    async fn charges_once_for_repeated_events() {
        let (store, order) = store_with_order("tok_success").await;
        let gateway = MemoryGateway::default();
        for _ in 0..2 {
            process(&store, &gateway, placed_event(&order)).await.unwrap();
        }
        assert_eq!((status(&store, &order).await, stock(&store, &order).await, gateway.approved()), ("paid", 4, 1));
    }

    #[tokio::test]
    async fn marks_the_order_as_paid_after_a_crash_between_charge_and_save() {
        let (store, order) = store_with_order("tok_success").await;
        let gateway = MemoryGateway::default();
        let charge = Charge { order: order.id, amount: order.total, token: order.payment_token.clone() };
        gateway.charge(&charge).await.unwrap();
        process(&store, &gateway, placed_event(&order)).await.unwrap();
        assert_eq!((status(&store, &order).await, gateway.approved()), ("paid", 1));
    }

    #[tokio::test]
    async fn returns_the_stock_when_the_payment_is_declined() {
        let (store, order) = store_with_order("tok_declined").await;
        let gateway = MemoryGateway::default();
        for _ in 0..2 {
            process(&store, &gateway, placed_event(&order)).await.unwrap();
        }
        assert_eq!((status(&store, &order).await, stock(&store, &order).await), ("payment_failed", 5));
    }

    #[tokio::test]
    async fn retries_a_payment_that_times_out() {
        let (store, order) = store_with_order("tok_timeout_once").await;
        let gateway = MemoryGateway::default();
        assert!(matches!(process(&store, &gateway, placed_event(&order)).await, Err(Failure::Retry(_))));
        assert_eq!(status(&store, &order).await, "pending");
        process(&store, &gateway, placed_event(&order)).await.unwrap();
        assert_eq!(status(&store, &order).await, "paid");
    }

    fn cancelled_event(order: &Order) -> CloudEvent<DomainEvent> {
        let reason = Reason::from_lossy("changed their mind");
        event(DomainEvent::OrderCancelled(OrderCancelled {
            order_id: order.id,
            customer_id: order.customer.clone(),
            reason,
            total: order.total,
        }))
    }

    #[tokio::test]
    async fn leaves_no_cancelled_order_charged_in_any_event_order() {
        for order_of_events in [[0, 1, 0, 1], [1, 0, 1, 0], [0, 0, 1, 1], [1, 1, 0, 0]] {
            let (store, order) = store_with_order("tok_success").await;
            let gateway = MemoryGateway::default();
            // A process charged the order before it was cancelled, and then died.
            let charge = Charge { order: order.id, amount: order.total, token: order.payment_token.clone() };
            gateway.charge(&charge).await.unwrap();
            let transition = order.clone().cancel(contract::now()).unwrap();
            assert_eq!(store.save(&transition, &TraceContext::default()).await.unwrap(), SaveResult::Saved);
            for kind in order_of_events {
                let event = if kind == 0 { placed_event(&order) } else { cancelled_event(&order) };
                process(&store, &gateway, event).await.unwrap();
            }
            let actual = (status(&store, &order).await, stock(&store, &order).await, gateway.approved());
            assert_eq!(actual, ("cancelled", 5, 0), "{order_of_events:?}");
        }
    }

    /// A gateway that cancels the order and voids its payment before it charges.
    struct CancelDuringCharge<'a> {
        store: &'a MemoryStore,
        gateway: &'a MemoryGateway,
        order: Order,
    }

    impl TakePayment for CancelDuringCharge<'_> {
        async fn charge(&self, charge: &Charge) -> Result<Payment, PaymentError> {
            let transition = self.order.clone().cancel(contract::now()).unwrap();
            assert_eq!(self.store.save(&transition, &TraceContext::default()).await?, SaveResult::Saved);
            self.gateway.void(charge.order).await?;
            self.gateway.charge(charge).await
        }

        async fn void(&self, order: OrderId) -> Result<(), PaymentError> {
            self.gateway.void(order).await
        }
    }

    #[tokio::test]
    async fn keeps_a_cancellation_made_during_the_charge() {
        let (store, order) = store_with_order("tok_success").await;
        let gateway = MemoryGateway::default();
        let cancelling = CancelDuringCharge { store: &store, gateway: &gateway, order: order.clone() };
        process_order(&store, &cancelling, &FixedClock(contract::now()), placed_event(&order)).await.unwrap();
        assert_eq!((status(&store, &order).await, gateway.approved()), ("cancelled", 0));
    }

    #[tokio::test]
    async fn rejects_unknown_orders_and_unexpected_events() {
        let (store, order) = store_with_order("tok_success").await;
        let gateway = MemoryGateway::default();
        let paid = OrderPaid { order_id: order.id, customer_id: order.customer.clone(), total: order.total };
        let unknown = Order { id: UniqueIds.new_id().into(), ..order };
        for event in [placed_event(&unknown), event(DomainEvent::OrderPaid(paid))] {
            assert!(matches!(process(&store, &gateway, event).await, Err(Failure::Reject(_))));
        }
    }
}
