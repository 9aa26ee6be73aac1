//! Users: found by id or by name, listed by name.

use aws_sdk_dynamodb::types::TransactWriteItem;

use super::patience::{TRIES, pause};
use super::schema;
use super::table::{Item, Marks, Read, item, n, s};
use super::{Page, Store, StoreError};
use crate::domain::credit::Credit;
use crate::domain::hold::WalletId;
use crate::domain::id::UserId;
use crate::domain::user::User;

/// The handle.
#[derive(Debug, Clone, Copy)]
pub struct UserStore<'a>(&'a Store);

impl Store {
    /// Users.
    #[must_use]
    pub const fn users(&self) -> UserStore<'_> {
        UserStore(self)
    }
}

impl UserStore<'_> {
    /// The user of that id.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.0.table.load(schema::user(id), Read::Latest).await
    }

    /// The user of that name.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn find_by_username(&self, name: &str) -> Result<Option<User>, StoreError> {
        let claim = self
            .0
            .table
            .get(schema::username(name), Read::Latest)
            .await?;
        let id = claim.and_then(|item| item.get("user_id")?.as_s().ok()?.parse().ok());
        match id {
            Some(id) => self.find(id).await,
            None => Ok(None),
        }
    }

    /// Adds a user with an empty wallet.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the name is taken.
    pub async fn create(&self, user: &User) -> Result<(), StoreError> {
        let wallet = super::wallets::empty();
        self.add(user, wallet, None).await
    }

    /// Adds a user whose wallet begins with a credit.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the name is taken.
    pub async fn create_with(&self, user: &User, credit: &Credit) -> Result<(), StoreError> {
        let mut wallet = super::wallets::empty();
        for name in ["balance", "granted"] {
            wallet.insert(name.to_owned(), n(credit.amount.get()));
        }
        let record = self.0.credits().record(credit)?;
        self.add(user, wallet, Some(record)).await
    }

    async fn add(
        &self,
        user: &User,
        mut wallet: Item,
        record: Option<TransactWriteItem>,
    ) -> Result<(), StoreError> {
        let table = &self.0.table;
        let mut claim = schema::username(&user.username).attributes();
        claim.insert("user_id".to_owned(), s(user.id.to_string()));
        wallet.extend(schema::wallet(WalletId::User(user.id)).attributes());
        let unclaimed = Some("attribute_not_exists(pk)");
        let mut writes = vec![
            table.put_action(claim, unclaimed),
            table.put_action(user_item(user)?, unclaimed),
            table.put_action(wallet, unclaimed),
        ];
        writes.extend(record);
        self.send(user, writes).await?;
        self.0.changed();
        Ok(())
    }

    async fn send(&self, user: &User, writes: Vec<TransactWriteItem>) -> Result<(), StoreError> {
        let mut tries = 1;
        loop {
            let error = match self.0.table.try_transact(writes.clone()).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_final() => return Err(error),
                Err(error) => error,
            };
            // Nobody else makes a user of this id: it is there if an earlier send arrived.
            if self.find(user.id).await?.is_some() {
                return Ok(());
            }
            if matches!(error, StoreError::Conflict) || tries == TRIES {
                return Err(error);
            }
            pause(tries).await;
            tries += 1;
        }
    }

    /// Replaces what is known of a user; the name stays. `user` is a changed copy of what was found.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the user is gone or another change came first.
    pub async fn update(&self, user: &User) -> Result<(), StoreError> {
        let changed = User {
            revision: user.revision.wrapping_add(1),
            ..user.clone()
        };
        let put = self
            .0
            .table
            .client
            .put_item()
            .table_name(&self.0.table.name);
        put.set_item(Some(user_item(&changed)?))
            .condition_expression("revision = :seen")
            .expression_attribute_values(":seen", n(user.revision))
            .send()
            .await?;
        self.0.changed();
        Ok(())
    }

    /// Removes a user and frees the name. The wallet and the usage records stay in the books.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn delete(&self, user: &User) -> Result<(), StoreError> {
        let table = &self.0.table;
        let actions = vec![
            table.delete_action(schema::user(user.id)),
            table.delete_action(schema::username(&user.username)),
        ];
        table.transact(actions).await?;
        self.0.changed();
        Ok(())
    }

    /// Users by name.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn list(
        &self,
        limit: usize,
        cursor: Option<String>,
    ) -> Result<Page<User>, StoreError> {
        self.0.table.list(schema::USERS, None, limit, cursor).await
    }
}

fn user_item(user: &User) -> Result<Item, StoreError> {
    let listing = Some((schema::USERS.to_owned(), user.username.clone()));
    item(
        schema::user(user.id),
        user,
        Marks {
            listing,
            ..Marks::default()
        },
    )
}
