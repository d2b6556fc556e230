//! What each of the domain's errors is in HTTP. Nowhere else does an error get a status.

use ferrite_domain::ports::{AddImageError, PlaceError, StoreError, UpdateError};
use ferrite_domain::{PlaceRefusal, ProductId, TransitionError};
use http::StatusCode;

use super::Problem;
use crate::deadline::DeadlineExceeded;
use crate::panics::PanicError;

impl From<DeadlineExceeded> for Problem {
    fn from(cut_off: DeadlineExceeded) -> Self {
        Self::unavailable(cut_off)
    }
}

impl From<PanicError> for Problem {
    fn from(panicked: PanicError) -> Self {
        Self::internal(panicked)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::unavailable(error)
    }
}

impl From<UpdateError> for Problem {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::NotFound => Self::not_found(),
            UpdateError::VersionMismatch => {
                Self::new(StatusCode::PRECONDITION_FAILED, "precondition-failed", "It has changed since you read it")
                    .detail("Read it again and decide with its new ETag.")
            }
            UpdateError::Store(error) => error.into(),
        }
    }
}

impl From<AddImageError> for Problem {
    fn from(error: AddImageError) -> Self {
        match error {
            AddImageError::NotFound => Self::not_found(),
            AddImageError::TooMany => {
                Self::new(StatusCode::CONFLICT, "too-many-images", "The product has no room for an image")
                    .detail(format!("A product has at most {} images.", ferrite_domain::MAX_IMAGES))
            }
            AddImageError::Store(error) => error.into(),
        }
    }
}

impl From<PlaceRefusal> for Problem {
    fn from(refusal: PlaceRefusal) -> Self {
        match refusal {
            PlaceRefusal::UnknownProducts { lines } => lines.into_iter().fold(Self::invalid(Vec::new()), |problem, line| {
                problem.field(format!("lines[{line}].productId"), "must be a product that exists")
            }),
            PlaceRefusal::OutOfStock { products } => out_of_stock(&products),
            PlaceRefusal::MixedCurrencies | PlaceRefusal::TotalTooLarge => Self::invalid(Vec::new()).field("lines", refusal),
        }
    }
}

impl From<PlaceError> for Problem {
    fn from(error: PlaceError) -> Self {
        match error {
            PlaceError::OutOfStock { products } => out_of_stock(&products),
            PlaceError::KeyInFlight | PlaceError::Answered(_) => Self::idempotency_key_in_flight(),
            PlaceError::ProductsChanged | PlaceError::Contention => Self::unavailable(error),
            PlaceError::Store(error) => error.into(),
        }
    }
}

impl From<TransitionError> for Problem {
    fn from(error: TransitionError) -> Self {
        Self::new(StatusCode::CONFLICT, "wrong-state", "The order is past that")
            .detail(format!("It cannot be done: {error}."))
    }
}

fn out_of_stock(products: &[ProductId]) -> Problem {
    let names: Vec<String> = products.iter().map(ToString::to_string).collect();
    Problem::new(StatusCode::CONFLICT, "out-of-stock", "Not enough pieces are left")
        .detail(format!("There are not as many as you asked for of: {}.", names.join(", ")))
}

impl Problem {
    /// 409: another request under the same idempotency key is being carried out.
    pub(super) fn idempotency_key_in_flight() -> Self {
        let title = "A request with this Idempotency-Key is being carried out";
        Self::new(StatusCode::CONFLICT, "idempotency-key-in-flight", title)
            .detail("Send it again in a moment to get its answer.")
    }

    /// 422: the idempotency key is another request's.
    pub(super) fn idempotency_key_reused() -> Self {
        let title = "The Idempotency-Key was used for another request";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused", title)
            .detail("Send what you sent the first time, or take a new key.")
    }
}
