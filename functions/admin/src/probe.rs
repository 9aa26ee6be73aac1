//! Tests of a channel, as the admin sees them: somebody asks the relay.

use std::fmt::Debug;

use futures_util::future::BoxFuture;
use secrecy::SecretString;
use shared::domain::dialect::Dialect;
use shared::domain::id::ChannelId;
use shared::failure::Failure;

/// One call that is pinned to one channel.
#[derive(Debug, Clone)]
pub struct Probe {
    /// The channel.
    pub channel_id: ChannelId,
    /// The dialect to ask in.
    pub dialect: Dialect,
    /// The model to ask for.
    pub model: String,
    /// What the relay knows the call by: `probe.` and signed `ProbeClaims`.
    pub token: SecretString,
}

/// How the relay answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProbeResult {
    /// Whether the channel gave a whole answer.
    pub ok: bool,
    /// The relay's status; none when it did not answer.
    pub http_status: Option<u16>,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// What went wrong.
    pub message: Option<String>,
}

/// Asks the relay to call a channel.
pub trait ProbeChannel: Debug + Send + Sync {
    /// Makes the call. A channel that does not work is a result, not a failure.
    fn probe(&self, probe: Probe) -> BoxFuture<'_, Result<ProbeResult, Failure>>;
}
