//! The HTTP status of each of the storefront's errors. Nowhere else does an error get a status.

use ferrite_core::ports::PortError;
use ferrite_domain::ports::{AddImageError, PlaceOrderError, UpdateError};
use ferrite_domain::{MAX_IMAGES, PricingError, ProductId, TransitionError};
use ferrite_runtime::http::{Problem, idempotency};
use http::StatusCode;

/// Why a request was not carried out: what every HTTP handler of the storefront fails with.
///
/// `?` turns the errors of the domain, its ports and the runtime into one.
#[derive(Debug)]
pub struct ApiError(Problem);

impl ApiError {
    /// The problem document that the client gets.
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
                let title = "It has changed since you read it";
                let problem = Problem::new(StatusCode::PRECONDITION_FAILED, "precondition-failed", title);
                Self(problem.detail("Read it again and decide with its new ETag."))
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
                let title = "The product has no room for an image";
                let problem = Problem::new(StatusCode::CONFLICT, "too-many-images", title);
                Self(problem.detail(format!("A product has at most {MAX_IMAGES} images.")))
            }
            AddImageError::Store(error) => error.into(),
        }
    }
}

impl From<PricingError> for ApiError {
    fn from(error: PricingError) -> Self {
        match error {
            PricingError::UnknownProducts { lines } => {
                let problem = lines.into_iter().fold(Problem::invalid(Vec::new()), |problem, line| {
                    problem.field(format!("lines[{line}].productId"), "must be a product that exists")
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
            PlaceOrderError::KeyInFlight | PlaceOrderError::Completed(_) => Self(idempotency::key_in_flight()),
            PlaceOrderError::ProductsChanged | PlaceOrderError::Contention => Self(Problem::unavailable(error)),
            PlaceOrderError::Store(error) => error.into(),
        }
    }
}

impl From<TransitionError> for ApiError {
    fn from(error: TransitionError) -> Self {
        let problem = Problem::new(StatusCode::CONFLICT, "wrong-state", "The order is past that");
        Self(problem.detail(format!("It cannot be done: {error}.")))
    }
}

fn out_of_stock(products: &[ProductId]) -> ApiError {
    let names: Vec<String> = products.iter().map(ToString::to_string).collect();
    let problem = Problem::new(StatusCode::CONFLICT, "out-of-stock", "Not enough pieces are left");
    ApiError(problem.detail(format!("There are not as many as you asked for of: {}.", names.join(", "))))
}
