//! How we say no: a kind, a text for the caller, and a cause for the log; no HTTP body, no logger.

use std::borrow::Cow;
use std::fmt;

/// A refusal or a fault, on its way to whoever called.
///
/// `public` is written by us and goes out; `cause` is whatever lies beneath, and goes to the log only.
#[derive(Debug)]
pub struct Failure {
    /// What went wrong, as a class.
    pub kind: Kind,
    /// A stable word for programs, such as `insufficient_balance`.
    pub code: Cow<'static, str>,
    /// A sentence for people.
    pub public: String,
    /// The member of the request that is wrong, if it is one.
    pub field: Option<Cow<'static, str>>,
    /// When it is worth trying again, in seconds.
    pub retry_after_s: Option<u64>,
    /// What lies beneath.
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The classes of failures. Each has one HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request makes no sense: 400.
    BadRequest,
    /// Nobody knows who is calling: 401.
    Unauthenticated,
    /// Money is missing: 402.
    Payment,
    /// The caller may not do this: 403.
    Forbidden,
    /// There is no such thing: 404.
    Missing,
    /// The thing exists already, or changed meanwhile: 409.
    Conflict,
    /// The request is larger than any we take: 413.
    TooLarge,
    /// Too often: 429.
    RateLimited,
    /// A fault of ours: 500.
    Internal,
    /// The provider refused our credential, or answered nonsense: 502.
    BadGateway,
    /// Nobody is left to ask, or a store is overloaded: 503.
    Unavailable,
    /// The provider took too long: 504.
    Timeout,
}

impl Kind {
    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthenticated => 401,
            Self::Payment => 402,
            Self::Forbidden => 403,
            Self::Missing => 404,
            Self::Conflict => 409,
            Self::TooLarge => 413,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::BadGateway => 502,
            Self::Unavailable => 503,
            Self::Timeout => 504,
        }
    }

    /// The kind of that status.
    #[must_use]
    pub fn of_status(status: u16) -> Option<Self> {
        const ALL: [Kind; 12] = [
            Kind::BadRequest,
            Kind::Unauthenticated,
            Kind::Payment,
            Kind::Forbidden,
            Kind::Missing,
            Kind::Conflict,
            Kind::TooLarge,
            Kind::RateLimited,
            Kind::Internal,
            Kind::BadGateway,
            Kind::Unavailable,
            Kind::Timeout,
        ];
        ALL.into_iter().find(|kind| kind.status() == status)
    }
}

impl Failure {
    /// A failure of this kind.
    pub fn new(kind: Kind, code: impl Into<Cow<'static, str>>, public: impl Into<String>) -> Self {
        Self {
            kind,
            code: code.into(),
            public: public.into(),
            field: None,
            retry_after_s: None,
            cause: None,
        }
    }

    /// A request whose member `field` is wrong.
    pub fn bad_field(field: impl Into<Cow<'static, str>>, public: impl Into<String>) -> Self {
        let mut failure = Self::new(Kind::BadRequest, "invalid_value", public);
        failure.field = Some(field.into());
        failure
    }

    /// The same, when the member that is wrong is part of another one.
    #[must_use]
    pub fn within(mut self, parent: &str) -> Self {
        let field = self.field.take();
        self.field = field.map(|field| format!("{parent}.{field}").into());
        self
    }

    /// There is no `noun` of that name.
    pub fn missing(noun: &str, name: &dyn fmt::Display) -> Self {
        Self::new(
            Kind::Missing,
            "not_found",
            format!("There is no {noun} {name}."),
        )
    }

    /// A fault of ours; the caller learns nothing but that it is one.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(
            Kind::Internal,
            "internal_error",
            "Tollhouse had an internal error.",
        )
        .because(cause)
    }

    /// Status, code and field in one word, for a protocol in which an error has a type and a message:
    /// `400/invalid_value/from`.
    #[must_use]
    pub fn tag(&self) -> String {
        let field = self.field.as_deref().unwrap_or_default();
        format!("{}/{}/{field}", self.kind.status(), self.code)
    }

    /// The failure of such a tag and message; `None` when it is not one of ours.
    #[must_use]
    pub fn from_tag(tag: &str, public: &str) -> Option<Self> {
        let mut parts = tag.splitn(3, '/');
        let kind = Kind::of_status(parts.next()?.parse().ok()?)?;
        let code = parts.next()?.to_owned();
        let field = parts.next()?;
        let mut failure = Self::new(kind, code, public);
        failure.field = (!field.is_empty()).then(|| field.to_owned().into());
        Some(failure)
    }

    /// The same failure, with what lies beneath.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The same failure, with the time after which to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.public)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}
