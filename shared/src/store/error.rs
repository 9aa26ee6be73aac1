//! What can go wrong in the store, as its users need to tell it apart.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::failure::{Failure, Kind};

/// Why a read or a write did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A condition did not hold: the thing is there already, is gone, or has changed.
    #[error("a condition did not hold")]
    Conflict,
    /// The table is overloaded or two transactions met. The write was not applied.
    #[error("the table is busy")]
    Busy(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Nobody knows whether the write was applied: no answer came, or none that can be read.
    #[error("the outcome of the write is unknown")]
    Unknown(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The table refuses the request as such.
    #[error("the table refuses the request")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What is stored cannot be read as what it should be.
    #[error("a stored item cannot be read")]
    Unreadable(#[source] serde_dynamo::Error),
}

impl StoreError {
    /// Whether to send the same again is of no use.
    pub(super) const fn is_final(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Unreadable(_))
    }

    /// The same, where a condition failed that held whenever it was looked at: others were faster, each
    /// time.
    pub(super) fn or_busy(self) -> Self {
        match self {
            Self::Conflict => Self::Busy("the item changed at every try".into()),
            other => other,
        }
    }
}

impl<E, R> From<SdkError<E, R>> for StoreError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    fn from(error: SdkError<E, R>) -> Self {
        let code = error
            .as_service_error()
            .and_then(ProvideErrorMetadata::code)
            .map(str::to_owned);
        match (&error, code.as_deref()) {
            (_, Some("ConditionalCheckFailedException")) => Self::Conflict,
            (_, Some("TransactionCanceledException")) => cancelled(error),
            (
                _,
                Some(
                    "ProvisionedThroughputExceededException"
                    | "RequestLimitExceeded"
                    | "ThrottlingException"
                    | "TransactionConflictException"
                    | "TransactionInProgressException",
                ),
            ) => Self::Busy(Box::new(error)),
            (_, Some("InternalServerError" | "ServiceUnavailable")) => {
                Self::Unknown(Box::new(error))
            }
            (SdkError::ServiceError(_) | SdkError::ConstructionFailure(_), _) => {
                Self::Refused(Box::new(error))
            }
            _ => Self::Unknown(Box::new(error)),
        }
    }
}

/// A transaction is cancelled by a condition that does not hold, or by meeting another one. The
/// message lists the reasons in the order of the actions.
fn cancelled<E, R>(error: SdkError<E, R>) -> StoreError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let message = error
        .as_service_error()
        .and_then(ProvideErrorMetadata::message)
        .unwrap_or("");
    if message.contains("ConditionalCheckFailed") {
        StoreError::Conflict
    } else {
        StoreError::Busy(Box::new(error))
    }
}

impl From<serde_dynamo::Error> for StoreError {
    fn from(error: serde_dynamo::Error) -> Self {
        Self::Unreadable(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::new(
                Kind::Conflict,
                "conflict",
                "This changed meanwhile or exists already. Look again, and repeat the request.",
            ),
            StoreError::Busy(_) | StoreError::Unknown(_) => Self::new(
                Kind::Unavailable,
                "store_unavailable",
                "The database is busy. Try again in a moment.",
            )
            .retry_after(1)
            .because(error),
            StoreError::Refused(_) | StoreError::Unreadable(_) => Self::internal(error),
        }
    }
}
