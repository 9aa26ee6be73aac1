//! Keys: found by the id that their text gives, listed by user.

use super::schema;
use super::table::{Item, Marks, Read, item};
use super::{Page, Store, StoreError};
use crate::domain::id::{KeyId, UserId};
use crate::domain::key::Key;

/// The handle.
#[derive(Debug, Clone, Copy)]
pub struct KeyStore<'a>(&'a Store);

impl Store {
    /// Keys.
    #[must_use]
    pub const fn keys(&self) -> KeyStore<'_> {
        KeyStore(self)
    }
}

impl KeyStore<'_> {
    /// The key of that id.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find(&self, id: KeyId) -> Result<Option<Key>, StoreError> {
        self.0.table.load(schema::key_item(id), Read::Latest).await
    }

    /// Adds a key.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is there already.
    pub async fn create(&self, key: &Key) -> Result<(), StoreError> {
        self.put(key, "attribute_not_exists(pk)").await
    }

    /// Replaces what is known of a key.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is gone.
    pub async fn update(&self, key: &Key) -> Result<(), StoreError> {
        self.put(key, "attribute_exists(pk)").await
    }

    /// Removes a key. Calls in flight finish.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn delete(&self, id: KeyId) -> Result<(), StoreError> {
        self.0.table.delete(schema::key_item(id)).await?;
        self.0.changed();
        Ok(())
    }

    /// A user's keys; without a user, everybody's.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn list(
        &self,
        user: Option<UserId>,
        limit: usize,
        cursor: Option<String>,
    ) -> Result<Page<Key>, StoreError> {
        self.0
            .table
            .list(schema::KEYS, user.map(schema::keys_of), limit, cursor)
            .await
    }

    async fn put(&self, key: &Key, condition: &str) -> Result<(), StoreError> {
        self.0.table.put(key_item(key)?, Some(condition)).await?;
        self.0.changed();
        Ok(())
    }
}

fn key_item(key: &Key) -> Result<Item, StoreError> {
    let listing = Some((
        schema::KEYS.to_owned(),
        schema::key_listing(key.user_id, key.id),
    ));
    item(
        schema::key_item(key.id),
        key,
        Marks {
            listing,
            ..Marks::default()
        },
    )
}
