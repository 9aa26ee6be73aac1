//! Which wallets took holds, noted once an hour: how the reconciler knows where to look.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::Ledger;
use crate::domain::hold::WalletId;
use crate::store::StoreError;
use crate::store::schema;
use crate::store::table::{Marks, Range, item};

/// How long it is remembered that a wallet took holds in an hour, in seconds: far longer than any
/// outage of the reconciler should last.
const HOLDERS_KEPT_S: i64 = 30 * 86_400;

/// Which wallets this process has noted as holders in the current hour.
#[derive(Debug, Default)]
pub(in crate::store) struct NotedHolders(Mutex<(String, HashSet<WalletId>)>);

impl Ledger<'_> {
    /// The wallets that took holds between two times, hours rounded outwards.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn holders(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<WalletId>, StoreError> {
        let mut found = HashSet::new();
        let last = to.as_second().div_euclid(3_600);
        for hour in from.as_second().div_euclid(3_600)..=last {
            let partition = schema::holders(&hour.to_string());
            let range = Range {
                partition,
                ..Range::default()
            };
            for item in self.0.table.query(&range).await? {
                let wallet: Option<WalletId> = item
                    .get(schema::SK)
                    .and_then(|sk| sk.as_s().ok()?.parse().ok());
                found.extend(wallet);
            }
        }
        Ok(found.into_iter().collect())
    }

    /// Notes, once an hour, that a wallet takes holds: how the reconciler knows where to look. It is
    /// written before the hold, so that no hold is unknown.
    pub(super) async fn note_holder(
        &self,
        wallet: WalletId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let hour = now.as_second().div_euclid(3_600).to_string();
        if self.0.noted_holders.knows(&hour, wallet) {
            return Ok(());
        }
        let expires_at_s = Some(now.as_second() + HOLDERS_KEPT_S);
        let key = schema::holder(&hour, wallet);
        let note = item(
            key,
            &Nothing {},
            Marks {
                expires_at_s,
                ..Marks::default()
            },
        )?;
        self.0.table.put(note, None).await?;
        self.0.noted_holders.remember(hour, wallet);
        Ok(())
    }
}

#[derive(serde::Serialize)]
struct Nothing {}

impl NotedHolders {
    fn knows(&self, hour: &str, wallet: WalletId) -> bool {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.0 == hour && noted.1.contains(&wallet)
    }

    fn remember(&self, hour: String, wallet: WalletId) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.0 != hour {
            *noted = (hour, HashSet::new());
        }
        noted.1.insert(wallet);
    }
}
