//! Maps the storefront's errors to HTTP problem responses. This is the only place that assigns a status to an error.

use ferrite_core::ports::PortError;
use ferrite_domain::ports::{AddImageError, PlaceOrderError, TooManyConflicts, UpdateError};
use ferrite_domain::{InvalidConfirmationToken, MAX_IMAGES, PricingError, ProductId, TransitionError};
use ferrite_runtime::http::{Problem, idempotency};
use http::StatusCode;

/// Error type of the storefront's HTTP handlers.
///
/// The `?` operator converts errors of the domain, its ports, and the runtime into this type.
#[derive(Debug)]
pub struct ApiError(Problem);

impl ApiError {
    /// Returns the problem document that is sent to the client.
    pub fn problem(&self) -> &Problem {
        &self.0
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        error.0
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<PortError> for ApiError {
    fn from(error: PortError) -> Self {
        Self(error.into())
    }
}

impl From<UpdateError> for ApiError {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::NotFound => Self(Problem::not_found()),
            UpdateError::VersionMismatch => {
                let title = "The product has changed";
                let problem = Problem::new(StatusCode::PRECONDITION_FAILED, "precondition-failed", title);
                Self(problem.detail("Fetch the product again and retry with its current ETag."))
            }
            UpdateError::Store(error) => error.into(),
        }
    }
}

impl From<AddImageError> for ApiError {
    fn from(error: AddImageError) -> Self {
        match error {
            AddImageError::NotFound => Self(Problem::not_found()),
            AddImageError::TooMany => {
                let title = "Too many images";
                let problem = Problem::new(StatusCode::CONFLICT, "too-many-images", title);
                Self(problem.detail(format!("A product can have at most {MAX_IMAGES} images.")))
            }
            AddImageError::Store(error) => error.into(),
        }
    }
}

impl From<TooManyConflicts> for ApiError {
    fn from(error: TooManyConflicts) -> Self {
        Self(Problem::unavailable(error))
    }
}

impl From<InvalidConfirmationToken> for ApiError {
    fn from(error: InvalidConfirmationToken) -> Self {
        Self(Problem::invalid(Vec::new()).field("token", error))
    }
}

impl From<PricingError> for ApiError {
    fn from(error: PricingError) -> Self {
        match error {
            PricingError::UnknownProducts { lines } => {
                let problem = lines.into_iter().fold(Problem::invalid(Vec::new()), |problem, line| {
                    problem.field(format!("lines[{line}].productId"), "must be an existing product")
                });
                Self(problem)
            }
            PricingError::OutOfStock { products } => out_of_stock(&products),
            PricingError::MixedCurrencies | PricingError::TotalTooLarge => {
                Self(Problem::invalid(Vec::new()).field("lines", error))
            }
        }
    }
}

impl From<PlaceOrderError> for ApiError {
    fn from(error: PlaceOrderError) -> Self {
        match error {
            PlaceOrderError::OutOfStock { products } => out_of_stock(&products),
            PlaceOrderError::KeyInFlight | PlaceOrderError::AlreadyPlaced(_) => Self(idempotency::key_in_flight()),
            PlaceOrderError::ProductsChanged | PlaceOrderError::Contention => Self(Problem::unavailable(error)),
            PlaceOrderError::Store(error) => error.into(),
        }
    }
}

impl From<TransitionError> for ApiError {
    fn from(error: TransitionError) -> Self {
        let TransitionError { from, to } = error;
        let problem = Problem::new(StatusCode::CONFLICT, "wrong-state", "The order can no longer be changed");
        Self(problem.detail(format!("An order cannot change from `{from}` to `{to}`.")))
    }
}

fn out_of_stock(products: &[ProductId]) -> ApiError {
    let ids: Vec<String> = products.iter().map(ToString::to_string).collect();
    let problem = Problem::new(StatusCode::CONFLICT, "out-of-stock", "Not enough stock");
    ApiError(problem.detail(format!("The requested quantity is not available for: {}.", ids.join(", "))))
}
