//! The history of a balance: every movement of a user's money, credits and usage, latest first.

use super::usage_log::{Span, UsageFilter};
use super::{Page, Store, StoreError};
use crate::domain::credit::Credit;
use crate::domain::hold::WalletId;
use crate::domain::id::{CreditId, MovementId, RequestId, UserId};
use crate::domain::money::NanoUsd;
use crate::domain::record::UsageRecord;

/// How many usage records are read at a time, and how often, before a page answers with what it has
/// and a cursor: calls that cost nothing are no movements.
const READ_AT_ONCE: usize = 200;
const READS: usize = 5;

/// One movement of money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Movement {
    /// Money put in, or taken out.
    Credit(Credit),
    /// What a call cost.
    Usage(Box<UsageRecord>),
}

impl Movement {
    /// The id; it tells when.
    #[must_use]
    pub fn id(&self) -> MovementId {
        match self {
            Self::Credit(credit) => MovementId::from_bits(credit.id.bits()),
            Self::Usage(record) => MovementId::from_bits(record.id.bits()),
        }
    }

    /// By how much the balance moved.
    #[must_use]
    pub fn amount(&self) -> NanoUsd {
        match self {
            Self::Credit(credit) => credit.amount,
            Self::Usage(record) => NanoUsd::ZERO.saturating_sub(record.cost),
        }
    }
}

/// Which movements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MovementKind {
    /// Credits.
    Credit,
    /// Usage.
    Usage,
}

/// The handle.
#[derive(Debug, Clone, Copy)]
pub struct History<'a>(&'a Store);

impl Store {
    /// The history of balances.
    #[must_use]
    pub const fn history(&self) -> History<'_> {
        History(self)
    }
}

/// Some movements, and the last id down to which there are no others; `None` when there are no more.
type Looked = (Vec<Movement>, Option<MovementId>);

impl History<'_> {
    /// A user's movements of one kind or of both, latest first; `cursor` is the last id of the page
    /// before.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn list(
        &self,
        whose: (UserId, Option<MovementKind>),
        span: Span,
        limit: usize,
        cursor: Option<MovementId>,
    ) -> Result<Page<Movement>, StoreError> {
        let (user, kind) = whose;
        let (mut all, mut until) = (Vec::new(), None);
        if kind != Some(MovementKind::Usage) {
            let cursor = cursor.map(|id| CreditId::from_bits(id.bits()));
            let credits = self.0.credits().list(user, span, limit + 1, cursor).await?;
            all.extend(credits.items.into_iter().map(Movement::Credit));
        }
        if kind != Some(MovementKind::Credit) {
            let (usage, looked_until) = self.usage(user, span, limit + 1, cursor).await?;
            all.extend(usage);
            until = looked_until;
        }
        all.sort_by_key(|movement| std::cmp::Reverse(movement.id()));
        // Below what was looked at there may be usage between two credits.
        all.retain(|movement| until.is_none_or(|until| movement.id() >= until));
        let more = all.len() > limit;
        all.truncate(limit);
        let next = if more {
            all.last().map(Movement::id)
        } else {
            until
        };
        Ok(Page {
            items: all,
            next: next.map(|id| id.to_string()),
        })
    }

    /// What calls moved of the user's balance, at least `wanted` of it if there is so much.
    async fn usage(
        &self,
        user: UserId,
        span: Span,
        wanted: usize,
        cursor: Option<MovementId>,
    ) -> Result<Looked, StoreError> {
        let filter = UsageFilter {
            user_id: Some(user),
            ..UsageFilter::default()
        };
        let mut cursor = cursor.map(|id| RequestId::from_bits(id.bits()));
        let mut found = Vec::new();
        for _ in 0..READS {
            let log = self.0.usage_log();
            let page = log.list(&filter, span, READ_AT_ONCE, cursor).await?;
            let moving = page.items.into_iter().filter(moves_balance);
            found.extend(moving.map(|record| Movement::Usage(Box::new(record))));
            cursor = page.next.and_then(|next| next.parse().ok());
            if cursor.is_none() || found.len() >= wanted {
                break;
            }
        }
        Ok((found, cursor.map(|id| MovementId::from_bits(id.bits()))))
    }
}

/// Whether the call was paid from the user's balance: those of unlimited users were not.
fn moves_balance(record: &UsageRecord) -> bool {
    let wallet = WalletId::User(record.user_id);
    record.cost != NanoUsd::ZERO && record.holds.iter().any(|hold| hold.wallet == wallet)
}
