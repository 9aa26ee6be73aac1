//! What a few seconds ago was true: the configuration, and who holds which key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use shared::domain::channel::Channel;
use shared::domain::group::Group;
use shared::domain::id::KeyId;
use shared::domain::key::Key;
use shared::domain::user::User;
use shared::store::configuration::Configuration;
use shared::store::{Store, StoreError};

/// For how long a look at the table is believed, in milliseconds.
const BELIEVED_MS: i64 = 5_000;
/// How many keys are remembered; more, and all are forgotten.
const REMEMBERED_KEYS: usize = 10_000;

/// The configuration as of a look.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) configuration: Configuration,
    looked_at_ms: i64,
    changes: u64,
}

impl Snapshot {
    pub(crate) fn group(&self, name: &str) -> Option<&Group> {
        self.configuration
            .groups
            .iter()
            .find(|group| group.name == name)
    }

    /// The channels that a group's users reach.
    pub(crate) fn channels_of<'a>(&'a self, group: &'a str) -> impl Iterator<Item = &'a Channel> {
        let channels = self.configuration.channels.iter();
        channels.filter(move |channel| channel.enabled && channel.serves(group))
    }
}

/// The latest snapshot, renewed when it is no longer believed.
#[derive(Debug, Default)]
pub(crate) struct Snapshots(Mutex<Option<Arc<Snapshot>>>);

impl Snapshots {
    /// The configuration now, or as it was a few seconds ago.
    ///
    /// A stale snapshot costs one small read, and a query only when the version has moved.
    pub(crate) async fn current(
        &self,
        store: &Store,
        now_ms: i64,
    ) -> Result<Arc<Snapshot>, StoreError> {
        let changes = store.changes();
        let known = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let configuration = match known {
            Some(known) if known.changes == changes && fresh(known.looked_at_ms, now_ms) => {
                return Ok(known);
            }
            Some(known) if known.changes == changes => {
                let version = store.configuration().version().await?;
                if version > known.configuration.version {
                    store.configuration().load().await?
                } else {
                    known.configuration.clone()
                }
            }
            _ => store.configuration().load().await?,
        };
        let snapshot = Arc::new(Snapshot {
            configuration,
            looked_at_ms: now_ms,
            changes,
        });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&snapshot));
        Ok(snapshot)
    }
}

/// A key and its user.
#[derive(Debug)]
pub(crate) struct KeyHolder {
    pub(crate) key: Key,
    pub(crate) user: User,
}

/// Who holds which key, as of a look.
#[derive(Debug, Default)]
pub(crate) struct Callers(Mutex<HashMap<KeyId, Known>>);

#[derive(Debug)]
struct Known {
    holder: Arc<KeyHolder>,
    looked_at_ms: i64,
    changes: u64,
}

impl Callers {
    /// The key of that id and its user; `None` when there is no such key.
    pub(crate) async fn find(
        &self,
        store: &Store,
        id: KeyId,
        now_ms: i64,
    ) -> Result<Option<Arc<KeyHolder>>, StoreError> {
        let changes = store.changes();
        if let Some(holder) = self.remembered(id, changes, now_ms) {
            return Ok(Some(holder));
        }
        let Some(key) = store.keys().find(id).await? else {
            return Ok(None);
        };
        let Some(user) = store.users().find(key.user_id).await? else {
            return Ok(None);
        };
        let holder = Arc::new(KeyHolder { key, user });
        let known = Known {
            holder: Arc::clone(&holder),
            looked_at_ms: now_ms,
            changes,
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED_KEYS {
            all.clear();
        }
        all.insert(id, known);
        Ok(Some(holder))
    }

    fn remembered(&self, id: KeyId, changes: u64, now_ms: i64) -> Option<Arc<KeyHolder>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.get(&id)?;
        let believed = known.changes == changes && fresh(known.looked_at_ms, now_ms);
        believed.then(|| Arc::clone(&known.holder))
    }
}

fn fresh(looked_at_ms: i64, now_ms: i64) -> bool {
    (0..BELIEVED_MS).contains(&(now_ms - looked_at_ms))
}
