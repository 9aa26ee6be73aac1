//! What stands in front of a function: whom to believe about where a call comes from.

use std::net::IpAddr;

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// The header in which CloudFront proves that a request came through it.
pub const ORIGIN_HEADER: &str = "x-tollhouse-origin";
/// The header in which CloudFront tells the caller's address.
pub const VIEWER_HEADER: &str = "x-tollhouse-viewer";

/// What stands in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Front {
    /// CloudFront and a function URL that anybody could reach: the origin header is required.
    FunctionUrl,
    /// A private load balancer: whoever reaches it may call; answers are buffered.
    Alb,
    /// Nothing: callers connect to this process.
    Direct,
}

impl Front {
    /// Reads the variable `FRONT`; a function URL unless it says `alb`.
    #[must_use]
    pub fn from_variable(value: Option<&str>) -> Self {
        if value == Some("alb") {
            Self::Alb
        } else {
            Self::FunctionUrl
        }
    }

    /// Whether a request may pass, by its origin header. Takes the same time whatever differs.
    #[must_use]
    pub fn admits(self, header: Option<&[u8]>, origin_token: &SecretString) -> bool {
        let expected = origin_token.expose_secret().as_bytes();
        self != Self::FunctionUrl || header.is_some_and(|given| given.ct_eq(expected).into())
    }

    /// The caller's address: what CloudFront says, the last hop that the load balancer saw, or the
    /// peer. Headers that a caller could have set are not believed.
    #[must_use]
    pub fn caller_address<'a>(
        self,
        header: impl Fn(&str) -> Option<&'a str>,
        peer: Option<IpAddr>,
    ) -> Option<IpAddr> {
        let told = match self {
            Self::FunctionUrl => header(VIEWER_HEADER),
            Self::Alb => header("x-forwarded-for").and_then(|hops| hops.rsplit(',').next()),
            Self::Direct => return peer.map(|address| address.to_canonical()),
        };
        told.and_then(|text| text.trim().parse::<IpAddr>().ok())
            .map(|ip| ip.to_canonical())
    }
}
